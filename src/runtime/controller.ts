// The generic controller: takes due keys, runs passes of them side by side, decides after each what happens next, and logs errors, once.
// Used by operator.ts, which hands in what a pass does. Knows no kinds; a pass is told a key, never an event.

import { type Clock, type Instant, sleep } from '../base/clock.ts'
import { type Consequence, consequenceOf, messageOf, OperatorError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { refOf } from '../k8s/object-key.ts'
import { turns } from '../k8s/turn.ts'
import { Complaints } from './complaints.ts'
import type { ConcurrencyLimit } from './concurrency-limit.ts'
import { type AddOptions, Queue } from './queue.ts'

/** When to look again without an event; undefined: only on events. Past instants mean now. */
export interface Next {
  readonly at: Instant | undefined
  /** When it is too late: where many keys are due at once those with the nearest come first. */
  readonly deadline?: Instant
}

/** One look at one key. */
export interface Pass {
  readonly key: string
  /** How many passes of this key failed in a row before this one. */
  readonly attempts: number
  /** Bound to the controller, namespace and name. */
  readonly log: Log
  /** Aborts when the controller stops and has waited long enough for this pass. */
  readonly signal: AbortSignal
}

/** How a pass ended. */
export interface PassSample {
  readonly controller: string
  readonly outcome: 'ok' | Consequence
  readonly durationMs: number
}

export interface ControllerOptions {
  readonly name: string
  /** Passes side by side, of different keys: always so many at most, or as many as the API server takes. */
  readonly concurrency: number | ConcurrencyLimit
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Looks at the world and takes a step. Throws an OperatorError to say what happens next; anything else that it throws is a bug. */
  readonly reconcile: (pass: Pass) => Promise<Next>
  readonly observe?: (sample: PassSample) => void
  /** Enqueues these keys again and again, each once in a period at an instant of its own: a guard against lost events. */
  readonly resync?: { readonly keys: () => Iterable<string>; readonly everyMs: number }
  /** How long stop() lets running passes finish before it aborts them; default 20 s. */
  readonly graceMs?: number
}

/** A blocked key is woken by what it waits for, but nobody tells that a right was given back or a policy changed. From the tenth failure on backoff is longer. */
const BLOCKED_MS = 60_000
const GRACE_MS = 20_000
/** How long an aborted pass may still take; with the grace it stays within the 30 s that a pod has to end. */
const ABORTED_MS = 5000
/** A pass that runs longer holds up its key; all its calls have deadlines far below. */
const HANGING_MS = 300_000

export class Controller {
  readonly name: string
  readonly #options: ControllerOptions
  readonly #log: Log
  readonly #queue: Queue
  readonly #complaints: Complaints
  readonly #stopping = new AbortController()
  readonly #aborting = new AbortController()
  readonly #running = new Map<string, number>()
  #work: Promise<unknown> | undefined
  #passEnded: () => void = () => {}

  constructor(options: ControllerOptions) {
    this.name = options.name
    this.#options = options
    this.#log = options.log.child({ controller: options.name })
    this.#queue = new Queue(options)
    this.#complaints = new Complaints(options.clock)
  }

  /** For metrics: ready, running and failing keys, and how long the first ready key and the longest pass have taken so far. */
  get figures(): { depth: number; running: number; failing: number; oldestWaitMs: number; oldestPassMs: number } {
    const { depth, running, failing, oldestWaitMs } = this.#queue
    const [oldest = this.#options.clock.monotonic()] = this.#running.values()
    return { depth, running, failing, oldestWaitMs, oldestPassMs: this.#options.clock.monotonic() - oldest }
  }

  /** Whether keys are ready that no pass has begun with. */
  get isBusy(): boolean {
    return this.#queue.depth > 0
  }

  /** Asks for a pass of the key; possible at any time, also before start(). */
  enqueue(key: string, options?: AddOptions): void {
    this.#queue.add(key, options)
  }

  /** Asks for a pass of the key that may come so many milliseconds later, so that one answers all that ask meanwhile. */
  enqueueWithin(key: string, ms: number): void {
    this.#queue.add(key, { notBefore: this.#options.clock.now() + ms })
  }

  /** Asks for a pass of each key, spread evenly at random over the coming `overMs` milliseconds. */
  resync(keys: Iterable<string>, overMs = 0): void {
    const { clock, random } = this.#options
    for (const key of keys) this.#queue.add(key, { notBefore: clock.now() + Math.floor(random.uniform() * overMs) })
  }

  async start(): Promise<void> {
    if (this.#work !== undefined || this.#stopping.signal.aborted) throw new Error(`controller ${this.name} was started before`)
    this.#work = Promise.all([this.#runPasses(), this.#resyncForever()])
  }

  /** Begins no more passes and waits for the running ones: 20 s, then their signals abort, and 5 s later they are left to themselves. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#queue.close()
    if (this.#work === undefined || (await this.#endsWithin(this.#options.graceMs ?? GRACE_MS))) return
    this.#log.warn('passes are aborted', { count: this.#running.size, detail: this.#runningKeys() })
    this.#aborting.abort()
    if (await this.#endsWithin(ABORTED_MS)) return
    this.#log.error('passes do not end', { count: this.#running.size, detail: this.#runningKeys() })
  }

  async #endsWithin(ms: number): Promise<boolean> {
    const ended = new AbortController()
    const work = (this.#work as Promise<unknown>).then(() => true)
    const result = await Promise.race([work, sleep(this.#options.clock, ms, ended.signal).then(() => false)])
    ended.abort()
    return result
  }

  #runningKeys(): string {
    return [...this.#running.keys()].slice(0, 10).join(', ')
  }

  /** Begins passes while keys are ready and the concurrency allows it; resolves when it was stopped and all of them have ended. */
  async #runPasses(): Promise<void> {
    const { signal } = this.#stopping
    const turn = turns(this.#options.clock)
    const passEnds = (): Promise<void> => new Promise((resolve) => (this.#passEnded = resolve))
    for (;;) {
      // Again after each wait: passes that were begun compute meanwhile.
      for (let pause = turn(); pause !== undefined; pause = turn()) await pause
      while (!this.#mayBegin()) await passEnds()
      const key = await this.#queue.next(signal)
      if (key === undefined || signal.aborted) break
      void this.#pass(key).then(() => this.#passEnded())
    }
    while (this.#running.size > 0) await passEnds()
  }

  #mayBegin(): boolean {
    const { concurrency } = this.#options
    return typeof concurrency === 'number' ? this.#running.size < concurrency : concurrency.allows(this.#running.size)
  }

  /** One pass and what follows from it. Never throws. */
  async #pass(key: string): Promise<void> {
    const { clock } = this.#options
    const { namespace, name } = refOf(key)
    const log = this.#log.child(namespace === '' ? { name } : { namespace, name })
    const startedAt = clock.monotonic()
    this.#running.set(key, startedAt)
    const stopWatching = clock.after(HANGING_MS, () => log.warn('a pass does not end', { durationMs: HANGING_MS }))
    const attempts = this.#queue.failuresOf(key)
    const result = await this.#reconcile({ key, attempts, log, signal: this.#aborting.signal })
    stopWatching()
    this.#running.delete(key)
    if ('next' in result) {
      this.#queue.done(key)
      const { at, deadline } = result.next
      if (at !== undefined) this.#queue.add(key, { notBefore: at, ...(deadline === undefined ? {} : { deadline }) })
      this.#complaints.worked(key, log)
      this.#observe('ok', clock.monotonic() - startedAt)
    } else {
      const outcome = consequenceOf(result.error)
      this.#queue.failed(key, waitOf(result.error))
      // What fails because it was told to stop is no news.
      if (!this.#aborting.signal.aborted) this.#complaints.failed(key, result.error, attempts + 1, log)
      this.#observe(outcome, clock.monotonic() - startedAt)
    }
  }

  /** What the pass returned or threw, at once or later. */
  async #reconcile(pass: Pass): Promise<{ readonly next: Next } | { readonly error: unknown }> {
    try {
      const next = await this.#options.reconcile(pass)
      return Number.isNaN(next.at) ? { error: new RangeError('the pass wants to be repeated at no time (NaN)') } : { next }
    } catch (error) {
      return { error }
    }
  }

  #observe(outcome: PassSample['outcome'], durationMs: number): void {
    try {
      this.#options.observe?.({ controller: this.name, outcome, durationMs })
    } catch (error) {
      this.#log.error('an observer of passes threw', { error: messageOf(error) })
    }
  }

  async #resyncForever(): Promise<void> {
    const { resync, clock } = this.#options
    if (resync === undefined) return
    const { signal } = this.#stopping
    for (;;) {
      await sleep(clock, resync.everyMs, signal)
      if (signal.aborted) return
      try {
        this.resync(resync.keys(), resync.everyMs)
      } catch (error) {
        this.#log.error('the keys to look at again could not be listed', { error: messageOf(error) })
      }
    }
  }
}

/** Milliseconds that must pass before the next try, beyond what backoff says. */
function waitOf(error: unknown): number {
  const after = error instanceof OperatorError ? (error.after ?? 0) : 0
  return consequenceOf(error) === 'blocked' ? Math.max(after, BLOCKED_MS) : after
}
