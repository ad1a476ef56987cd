// The objects and their history: one growing resourceVersion, one event a change, watchers told of each. Knows no rules of the API.
// Used by the writes, lists and watches of the API server in memory; what goes in and out is copied by them.

import type { RawObject } from '../../../src/k8s/resource.ts'
import type { Kind } from './kinds.ts'

/** One change. `before` is undefined for what is new, `object` is the last state of what was deleted, under the version of the deletion. */
export interface StoredEvent {
  readonly version: number
  readonly kind: Kind
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: RawObject
  readonly before: RawObject | undefined
  /** Whose request it was; `cluster`: the controllers of the cluster. */
  readonly by: string
}

/** Everything that is there at one moment. */
export interface Snapshot {
  readonly version: number
  readonly objects: ReadonlyMap<string, RawObject>
}

const SEPARATOR = '\u0000'

export class Storage {
  #version = 1000
  #compacted = 0
  #uids = 0
  /** Whose request is carried out. */
  by = 'cluster'
  #objects = new Map<string, { readonly kind: Kind; readonly object: RawObject }>()
  #byKind = new Map<Kind, Map<string, RawObject>>()
  #history: StoredEvent[] = []
  readonly #listeners = new Set<(event: StoredEvent) => void>()

  get version(): number {
    return this.#version
  }

  /** Versions up to this one are forgotten. */
  get compacted(): number {
    return this.#compacted
  }

  newUid(): string {
    return `00000000-0000-4000-8000-${String(++this.#uids).padStart(12, '0')}`
  }

  get(kind: Kind, namespace: string, name: string): RawObject | undefined {
    return this.#byKind.get(kind)?.get(`${namespace}${SEPARATOR}${name}`)
  }

  /** Sorted by namespace and name, as etcd has them. */
  list(kind: Kind, namespace?: string): RawObject[] {
    const all = [...(this.#byKind.get(kind)?.entries() ?? [])]
    const here = namespace ? all.filter(([key]) => key.startsWith(`${namespace}${SEPARATOR}`)) : all
    return here.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)
  }

  /** All objects of all kinds. */
  all(): Iterable<{ readonly kind: Kind; readonly object: RawObject }> {
    return this.#objects.values()
  }

  /** Stores a new state under a new version, which is written into it. */
  put(kind: Kind, object: RawObject): RawObject {
    const { namespace = '', name } = object.metadata
    const before = this.get(kind, namespace, name)
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } }
    this.#place(kind, stored)
    this.#tell({ version: this.#version, kind, type: before ? 'MODIFIED' : 'ADDED', object: stored, before, by: this.by })
    return stored
  }

  remove(kind: Kind, object: RawObject): RawObject {
    const { namespace = '', name } = object.metadata
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } }
    this.#byKind.get(kind)?.delete(`${namespace}${SEPARATOR}${name}`)
    this.#objects.delete(keyOf(kind, object))
    this.#tell({ version: this.#version, kind, type: 'DELETED', object: last, before: object, by: this.by })
    return last
  }

  /** Changes after `version`, in order. */
  after(version: number): readonly StoredEvent[] {
    let low = 0
    let high = this.#history.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#history[middle] as StoredEvent).version > version) high = middle
      else low = middle + 1
    }
    return this.#history.slice(low)
  }

  /** Calls `listener` with each further change; returns a function that ends it. */
  listen(listener: (event: StoredEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  compact(): void {
    this.#compacted = this.#version
    this.#history = []
  }

  snapshot(): Snapshot {
    return { version: this.#version, objects: new Map([...this.#objects].map(([key, { object }]) => [key, object])) }
  }

  /** As from a backup: the versions go back, and nobody is told. */
  restore({ version, objects }: Snapshot): void {
    const kinds = new Map([...this.#objects.values(), ...this.#history].map(({ kind }) => [kindKey(kind), kind]))
    this.#objects = new Map()
    this.#byKind = new Map()
    for (const [key, object] of objects) this.#place(kinds.get(key.split(SEPARATOR, 1)[0] ?? '') as Kind, object)
    this.#version = version
    this.#compacted = Math.min(this.#compacted, version)
    this.#history = this.#history.filter((event) => event.version <= version)
  }

  #place(kind: Kind, object: RawObject): void {
    const { namespace = '', name } = object.metadata
    const bucket = this.#byKind.get(kind) ?? new Map<string, RawObject>()
    this.#byKind.set(kind, bucket)
    bucket.set(`${namespace}${SEPARATOR}${name}`, object)
    this.#objects.set(keyOf(kind, object), { kind, object })
  }

  #tell(event: StoredEvent): void {
    this.#history.push(event)
    for (const listener of [...this.#listeners]) listener(event)
  }
}

const kindKey = ({ group, plural }: Kind): string => `${plural}.${group}`

const keyOf = (kind: Kind, { metadata: { namespace = '', name } }: RawObject): string => [kindKey(kind), namespace, name].join(SEPARATOR)
