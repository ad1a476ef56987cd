// How far a renewal that was asked for has come, told from the identity's own status: all that a person without rights to Secrets sees. Pure.

import type { MutualIdentity } from '../../api/mutual-identity.ts'
import { reportedState } from '../status/identity-row.ts'

export interface Progress {
  readonly state: 'done' | 'refused' | 'waiting'
  readonly text: string
}

/** `before`: as it was when the renewal was asked for. */
export function progressOf(before: MutualIdentity, { status, generation }: MutualIdentity): Progress {
  const { certificate, lastFailure, conditions } = status
  if (certificate && certificate.serialNumber !== before.status.certificate?.serialNumber) {
    return { state: 'done', text: `renewed: certificate ${certificate.serialNumber}, until ${certificate.notAfter}` }
  }
  const { state, reason, message } = reportedState(conditions, generation)
  if (state === 'refused') return { state: 'refused', text: `refused: ${reason}: ${message}. It is renewed once that is put right` }
  if (lastFailure) {
    const { attempts, nextAttemptAt } = lastFailure
    return { state: 'waiting', text: `attempt ${attempts} failed: ${lastFailure.reason}: ${lastFailure.message}; next at ${nextAttemptAt}` }
  }
  return { state: 'waiting', text: state === 'waiting' ? `waiting: ${reason}: ${message}` : 'waiting for the operator' }
}
