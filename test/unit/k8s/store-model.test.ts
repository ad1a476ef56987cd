// The store against a naive model of an API server: whatever order news comes in, in the end the store shows what the server has.

import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { RawObject } from '../../../src/k8s/resource.ts'
import type { Change, Store, StoreEvent } from '../../../src/k8s/store.ts'
import { configMap, type Item, itemStore } from '../../support/store-objects.ts'

const KEYS = ['a/one', 'a/two', 'b/one']
const COLORS = ['red', 'blue', 'throw']

interface Live {
  readonly uid: string
  readonly version: number
  readonly color: string
}

/** The server, its watch, and answers to us that are still on their way. */
class Model {
  readonly store: Store<Item> = itemStore()
  readonly heard = new Map<string, string>()
  objects = new Map<string, Live>()
  version = 8
  uids = 0
  /** What the watch will still bring, and what it has brought. */
  coming: StoreEvent[] = []
  brought: StoreEvent[] = []
  answers: (() => void)[] = []
  /** Ends of holds whose answers are still on their way. */
  readonly holds = new Set<() => void>()
  list: ReturnType<Store<Item>['beginReplace']> | undefined
  backup = { objects: new Map<string, Live>(), version: this.version }

  constructor() {
    this.store.subscribe((change) => this.hear(change))
    this.beginList()
    this.finishList()
  }

  hear({ before, after }: Change<Item>): void {
    const { namespace, name } = (after ?? before) as Item
    const key = `${namespace}/${name}`
    same(this.heard.get(key), before === undefined ? undefined : `${before.uid} ${before.color}`)
    if (after === undefined) this.heard.delete(key)
    else this.heard.set(key, `${after.uid} ${after.color}`)
  }

  raw(key: string, { uid, version, color }: Live): RawObject {
    return configMap(key, { uid, version: String(version), color })
  }

  write(key: string, color: string): RawObject {
    const known = this.objects.get(key)
    const live = { uid: known?.uid ?? `u${this.uids++}`, version: ++this.version, color }
    this.objects.set(key, live)
    this.coming.push({ type: known === undefined ? 'ADDED' : 'MODIFIED', object: this.raw(key, live) })
    return this.raw(key, live)
  }

  hold(key: string): () => void {
    const [namespace = '', name = ''] = key.split('/')
    const release = this.store.hold({ namespace, name })
    this.holds.add(release)
    return () => void (this.holds.delete(release) && release())
  }

  delete(key: string): string | undefined {
    const known = this.objects.get(key)
    if (known === undefined) return undefined
    this.objects.delete(key)
    this.coming.push({ type: 'DELETED', object: this.raw(key, { ...known, version: ++this.version }) })
    return known.uid
  }

  bring(event: StoreEvent | undefined): void {
    if (event === undefined || this.list !== undefined) return
    this.brought.push(event)
    this.store.apply(event)
  }

  beginList(): void {
    this.list = this.store.beginReplace()
    // What the watch had not brought by now, it never will: the list is newer.
    this.brought = []
  }

  finishList(): void {
    if (this.list === undefined) return
    this.coming = []
    for (const [key, live] of this.objects) this.list.add(this.raw(key, live))
    const list = this.list
    const version = this.version
    // The world goes on between the server's look and the last page.
    if (this.pending !== undefined) this.run(this.pending)
    this.pending = undefined
    this.list = undefined
    list.finish(String(version))
  }

  pending: Command | undefined

