// Conditions as kstatus and `kubectl wait` read them (metav1.Condition). Used by reports and projections.
// Pure: the time is an argument, and equality ignores times that carry no meaning.

import { formatInstant, type Instant, parseInstant } from '../base/instant.ts'

export type ConditionStatus = 'True' | 'False' | 'Unknown'

/** metav1.Condition. `lastTransitionTime` is RFC 3339 text, as it is stored. */
export interface Condition {
  readonly type: string
  readonly status: ConditionStatus
  readonly reason: string
  readonly message: string
  readonly lastTransitionTime: string
  readonly observedGeneration: number
}

const OWN_CONDITIONS: ReadonlySet<string> = new Set(['Ready', 'Reconciling', 'Stalled'])

/** Others may have conditions of their own in a status, which are none of our business. */
export const isOwnCondition = ({ type }: Pick<Condition, 'type'>): boolean => OWN_CONDITIONS.has(type)

/**
 * The list with `next` in the place of the condition of its type, or at the end. `lastTransitionTime` is `at`, or what it was
 * while the status stays the same and that is an instant.
 */
export function setCondition(
  conditions: readonly Condition[],
  next: Omit<Condition, 'lastTransitionTime'>,
  at: Instant,
): readonly Condition[] {
  const before = conditions.find((condition) => condition.type === next.type)
  const since =
    before?.status === next.status && parseInstant(before.lastTransitionTime) !== undefined ? before.lastTransitionTime : undefined
  const lastTransitionTime = since ?? formatInstant(at)
  const condition: Condition = { ...next, lastTransitionTime }
  return before ? conditions.map((present) => (present === before ? condition : present)) : [...conditions, condition]
}

/** Whether two lists say the same, in whatever order and since whenever. */
export function sameConditions(a: readonly Condition[], b: readonly Condition[]): boolean {
  if (a.length !== b.length) return false
  return a.every((condition) => b.some((other) => sameCondition(condition, other)))
}

function sameCondition(a: Condition, b: Condition): boolean {
  return (
    a.type === b.type &&
    a.status === b.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.observedGeneration === b.observedGeneration
  )
}
