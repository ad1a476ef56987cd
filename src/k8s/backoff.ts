// How long to wait before the next try of something that keeps failing. Used by the watcher and by the work queue. Pure but for the dice.

import type { Random } from '../base/random.ts'

export interface Backoff {
  /** After the first failure, milliseconds. */
  readonly firstMs: number
  /** Each further wait is so many times the one before. */
  readonly factor: number
  /** No wait is longer, but for the jitter. */
  readonly capMs: number
}

/** Whole milliseconds to wait after the `failures`th failure in a row (1 is the first): exponential, capped, then a quarter more or less at random. */
export function backoffMs(backoff: Backoff, failures: number, random: Random): number {
  const wait = Math.min(backoff.firstMs * backoff.factor ** (failures - 1), backoff.capMs)
  return Math.round(wait * (0.75 + random.uniform() / 2))
}
