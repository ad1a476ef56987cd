// The only place that reads the time and sets timers; everybody else is given a Clock, so that tests run in virtual time.
// Used by all layers that wait; never imported by plans, which take instants (instant.ts).

import type { Instant } from './instant.ts'

export { formatInstant, formatMicroInstant, type Instant } from './instant.ts'

/** Time as an argument. `now` may jump in either direction (NTP, suspended machines); timers count elapsed time. */
export interface Clock {
  /** The wall clock. */
  now(): Instant
  /** Milliseconds of a clock that never goes back; only differences mean anything. */
  monotonic(): number
  /** Calls `run` once after `ms` milliseconds (any size, negative means 0). Returns a function that takes it back. */
  after(ms: number, run: () => void): () => void
}

/** setTimeout takes a signed 32-bit number and runs at once on anything above it, so long waits are made of shorter ones. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    let timer: NodeJS.Timeout
    const wait = (left: number): void => {
      const part = Math.min(Math.max(left, 0), LONGEST_TIMER_MS)
      timer = setTimeout(() => (left > part ? wait(left - part) : run()), part)
    }
    wait(ms)
    return () => clearTimeout(timer)
  },
}

/**
 * Resolves after `ms` milliseconds, or at once when `signal` aborts (it never rejects: who waits asks the signal why it woke).
 */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = (): void => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(ms, done)
    signal?.addEventListener('abort', done, { once: true })
  })
}
