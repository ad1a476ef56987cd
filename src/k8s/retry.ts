// Repeats a call by kind of error, within one deadline over all its tries. Used by the client alone; pure but for the clock.

import { type Clock, sleep } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { ApiError, isTooLargeResourceVersion, localError } from './errors.ts'

export interface RetryOptions {
  readonly clock: Clock
  readonly random: Random
  /** Carrying the call out twice does no harm. Where false, only what certainly was not carried out is repeated. */
  readonly repeatable: boolean
  /** Over all tries and waits. */
  readonly deadlineMs: number
  /** Of one try at most, so that one dead connection does not use up the whole. */
  readonly tryMs: number
  readonly signal?: AbortSignal | undefined
}

const MAX_TRIES = 5
const FIRST_WAIT_MS = 100
const MAX_WAIT_MS = 2000

/**
 * Runs `attempt(deadlineMs)` until it resolves, throws what may not be repeated, or tries or time are used up; then throws the last error.
 * Waits 100 ms, 200 ms, ... (half of it at random), and never less than Retry-After.
 */
export async function withRetries<T>(options: RetryOptions, attempt: (deadlineMs: number) => Promise<T>): Promise<T> {
  const { clock, random, repeatable, deadlineMs, tryMs, signal } = options
  const startedAt = clock.monotonic()
  for (let tries = 1; ; tries++) {
    const left = deadlineMs - (clock.monotonic() - startedAt)
    try {
      return await attempt(Math.min(tryMs, left))
    } catch (error) {
      if (!mayRepeat(error, repeatable) || tries >= MAX_TRIES) throw error
      const wait = waitBefore(tries, error.after, random)
      if (clock.monotonic() - startedAt + wait >= deadlineMs) throw error
      await sleep(clock, wait, signal)
      if (signal?.aborted) throw localError('Cancelled', error.message)
    }
  }
}

function waitBefore(tries: number, after: number | undefined, random: Random): number {
  const backoff = Math.min(FIRST_WAIT_MS * 2 ** (tries - 1), MAX_WAIT_MS) * (0.5 + random.uniform() / 2)
  // Everybody was told the same Retry-After: spread over the quarter behind it.
  return after === undefined ? backoff : Math.max(after * (1 + random.uniform() / 4), backoff)
}

function mayRepeat(error: unknown, repeatable: boolean): error is ApiError {
  if (!(error instanceof ApiError)) return false
  switch (error.reason) {
    case 'NotSent':
    case 'Throttled':
      return true
    case 'TimedOut':
    case 'ConnectionLost':
    case 'UnreadableReply':
      return repeatable
    case 'ServerError':
      // The server has waited for that version itself, for 3 s.
      return repeatable && !isTooLargeResourceVersion(error)
    default:
      return false
  }
}
