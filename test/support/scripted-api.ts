// Lists and watches that do what a test says, for the tests of the watcher.

import type { Clock } from '../../src/base/clock.ts'
import type { Client, Page, WatchEvent, WatchOptions } from '../../src/k8s/client.ts'
import { localError } from '../../src/k8s/errors.ts'
import type { RawObject } from '../../src/k8s/resource.ts'

/** One watch that the watcher has opened. */
export interface OpenWatch {
  readonly options: WatchOptions
  /** Events that have come in and not been read. */
  push(...events: WatchEvent[]): void
  /** The server ends it. */
  end(): void
  fail(error: unknown): void
  readonly isOpen: boolean
}

/** Refused before it begins. */
export type Refusal = { readonly refuse: unknown }

export class ScriptedApi implements Pick<Client, 'listPages' | 'watch'> {
  readonly #clock: Clock
  /** What was asked: `list`, `watch 12`, each with the second it was asked at. */
  readonly calls: { readonly call: string; readonly at: number }[] = []
  readonly watches: OpenWatch[] = []
  /** The next lists: pages, or what they fail with in the end. When none is left, the last one is given again. */
  lists: (readonly Page[] | Refusal | { readonly pages: readonly Page[]; readonly butThen: unknown })[] = []
  /** What the next watches do at once; when none is left they wait for the test. */
  answers: ('end' | Refusal)[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The calls so far, and forgets them. */
  asked(): string[] {
    return this.calls.splice(0).map(({ call }) => call)
  }

  get lastWatch(): OpenWatch {
    return this.watches.at(-1) as OpenWatch
  }

  #call(call: string): void {
    this.calls.push({ call, at: this.#clock.monotonic() / 1000 })
  }

  async *listPages(_: unknown, { signal }: { signal?: AbortSignal } = {}): AsyncIterable<Page> {
    this.#call('list')
    const script = this.lists.length > 1 ? this.lists.shift() : this.lists[0]
    if (script === undefined) throw new Error('the test has no list')
    if ('refuse' in script) throw script.refuse
    const { pages, butThen = undefined } = 'pages' in script ? script : { pages: script }
    for (const page of pages) {
      if (signal?.aborted) throw localError('Cancelled', 'aborted')
      yield page
    }
    if (butThen !== undefined) throw butThen
  }

  async *watch(_: unknown, options: WatchOptions): AsyncIterable<WatchEvent> {
    this.#call(`watch ${options.resourceVersion}`)
    const answer = this.answers.shift()
    if (answer === 'end') return
    if (answer !== undefined) throw answer.refuse
    const watch = openWatch(options, this.#clock)
    this.watches.push(watch)
    yield* watch.events()
  }
}

function openWatch(options: WatchOptions, clock: Clock): OpenWatch & { events(): AsyncGenerator<WatchEvent> } {
  const coming: WatchEvent[] = []
  let over: { error?: unknown } | undefined
  let isOpen = true
  let wake: () => void = () => {}
  const finish = (how: { error?: unknown }): void => {
    over ??= how
    wake()
  }
  return {
    options,
    push(...events) {
      coming.push(...events)
      wake()
    },
    end: () => finish({}),
    fail: (error) => finish({ error }),
    get isOpen() {
      return isOpen
    },
    async *events() {
      const abort = (): void => finish({ error: localError('Cancelled', 'aborted') })
      options.signal.addEventListener('abort', abort)
      let stopIdle = (): void => {}
      try {
        for (;;) {
          stopIdle()
          stopIdle = clock.after(options.idleMs, () => finish({ error: localError('TimedOut', 'silence') }))
          while (coming.length === 0 && over === undefined) await new Promise<void>((resolve) => (wake = resolve))
          const event = coming.shift()
          if (event !== undefined) yield event
          else if (over !== undefined && 'error' in over) throw over.error
          else return
        }
      } finally {
        stopIdle()
        options.signal.removeEventListener('abort', abort)
        isOpen = false
      }
    },
  }
}

/** An event that says only how far the watch has come. */
export function bookmark(version: string): WatchEvent {
  return { type: 'BOOKMARK', object: { kind: 'ConfigMap', metadata: { resourceVersion: version } } as RawObject }
}
