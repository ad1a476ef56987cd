// The closed list of reasons: at once condition reason, event reason, log field, metric label and name of the runbook entry.
// Used by everything that tells people something. Extend the tables here; a reason that is not in one of them does not compile.

import { attemptReasons } from './reasons/attempts.ts'
import { authorityReasons } from './reasons/authority.ts'
import type { ReasonEntry, ReasonKind } from './reasons/entry.ts'
import { identityReasons } from './reasons/identity.ts'

export const REASONS = { ...identityReasons, ...authorityReasons, ...attemptReasons } as const satisfies Record<string, ReasonEntry>

export type Reason = keyof typeof REASONS

/** Whether a text is one of them: what other programs wrote, or an error of a lower layer. */
export function isReason(text: string): text is Reason {
  return Object.hasOwn(REASONS, text)
}

/** The type of events with this reason. */
export function eventType(reason: Reason): 'Normal' | 'Warning' {
  return EVENT_TYPES[REASONS[reason].kind]
}

const EVENT_TYPES = { normal: 'Normal', waiting: 'Normal', refused: 'Warning', failed: 'Warning' } as const satisfies Record<
  ReasonKind,
  'Normal' | 'Warning'
>
