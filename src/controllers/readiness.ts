// How a pass is told in a status: conditions after kstatus, and the last failure. Shared by the controllers' reports; pure.

import { type Condition, isOwnCondition, sameConditions, setCondition } from '../api/condition.ts'
import type { LastFailure } from '../api/reading-status.ts'
import { isReason, type Reason } from '../api/reason.ts'
import { OperatorError, publicMessageOf } from '../base/errors.ts'
import { formatInstant, type Instant, parseInstant } from '../base/instant.ts'
import { printable } from '../base/printable.ts'

/** What people are told: the Ready condition. */
export interface Readiness {
  /** `waiting`: becomes ready by itself or by what others do; `refused`: a person must change something. */
  readonly state: 'ready' | 'waiting' | 'refused'
  readonly reason: Reason
  readonly message: string
}

/** What the statuses of our kinds have in common. */
export interface ReportedStatus {
  readonly observedGeneration?: number
  readonly conditions: readonly Condition[]
  readonly lastFailure?: LastFailure
}

/** An event to record. */
export interface Announcement {
  readonly type: 'Normal' | 'Warning'
  readonly reason: Reason
  readonly action: string
  readonly note: string
}

/** Failed attempts wait 2, 4, 8 ... seconds, at most five minutes, or what the server asked for. */
const FIRST_RETRY_MS = 2_000
const LONGEST_RETRY_MS = 300_000

/** The reason of a failure; a plain error is a bug of ours. */
export function reasonOf(error: unknown): Reason {
  return error instanceof OperatorError && isReason(error.reason) ? error.reason : 'InternalError'
}

/** Ready, and Reconciling or Stalled only while true. */
export function conditionsFor(readiness: Readiness, previous: readonly Condition[], generation: number, at: Instant): readonly Condition[] {
  const { state, reason, message } = readiness
  const base = { reason, message: printable(message.slice(0, 1000)), observedGeneration: generation }
  const ready = setCondition(previous, { ...base, type: 'Ready', status: state === 'ready' ? 'True' : 'False' }, at)
  if (state === 'ready') return ready.filter((condition) => condition.type === 'Ready')
  const extra = state === 'refused' ? 'Stalled' : 'Reconciling'
  const all = setCondition(ready, { ...base, type: extra, status: 'True' }, at)
  return all.filter((condition) => condition.type === 'Ready' || condition.type === extra)
}

/** Characters of a failure's message in a status. */
const LONGEST_FAILURE = 500

/** A status can be edited: what is counted on from there stays a number that can be stored. */
const MOST_ATTEMPTS = 1_000_000

/** The failure after one more: a changed spec starts counting anew. */
export function failureAfter(status: ReportedStatus, generation: number, error: unknown, now: Instant): LastFailure {
  const before = status.observedGeneration === generation ? status.lastFailure : undefined
  const attempts = Math.min(Math.max(0, before?.attempts ?? 0), MOST_ATTEMPTS) + 1
  const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts - 1, 20))
  const after = error instanceof OperatorError ? (error.after ?? 0) : 0
  return {
    reason: reasonOf(error),
    message: printable(publicMessageOf(error).slice(0, LONGEST_FAILURE)),
    at: formatInstant(now),
    attempts,
    // Up to the next whole second: what a server asked for is never cut.
    nextAttemptAt: formatInstant(Math.ceil((now + Math.min(Math.max(wait, after), LONGEST_HOLD_MS)) / 1000) * 1000),
  }
}

/** As Complaints does for errors of passes: the same again is no news for an hour, twelve attempts of five minutes. */
export function isOldNews({ lastFailure }: ReportedStatus, error: unknown): boolean {
  if (lastFailure?.reason !== reasonOf(error) || lastFailure.message !== printable(publicMessageOf(error).slice(0, LONGEST_FAILURE)))
    return false
  return lastFailure.attempts % 12 !== 0
}

/** No failure holds longer, whatever a server asks for: a status written while a clock was wrong must not stop an identity for years. */
const LONGEST_HOLD_MS = 3_600_000

/** The instant until which a failure holds further steps back; undefined when nothing does, or the spec changed since. */
export function heldUntil(status: ReportedStatus, generation: number, now: Instant): Instant | undefined {
  const nextAttemptAt = status.lastFailure && parseInstant(status.lastFailure.nextAttemptAt)
  if (nextAttemptAt === undefined || status.observedGeneration !== generation) return undefined
  return nextAttemptAt > now && nextAttemptAt - now <= LONGEST_HOLD_MS ? nextAttemptAt : undefined
}

/** The reason that Ready had before this pass. */
export function readyReason(status: ReportedStatus): string | undefined {
  return status.conditions.find((condition) => condition.type === 'Ready')?.reason
}

/** Whether a status says something else, times of transition and conditions of others aside. */
export function statusDiffers(a: ReportedStatus, b: ReportedStatus): boolean {
  const { conditions: before, ...restBefore } = a
  const { conditions: after, ...restAfter } = b
  return !sameConditions(before.filter(isOwnCondition), after.filter(isOwnCondition)) || canonical(restBefore) !== canonical(restAfter)
}

/** JSON with sorted keys: equal texts, equal values. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
