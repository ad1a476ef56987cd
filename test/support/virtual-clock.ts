// A Clock whose time passes only when a test says so. Used by the tests of everything that waits.
// Between two timers it lets promises settle, so that what a timer woke has run before the next one fires.

import type { Clock, Instant } from '../../src/base/clock.ts'

export interface VirtualClock extends Clock {
  /** Lets `ms` milliseconds pass: timers fire in the order of their times, each followed by what it woke. */
  advance(ms: number): Promise<void>
  /** Moves the wall clock alone, as NTP does; timers and the monotonic clock do not notice. */
  shiftWall(ms: number): void
  /** Timers that wait. */
  readonly pending: number
  /** Milliseconds until the next of them; undefined when none waits. */
  readonly nextIn: number | undefined
}

interface Timer {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** Starts at 2026-01-01T00:00:00Z unless told otherwise. */
export function virtualClock(start: Instant = Date.UTC(2026, 0, 1)): VirtualClock {
  let wall = start
  let elapsed = 0
  let order = 0
  const timers = new Set<Timer>()

  const nextDue = (until: number): Timer | undefined => {
    let due: Timer | undefined
    for (const timer of timers) {
      if (timer.at > until) continue
      if (due === undefined || timer.at < due.at || (timer.at === due.at && timer.order < due.order)) due = timer
    }
    return due
  }

  return {
    now: () => wall + elapsed,
    monotonic: () => elapsed,
    after(ms, run) {
      const timer = { at: elapsed + Math.max(ms, 0), order: order++, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    async advance(ms) {
      const until = elapsed + ms
      await settled()
      for (let due = nextDue(until); due !== undefined; due = nextDue(until)) {
        timers.delete(due)
        elapsed = due.at
        due.run()
        await settled()
      }
      elapsed = until
    },
    shiftWall(ms) {
      wall += ms
    },
    get pending() {
      return timers.size
    },
    get nextIn() {
      const due = nextDue(Number.POSITIVE_INFINITY)
      return due && Math.max(0, due.at - elapsed)
    },
  }
}

/** Resolves when all promises that can go on by themselves have (a turn of the event loop empties the queue of microtasks). */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
