// The work queue of a controller: which keys are due, each of them once, run by one worker at a time, after a failure later and later.
// Used by the controller. Knows keys, not what they name, but that what stands before the slash is whose they are. Ready keys are served first come, first
// served within a namespace, and the namespaces in turn; those with a deadline in its order: the two take turns, so that neither keeps the other from
// being served, and a deadline that is near goes before everything.

import type { Clock, Instant } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { type Backoff, backoffMs } from '../k8s/backoff.ts'
import { Heap } from './heap.ts'
import { RoundRobin } from './round-robin.ts'

export interface QueueOptions {
  readonly clock: Clock
  readonly random: Random
  /** Waits after failures; default 0.2 s, doubled each time, up to 5 min (11 failures). */
  readonly backoff?: Backoff
}

export interface AddOptions {
  /** Not earlier than this wall-clock instant. Without it, or in the past: now. Infinity: never. */
  readonly notBefore?: Instant
  /** When it is too late for the key. Of those whose time has come the one with the nearest is served first; one that is woken before its time is not among them. */
  readonly deadline?: Instant
  /** Because of something the running pass itself wrote, so it is no reason to hurry if that pass fails. */
  readonly own?: boolean
}

const BACKOFF: Backoff = { firstMs: 200, factor: 2, capMs: 300_000 }
/** An event brings a failed key forward, but not closer than this to its failure: nobody who forgets `own` makes a hot loop. */
const FLOOR_MS = 1000
/** A deadline that is as near goes before all that is ready: ten minutes are ample for tens of thousands of passes. */
const NEAR_MS = 600_000
/** How often the wall clock is looked at while instants are waited for: a suspended machine or a step of the clock is noticed after so long. */
const WALL_CHECK_MS = 60_000

/** What was asked for while the key ran. */
interface Again {
  now: boolean
  /** Somebody else's doing wants it now. */
  urgent: boolean
  at: Instant
}

interface Failures {
  readonly count: number
  /** Monotonic milliseconds before which no event brings the key forward. */
  readonly floor: number
}

/**
 *                   add                next
 *        (unknown) -----> ready ---------------> running --done----> (unknown), or where add() wanted it meanwhile
 *            |              ^                       |
 *            | add at       | its time has come     | failed
 *            |              |                       |
 *            +---------> waiting <------------------+
 *
 * A key waits for an instant of the wall clock (renew at 14:00), for a number of elapsed milliseconds (backoff), or for both: whichever comes first.
 * add() brings a waiting key forward and never puts it off. Its later instant is then forgotten: the pass it runs gives the next one.
 * Elapsed waits do not mind a stepped wall clock; instants follow it, within a minute forward, and never early when it goes back.
 */
export class Queue {
  readonly #clock: Clock
  readonly #random: Random
  readonly #backoff: Backoff
  readonly #ready = new RoundRobin<{ readonly key: string; readonly since: number }>()
  readonly #readyKeys = new Set<string>()
  /** Keys whose time has come, by their deadlines; and since when, in the order in which they came. */
  readonly #due = new Heap()
  readonly #dueSince = new Map<string, number>()
  readonly #deadlines = new Map<string, Instant>()
  #dueIsNext = false
  readonly #running = new Map<string, Again>()
  readonly #failures = new Map<string, Failures>()
  /** Keys that wait for an instant, by wall-clock milliseconds. */
  readonly #instants = new Heap()
  /** Keys that wait after a failure, by monotonic milliseconds. */
  readonly #delays = new Heap()
  readonly #waiters = new Set<(key: string | undefined) => void>()
  #timer: { readonly at: number; readonly cancel: () => void } | undefined
  #closed = false

  constructor({ clock, random, backoff = BACKOFF }: QueueOptions) {
    this.#clock = clock
    this.#random = random
    this.#backoff = backoff
  }

  /** Ready keys; none once it is closed, since none is given out any more. */
  get depth(): number {
    return this.#closed ? 0 : this.#ready.size + this.#due.size
  }

  get running(): number {
    return this.#running.size
  }