  run({ what, key, color, late }: Command): void {
    const answer = (run: () => void): void => void (late ? this.answers.push(run) : run())
    switch (what) {
      case 'others write':
        this.write(key, color)
        break
      case 'others delete':
        this.delete(key)
        break
      case 'we write': {
        const raw = this.write(key, color)
        answer(() => this.store.wrote(raw))
        break
      }
      case 'we write while its events wait': {
        const release = this.hold(key)
        const raw = this.write(key, color)
        // The other half: the answer is lost.
        this.answers.push(() => {
          if (!late) this.store.wrote(raw)
          release()
        })
        break
      }
      case 'we delete while its events wait': {
        const release = this.hold(key)
        const uid = this.delete(key)
        const [namespace = '', name = ''] = key.split('/')
        this.answers.push(() => {
          if (uid !== undefined && !late) this.store.removed({ namespace, name }, uid)
          release()
        })
        break
      }
      case 'we delete': {
        const uid = this.delete(key)
        const [namespace = '', name = ''] = key.split('/')
        if (uid !== undefined) answer(() => this.store.removed({ namespace, name }, uid))
        break
      }
      case 'an answer comes':
        this.answers.shift()?.()
        break
      case 'the last answer comes first':
        this.answers.pop()?.()
        break
      case 'an event comes':
        if (this.list === undefined) this.bring(this.coming.shift())
        break
      case 'two events come swapped':
        if (this.list === undefined) for (const event of this.coming.splice(0, 2).reverse()) this.bring(event)
        break
      case 'an event comes again':
        this.bring(this.brought.at(-1 - (key.length % 2)))
        break
      case 'a bookmark comes':
        if (this.list === undefined && this.coming.length === 0) this.store.advance(String(this.version))
        break
      case 'a list begins':
        this.beginList()
        break
      case 'a list ends':
        this.finishList()
        break
      case 'a write during the last page':
        if (this.list !== undefined) this.pending = { what: 'we write', key, color, late }
        break
      case 'a delete during the last page':
        if (this.list !== undefined) this.pending = { what: 'we delete', key, color, late }
        break
      case 'a backup is taken':
        this.backup = { objects: new Map(this.objects), version: this.version }
        break
      case 'the backup is restored':
        this.objects = new Map(this.backup.objects)
        this.version = this.backup.version
        this.coming = []
        this.answers = []
        for (const release of this.holds) release()
        this.holds.clear()
        this.beginList()
        break
    }
    this.check()
  }

  /** What holds at every moment: the indexes are those of the objects, and who only listened knows them. */
  check(): void {
    const all = [...this.store.all()].sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1))
    for (const color of COLORS)
      same(
        this.store.by('color', color),
        all.filter((item) => item.color === color),
      )
    for (const namespace of ['a', 'b'])
      same(
        this.store.inNamespace(namespace),
        all.filter((item) => item.namespace === namespace),
      )
    same(
      [...this.heard].sort(),
      all.map((item) => [`${item.namespace}/${item.name}`, `${item.uid} ${item.color}`]),
    )
  }

  settle(): void {
    this.finishList()
    while (this.answers.length > 0) this.answers.shift()?.()
    while (this.coming.length > 0) this.bring(this.coming.shift())
  }
}

/** `expect` is too slow for hundreds of thousands of comparisons that hold. */
function same(received: unknown, expected: unknown): void {
  if (JSON.stringify(received) !== JSON.stringify(expected)) expect(received).toEqual(expected)
}

const WHATS = [
  'others write',
  'others delete',
  'we write',
  'we write while its events wait',
  'we delete while its events wait',
  'we delete',
  'an answer comes',
  'the last answer comes first',
  'an event comes',
  'two events come swapped',
  'an event comes again',
  'a bookmark comes',
  'a list begins',
  'a list ends',
  'a write during the last page',
  'a delete during the last page',
  'a backup is taken',
  'the backup is restored',
] as const

interface Command {
  readonly what: (typeof WHATS)[number]
  readonly key: string
  readonly color: string
  readonly late: boolean
}

const command: fc.Arbitrary<Command> = fc.record({
  what: fc.constantFrom(...WHATS),
  key: fc.constantFrom(...KEYS),
  color: fc.constantFrom(...COLORS),
  late: fc.boolean(),
})

describe('whatever happens in whatever order', () => {
  it('ends with the store showing what the server has', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60, size: 'max' }), (commands) => {
        const model = new Model()
        for (const each of commands) model.run(each)
        model.settle()
        model.check()
        const shown = [...model.store.all()].map(
          (item) => `${item.namespace}/${item.name} ${item.uid} ${item.resourceVersion} ${item.color}`,
        )
        const there = [...model.objects]
          .filter(([, live]) => live.color !== 'throw')
          .map(([key, live]) => `${key} ${live.uid} ${live.version} ${live.color}`)
        expect(shown.sort()).toEqual(there.sort())
        expect(model.store.refused).toBe(model.objects.size - there.length)
      }),
      { numRuns: 1000 },
    )
  })

  it('shows what we wrote as soon as it is answered, until something newer is known', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40, size: 'max' }), fc.constantFrom(...KEYS), (commands, key) => {
        const model = new Model()
        for (const each of commands) model.run(each)
        model.finishList()
        const [namespace = '', name = ''] = key.split('/')
        model.store.wrote(model.write(key, 'red'))
        expect(model.store.get(namespace, name)?.resourceVersion).toBe(String(model.version))
      }),
      { numRuns: 500 },
    )
  })
})
