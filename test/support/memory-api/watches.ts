// Watches of the API server in memory: what each is told, in which form, and what can be done to all of them. Used by the server.

import type { Clock } from '../../../src/base/clock.ts'
import { type ApiError, localError } from '../../../src/k8s/errors.ts'
import { internal, statusOf } from './failure.ts'
import type { Kind } from './kinds.ts'
import { type Predicate, selectorOf } from './selector.ts'
import type { Storage, StoredEvent } from './storage.ts'

/** About how often the API server sends one. */
const BOOKMARK_MS = 60_000
/** And so long before it ends a watch. */
const LAST_BOOKMARK_MS = 2000

/** How events reach the watches. */
export interface Delivery {
  /** Held back until they are let go. */
  held: boolean
  /** Each comes twice. */
  duplicated: boolean
  /** Those of different objects change places with the next one. */
  reordered: boolean
}

export class Watches {
  readonly #storage: Storage
  readonly #clock: Clock
  readonly #open = new Set<WatchStream>()
  readonly delivery: Delivery = { held: false, duplicated: false, reordered: false }

  constructor(storage: Storage, clock: Clock) {
    this.#storage = storage
    this.#clock = clock
  }

  get open(): readonly WatchStream[] {
    return [...this.#open]
  }

  /** Begins a watch; its stream ends by itself after timeoutSeconds. */
  begin(
    kind: Kind,
    namespace: string,
    query: Readonly<Record<string, string>>,
    idleMs: number,
    signal: AbortSignal | undefined,
  ): WatchStream {
    const matches = selectorOf(query.labelSelector, query.fieldSelector)
    const given = query.resourceVersion ?? ''
    if (!/^\d*$/.test(given)) throw internal(`resourceVersion: Invalid value: ${JSON.stringify(given)}: strconv.ParseUint: invalid syntax`)
    const from = Number(given) || this.#storage.version
    const stream = new WatchStream(this.#clock, idleMs, signal, () => this.#open.delete(stream))
    this.#open.add(stream)
    if (from < this.#storage.compacted) {
      stream.tell(
        'ERROR',
        statusOf({ code: 410, reason: 'Expired', message: `too old resource version: ${from} (${this.#storage.compacted})`, details: {} }),
      )
      stream.end()
      return stream
    }
    const queue: StoredEvent[] = []
    const see = (event: StoredEvent): void => {
      if (event.version <= from || event.kind !== kind || (namespace && event.object.metadata.namespace !== namespace)) return
      queue.push(event)
      this.#deliver(stream, queue, matches)
    }
    if (Number(given) === 0) {
      for (const object of this.#storage.list(kind, namespace || undefined)) if (matches(object)) stream.tell('ADDED', object)
    }
    for (const event of this.#storage.after(from)) see(event)
    stream.release = () => this.#deliver(stream, queue, matches)
    stream.onEnd(this.#storage.listen(see))
    const timeoutMs = Number(query.timeoutSeconds ?? '0') * 1000
    if (query.allowWatchBookmarks === 'true') {
      this.#bookmarks(stream, timeoutMs, () => {
        // One that began in the future hears nothing at all until then.
        if (queue.length === 0 && !this.delivery.held && from <= this.#storage.version) stream.bookmark(kind, this.#storage.version)
      })
    }
    if (timeoutMs > 0) stream.onEnd(this.#clock.after(timeoutMs, () => stream.end()))
    return stream
  }

  #deliver(stream: WatchStream, queue: StoredEvent[], matches: Predicate): void {
    const { held, duplicated, reordered } = this.delivery
    if (held) return
    while (queue.length > (reordered ? 1 : 0)) {
      const [first, second] = queue as [StoredEvent, StoredEvent | undefined]
      const swaps = reordered && second && first.object.metadata.uid !== second.object.metadata.uid
      const event = queue.splice(swaps ? 1 : 0, 1)[0] as StoredEvent
      for (let count = duplicated ? 2 : 1; count > 0; count--) stream.event(event, matches)
    }
    // The last one waits for another to change places with, but not for ever.
    if (reordered && queue.length > 0) {
      this.#clock.after(50, () => {
        for (const event of queue.splice(0)) stream.event(event, matches)
      })
    }
  }

  #bookmarks(stream: WatchStream, timeoutMs: number, send: () => void): void {
    if (timeoutMs > LAST_BOOKMARK_MS) stream.onEnd(this.#clock.after(timeoutMs - LAST_BOOKMARK_MS, send))
    let cancel = (): void => {}
    const again = (): void => {
      cancel = this.#clock.after(BOOKMARK_MS, () => {
        send()
        again()
      })
    }
    again()
    stream.onEnd(() => cancel())
  }
}

/** One open watch. */
export class WatchStream {
  readonly #clock: Clock
  readonly #idleMs: number
  readonly #lines: string[] = []
  readonly #endings = new Set<() => void>()
  #wake: (() => void) | undefined
  #over = false
  #error: ApiError | undefined
  #silent = false
  release: () => void = () => {}

  constructor(clock: Clock, idleMs: number, signal: AbortSignal | undefined, onClosed: () => void) {
    this.#clock = clock
    this.#idleMs = idleMs
    this.onEnd(onClosed)
    const cancel = (): void => this.break(localError('Cancelled', 'the watch was cancelled'))
    signal?.addEventListener('abort', cancel, { once: true })
    this.onEnd(() => signal?.removeEventListener('abort', cancel))
    if (signal?.aborted) cancel()
  }

  /** Runs when the stream is over. */
  onEnd(run: () => void): void {
    if (this.#over) run()
    else this.#endings.add(run)
  }

  tell(type: string, object: object): void {
    if (this.#over || this.#silent) return
    this.#lines.push(JSON.stringify({ type, object }))
    this.#wake?.()
  }

  event({ type, object, before }: StoredEvent, matches: Predicate): void {
    const matched = before !== undefined && matches(before)
    if (type !== 'DELETED' && matches(object)) this.tell(matched ? 'MODIFIED' : 'ADDED', object)
    // As it was when it still fitted, under the version of the change.
    else if (matched) {
      this.tell('DELETED', { ...before, metadata: { ...before.metadata, resourceVersion: object.metadata.resourceVersion } })
    }
  }

  bookmark({ kind, group, version }: Kind, resourceVersion: number): void {
    const metadata = { resourceVersion: String(resourceVersion), creationTimestamp: null }
    this.tell('BOOKMARK', { kind, apiVersion: group === '' ? version : `${group}/${version}`, metadata })
  }

  /** The server closes it. */
  end(): void {
    // Of a silent one not even the end arrives.
    if (this.#over || (this.#silent && !this.#error)) return
    this.#over = true
    for (const run of this.#endings) run()
    this.#wake?.()
  }

  /** The connection breaks; what was not read is lost. */
  break(error: ApiError): void {
    if (this.#over) return
    this.#error = error
    this.#lines.length = 0
    this.end()
  }

  /** It stays open and says nothing more. */
  silence(): void {
    this.#silent = true
  }

  async *lines(): AsyncGenerator<string> {
    for (;;) {
      const line = this.#lines.shift()
      if (line !== undefined) yield line
      else if (this.#error) throw this.#error
      else if (this.#over) return
      else await this.#more()
    }
  }

  /** The next line, the end, or idleMs without either, which breaks it as the transport does. */
  #more(): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.#clock.after(this.#idleMs, () => this.break(localError('TimedOut', 'the stream was silent')))
      this.#wake = () => {
        stop()
        this.#wake = undefined
        resolve()
      }
    })
  }
}