  /** Milliseconds that the longest ready key has been so. */
  get oldestWaitMs(): number {
    let [oldest = Number.POSITIVE_INFINITY] = this.#dueSince.values()
    for (const { since } of this.#ready.heads()) oldest = Math.min(oldest, since)
    return oldest === Number.POSITIVE_INFINITY ? 0 : this.#clock.monotonic() - oldest
  }

  /** Keys whose last pass failed. */
  get failing(): number {
    return this.#failures.size
  }

  /** Asks for a pass of the key; what is asked for already is not asked for twice, and sooner wins. Throws a RangeError when notBefore is NaN. */
  add(key: string, { notBefore = Number.NEGATIVE_INFINITY, deadline, own = false }: AddOptions = {}): void {
    if (Number.isNaN(notBefore)) throw new RangeError('notBefore is not a number')
    if (this.#closed || this.#readyKeys.has(key)) return
    const now = notBefore <= this.#clock.now()
    this.#decideDeadline(key, notBefore, deadline)
    const again = this.#running.get(key)
    if (again !== undefined) {
      again.now ||= now
      again.urgent ||= now && !own
      again.at = Math.min(again.at, notBefore)
      return
    }
    if (now) this.#hurry(key, deadline !== undefined)
    else this.#waitUntil(key, notBefore)
    this.#arm()
  }

  /** The next key, which then runs until done() or failed(); undefined when the signal aborts or the queue is closed. */
  next(signal: AbortSignal): Promise<string | undefined> {
    if (this.#closed || signal.aborted) return Promise.resolve(undefined)
    const first = this.#takeReady()
    if (first !== undefined) {
      this.#readyKeys.delete(first)
      return Promise.resolve(this.#run(first))
    }
    return new Promise((resolve) => {
      const give = (key: string | undefined): void => {
        this.#waiters.delete(give)
        signal.removeEventListener('abort', abort)
        resolve(key)
      }
      const abort = (): void => give(undefined)
      signal.addEventListener('abort', abort, { once: true })
      this.#waiters.add(give)
    })
  }

  /** The pass succeeded: earlier failures are forgotten. */
  done(key: string): void {
    const again = this.#release(key)
    this.#failures.delete(key)
    if (again.now) this.#makeReady(key)
    else this.#waitUntil(key, again.at)
    this.#arm()
  }

  /**
   * The pass failed: it is tried again by backoff, not before `after` milliseconds. What others changed while it ran brings that forward, what it
   * wrote itself does not. Returns how many times it failed in a row.
   */
  failed(key: string, after = 0): number {
    const again = this.#release(key)
    const count = (this.#failures.get(key)?.count ?? 0) + 1
    // Many keys are told the same Retry-After: they come back spread over the quarter behind it.
    const wait = Math.max(backoffMs(this.#backoff, count, this.#random), Math.ceil(after * (1 + this.#random.uniform() / 4)))
    const now = this.#clock.monotonic()
    const floor = now + Math.min(wait, FLOOR_MS)
    this.#failures.set(key, { count, floor })
    if (!this.#closed) this.#delays.set(key, again.urgent ? floor : now + wait)
    if (!again.now) this.#waitUntil(key, again.at)
    this.#arm()
    return count
  }

  /** Failures in a row. */
  failuresOf(key: string): number {
    return this.#failures.get(key)?.count ?? 0
  }

  /** Nothing is given out any more, nothing is waited for; keys that run may still be reported. */
  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#timer = undefined
    for (const give of [...this.#waiters]) give(undefined)
  }

  /** From the two lanes in turn. */
  #takeReady(): string | undefined {
    const { nearest } = this.#due
    const due = nearest !== undefined && (this.#dueIsNext || this.#ready.size === 0 || nearest < this.#clock.now() + NEAR_MS)
    this.#dueIsNext = !due
    if (!due) return this.#ready.shift()?.key
    const key = this.#due.takeDue(Number.POSITIVE_INFINITY) as string
    this.#dueSince.delete(key)
    return key
  }

  #run(key: string): string {
    this.#running.set(key, { now: false, urgent: false, at: Number.POSITIVE_INFINITY })
    return key
  }

  #release(key: string): Again {
    const again = this.#running.get(key)
    if (again === undefined) throw new Error(`${key} is not running`)
    this.#running.delete(key)
    return again
  }

  /** The deadline goes with the instant: whoever brings the key forward without one, brings it forward among those that have none. */
  #decideDeadline(key: string, notBefore: Instant, deadline: Instant | undefined): void {
    if (notBefore > (this.#instants.dueOf(key) ?? Number.POSITIVE_INFINITY)) return
    if (deadline === undefined) this.#deadlines.delete(key)
    else this.#deadlines.set(key, deadline)
  }

  #hurry(key: string, timed: boolean): void {
    const floor = this.#failures.get(key)?.floor ?? Number.NEGATIVE_INFINITY
    if (floor <= this.#clock.monotonic()) this.#makeReady(key, timed)
    else this.#delays.set(key, floor)
  }

  #waitUntil(key: string, at: Instant): void {
    if (this.#closed || at === Number.POSITIVE_INFINITY) return
    this.#instants.set(key, Math.min(at, this.#instants.dueOf(key) ?? at))
  }

  /** `timed`: its instant has come. */
  #makeReady(key: string, timed = false): void {
    if (this.#closed) return
    this.#instants.delete(key)
    this.#delays.delete(key)
    const [give] = this.#waiters
    if (give !== undefined) {
      this.#deadlines.delete(key)
      give(this.#run(key))
      return
    }
    this.#readyKeys.add(key)
    const deadline = this.#deadlines.get(key)
    this.#deadlines.delete(key)
    const since = this.#clock.monotonic()
    if (deadline === undefined || !timed) this.#ready.push(key.slice(0, key.indexOf('/') + 1), { key, since })
    else {
      this.#due.set(key, deadline)
      this.#dueSince.set(key, since)
    }
  }

  /** Sees to it that the timer rings when the nearest waiting key is due, or the wall clock is to be looked at. One timer, whatever the number of keys. */
  #arm(): void {
    if (this.#closed) return
    const now = this.#clock.monotonic()
    const forDelay = (this.#delays.nearest ?? Number.POSITIVE_INFINITY) - now
    const forInstant =
      this.#instants.size === 0 ? Number.POSITIVE_INFINITY : Math.min((this.#instants.nearest as number) - this.#clock.now(), WALL_CHECK_MS)
    const wait = Math.min(forDelay, forInstant)
    if (wait === Number.POSITIVE_INFINITY) {
      this.#timer?.cancel()
      this.#timer = undefined
      return
    }
    const at = now + Math.max(Math.ceil(wait), 1)
    if (this.#timer !== undefined && this.#timer.at <= at) return
    this.#timer?.cancel()
    this.#timer = { at, cancel: this.#clock.after(at - now, () => this.#ring()) }
  }

  #ring(): void {
    this.#timer = undefined
    const now = this.#clock.monotonic()
    for (let key = this.#delays.takeDue(now); key !== undefined; key = this.#delays.takeDue(now)) this.#makeReady(key)
    const wall = this.#clock.now()
    for (let key = this.#instants.takeDue(wall); key !== undefined; key = this.#instants.takeDue(wall)) this.#makeReady(key, true)
    this.#arm()
  }
}
