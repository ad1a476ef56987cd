// What a watcher does after a watch has ended or a call has failed: list again or resume, and whether at once. Pure.
// Used by the watcher. Knows errors only by the predicates of errors.ts.

import { OperatorError } from '../base/errors.ts'
import { ApiError, isGone, isNotFound, isTooLargeResourceVersion, isUnreadable } from './errors.ts'

/** How a watch went. */
export interface WatchEnd {
  /** Undefined when the server ended it. */
  readonly error: unknown
  readonly lastedMs: number
  /** Events and bookmarks. */
  readonly lines: number
  /** Since the last complete list. */
  readonly sinceListMs: number
}

export interface WatchLimits {
  readonly idleMs: number
  readonly relistMs: number
}

export interface NextCall {
  /** List again, or resume from the last version seen. */
  readonly list: boolean
  /** Nothing was wrong for a while: failures before it do not count any more. */
  readonly healthy: boolean
  /** Without waiting. */
  readonly atOnce: boolean
}

/** What has worked for so long was no failure. */
const HEALTHY_MS = 30_000

export function afterWatch({ error, lastedMs, lines, sinceListMs }: WatchEnd, { idleMs, relistMs }: WatchLimits): NextCall {
  const isSilent = lines === 0 && lastedMs >= idleMs * 0.9
  const list = losesEvents(error) || isSilent || (error === undefined && sinceListMs >= relistMs)
  const healthy = lastedMs >= HEALTHY_MS
  return { list, healthy, atOnce: list ? sinceListMs >= HEALTHY_MS : healthy && error === undefined }
}

/** Whether resuming could miss something (also after a defect of ours in the middle of an event), or would never succeed. A collection that was gone (404) is another one when it comes back. */
function losesEvents(error: unknown): boolean {
  if (error === undefined) return false
  return isGone(error) || isTooLargeResourceVersion(error) || isUnreadable(error) || isNotFound(error) || !(error instanceof OperatorError)
}

/** Failures in a row after which even a passing fault is worth a warning. */
const PATIENCE = 3
/** What does not pass by itself, or should never happen. */
const WARN_AT_ONCE: ReadonlySet<string> = new Set(['Unauthorized', 'Forbidden', 'NotFound', 'Invalid', 'BadRequest', 'UnreadableReply'])

/** Whether a person should hear of it. */
export function isWorthWarning(error: unknown, failures: number): boolean {
  return !(error instanceof ApiError) || WARN_AT_ONCE.has(error.reason) || failures >= PATIENCE
}
