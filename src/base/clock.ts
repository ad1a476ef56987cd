// The only place that reads the time and sets timers; everybody else is given a Clock, so that tests run in virtual time.
// Used by all layers that wait; never imported by plans.

/** Milliseconds since 1970-01-01T00:00:00Z, whole. */
export type Instant = number

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

/** RFC 3339 in UTC with whole seconds, the form of metav1.Time: 2026-11-24T07:09:03Z. */
export function formatInstant(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`
}

/** RFC 3339 in UTC with six digits, the form of metav1.MicroTime (Lease, Event): 2026-11-24T07:09:03.000000Z. */
export function formatMicroInstant(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 23)}000Z`
}

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/

/** Reads an RFC 3339 instant (section 5.6); undefined when the text is none. */
export function parseInstant(text: string): Instant | undefined {
  if (!RFC_3339.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at
}
