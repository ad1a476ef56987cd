// Keeps a store equal to a collection of the API server: lists it, then follows the watch, and comes back after whatever goes wrong.
// Used by operator.ts, one for each watched kind. Knows no kinds; what an object means is the projection's business.

import { type Clock, type Instant, sleep } from '../base/clock.ts'
import { messageOf, OperatorError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { type Backoff, backoffMs } from './backoff.ts'
import type { Client } from './client.ts'
import { isNotFound, localError } from './errors.ts'
import type { RawObject, Resource } from './resource.ts'
import { compareVersions, isVersion, NO_VERSION, newerVersion, versionOf } from './resource-version.ts'
import type { Store, Stored } from './store.ts'
import { turns } from './turn.ts'
import { afterWatch, isWorthWarning } from './watch-policy.ts'

export interface WatcherOptions<T extends Stored> {
  readonly client: Pick<Client, 'listPages' | 'watch'>
  readonly store: Store<T>
  readonly resource: Resource
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Silence that counts as a broken connection; default 150 s (bookmarks come about once a minute). */
  readonly idleMs?: number
  /** The collection is listed anew when the last list is older than this and a watch ends by itself; default 1 h. */
  readonly relistMs?: number
}

const IDLE_MS = 150_000
/**
 * Nothing that follows the protocol loses an event. The hourly list bounds what anything else costs: a proxy or a server that loses one, a write that
 * was reported from a server since restored from a backup. It costs a page for each 500 objects, wakes nobody where nothing differs, and waits for
 * the end of a watch, so that it needs no timer and interrupts nothing.
 */
const RELIST_MS = 3_600_000
/** A watch is ended by the server after 5 to 10 min, as client-go asks too: servers behind a balancer share the load anew. */
const SHORTEST_WATCH_S = 300
/** A kind that is not served stays away until a person installs it, and nothing is done meanwhile: said again and again. */
const REMIND_MS = 60_000
const BACKOFF: Backoff = { firstMs: 800, factor: 2, capMs: 30_000 }

/**
 *                    all pages                    ended by the server, broken, silent, refused: wait, then from the last version
 *              +-----------------+                +------+
 *              |                 v                |      v
 *     start -> LIST           WATCH from the last version seen (events and bookmarks)
 *              ^ |               |
 *              +-+ failed: wait  | the version is gone (410) or unknown to the server, an event that cannot be read, the collection is not
 *              ^                 | served (404), idleMs without a single line, relist(), the last list is old
 *              +-----------------+
 *
 * Waits are 0.8 s, doubled up to 30 s, a quarter more or less. There is none after a watch that worked for 30 s and was ended by the server, and none
 * before a list where the last one is older than that: so a server that ends or refuses at once is never asked in a loop.
 * A whole watch without a line proves nothing: a server restored from an older backup takes our version from the future and keeps silent.
 */
export class Watcher<T extends Stored> {
  readonly name: string
  readonly #options: WatcherOptions<T>
  readonly #log: Log
  readonly #stopping = new AbortController()
  readonly #turn: () => Promise<void> | undefined
  readonly #synced = Promise.withResolvers<void>()
  #loop: Promise<void> | undefined
  /** The watch goes on from here; NO_VERSION: list first. */
  #position = NO_VERSION
  #failures = 0
  /** The newest version ever seen, to notice when history goes back. */
  #newest = NO_VERSION
  #listedAt = Number.NEGATIVE_INFINITY
  #contactAt: { readonly wall: Instant; readonly monotonic: number } | undefined
  #interrupt = new AbortController()
  #lists = 0
  /** What was complained of and has not worked since, and when last; monotonic milliseconds. */
  readonly #complaints = new Map<string, number>()

  constructor(options: WatcherOptions<T>) {
    this.name = `watch ${options.resource.plural}`
    this.#options = options
    this.#log = options.log.child({
      resource: options.resource.plural,
      ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    })
    this.#turn = turns(options.clock)
  }

  /** When the API server was last heard of; undefined: never. */
  get lastContactAt(): Instant | undefined {
    return this.#contactAt?.wall
  }

  /** Milliseconds since then, at most about 70 s in health; undefined: never. */
  get silentMs(): number | undefined {
    return this.#contactAt === undefined ? undefined : this.#options.clock.monotonic() - this.#contactAt.monotonic
  }

  /** How many whole lists were taken. */
  get lists(): number {
    return this.#lists
  }

  /** Resolves when the store holds the whole collection for the first time, however long that takes. Rejects with `Stopped` when stop() comes first. */
  start(): Promise<void> {
    this.#loop ??= this.#run()
    return this.#synced.promise
  }

  /** Ends calls and waits and resolves when nothing is left of them. The store keeps what it has. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#interrupt.abort()
    await this.#loop
  }

  /** Lists the collection again at once. */
  relist(): void {
    this.#position = NO_VERSION
    this.#interrupt.abort()
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#interrupt = new AbortController()
      const { signal } = this.#interrupt
      const wait = this.#position === NO_VERSION ? await this.#listOnce(signal) : await this.#watchOnce(signal)
      if (wait > 0) await sleep(this.#options.clock, wait, signal)
    }
    this.#synced.reject(new OperatorError('retry', 'Stopped', `${this.name} was stopped before it had a whole list`))
  }

  /** Returns the milliseconds to wait before the next call, as #watchOnce does. */
  async #listOnce(signal: AbortSignal): Promise<number> {
    try {
      await this.#list(signal)
      return 0
    } catch (error) {
      return signal.aborted ? 0 : this.#fail(error)
    }
  }

  async #watchOnce(signal: AbortSignal): Promise<number> {
    const { clock, idleMs = IDLE_MS, relistMs = RELIST_MS } = this.#options
    const startedAt = clock.monotonic()
    const seen = { lines: 0 }
    let error: unknown
    try {
      await this.#watch(signal, seen, idleMs)
    } catch (thrown) {
      error = thrown
    }
    if (signal.aborted) return 0
    const now = clock.monotonic()
    const next = afterWatch(
      { error, lines: seen.lines, lastedMs: now - startedAt, sinceListMs: now - this.#listedAt },
      { idleMs, relistMs },
    )
    if (next.list) this.#position = NO_VERSION
    if (next.healthy) this.#failures = 0
    const wait = this.#fail(error)
    return next.atOnce ? 0 : wait
  }

  /** Counts a failure, says what is worth saying, and returns how long to wait. `error` is undefined for a watch that the server ended. */
  #fail(error: unknown): number {
    const { clock, random, resource } = this.#options
    this.#failures++
    const wait = backoffMs(BACKOFF, this.#failures, random)
    if (error === undefined) return wait
    const { reason, after, stack } = describe(error)
    const fields = { reason, error: isNotFound(error) ? notServed(resource) : messageOf(error), attempts: this.#failures }
    const said = this.#complaints.get(reason)
    const isNews = said === undefined || (isNotFound(error) && clock.monotonic() - said >= REMIND_MS)
    if (!isWorthWarning(error, this.#failures) || !isNews) this.#log.debug('cannot follow, will try again', fields)
    else {
      this.#complaints.set(reason, clock.monotonic())
      if (stack === undefined) this.#log.warn('cannot follow, keeps trying', fields)
      else this.#log.error('cannot follow because of a defect in this program, keeps trying', { ...fields, stack })
    }
    return Math.max(wait, Math.ceil(after * (1 + random.uniform() / 4)))
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, clock, resource, store } = this.#options
    const startedAt = clock.monotonic()
    const replacement = store.beginReplace()
    let version = NO_VERSION
    for await (const page of client.listPages(resource, { ...this.#selection(), signal })) {
      this.#contact()
      // All pages are of one version; were they not, the oldest would be the safe one to go on from.
      if (version === NO_VERSION) version = page.resourceVersion
      for (const item of page.items) {
        replacement.add(this.#readable(item))
        await this.#turn()
      }
    }
    if (signal.aborted) return
    if (!isVersion(version)) throw localError('UnreadableReply', `list ${resource.plural}: no resourceVersion`)
    replacement.finish(version)
    if (compareVersions(version, this.#newest) < 0) this.#log.warn('the API server was set back to an older state', { version })
    this.#position = this.#newest = version
    this.#listedAt = clock.monotonic()
    const isFirst = this.#lists++ === 0
    this.#log[isFirst ? 'info' : 'debug']('listed', { count: store.size, durationMs: Math.round(this.#listedAt - startedAt) })
    this.#synced.resolve()
  }

  async #watch(signal: AbortSignal, seen: { lines: number }, idleMs: number): Promise<void> {
    const { client, random, resource, store } = this.#options
    const timeoutSeconds = Math.round(SHORTEST_WATCH_S * (1 + random.uniform()))
    const options = { ...this.#selection(), resourceVersion: this.#position, timeoutSeconds, idleMs, signal }
    for await (const { type, object } of client.watch(resource, options)) {
      if (signal.aborted) return
      if (object.kind !== resource.kind) throw localError('UnreadableReply', `watch ${resource.plural}: an event of another kind`)
      if (type !== 'BOOKMARK') store.apply({ type, object: this.#readable(object) })
      else if (isVersion(object.metadata.resourceVersion)) store.advance(object.metadata.resourceVersion)
      else throw localError('UnreadableReply', `watch ${resource.plural}: a bookmark without resourceVersion`)
      // A listener may have asked for a list.
      if (signal.aborted) return
      this.#position = this.#newest = newerVersion(this.#position, versionOf(object.metadata))
      seen.lines++
      this.#contact()
      this.#works()
      await this.#turn()
    }
  }

  #selection(): { namespace?: string; labelSelector?: string; fieldSelector?: string } {
    const { namespace, labelSelector, fieldSelector } = this.#options
    return {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    }
  }

  /** What the store relies on; the object itself may hold a key and is not quoted. */
  #readable(object: RawObject): RawObject {
    const { name, uid, resourceVersion } = (object as RawObject | null)?.metadata ?? {}
    if (typeof name === 'string' && name !== '' && typeof uid === 'string' && isVersion(resourceVersion)) return object
    throw localError('UnreadableReply', `${this.#options.resource.plural}: an object without name, uid or resourceVersion`)
  }

  #contact(): void {
    const { clock } = this.#options
    this.#contactAt = { wall: clock.now(), monotonic: clock.monotonic() }
  }

  #works(): void {
    if (this.#complaints.size === 0) return
    this.#complaints.clear()
    this.#log.info('follows again')
  }
}

/** The server's own answer to a path that it does not know is a bare 404. */
function notServed({ group, version, plural, kind }: Resource): string {
  const what = `the API server does not serve ${kind} (${plural}, ${group === '' ? version : `${group}/${version}`})`
  // Built-in groups with a dot end in k8s.io.
  return group.includes('.') && !group.endsWith('.k8s.io')
    ? `${what}: is its CustomResourceDefinition installed (kubectl apply -f crds/)?`
    : what
}

function describe(error: unknown): { reason: string; after: number; stack: string | undefined } {
  if (error instanceof OperatorError) return { reason: error.reason, after: error.after ?? 0, stack: undefined }
  return { reason: 'InternalError', after: 0, stack: error instanceof Error ? error.stack : undefined }
}
