// What the table of status says of one identity: from what the operator reported, and from the time, which a report of an operator that is gone
// knows nothing of. Pure.

import type { Condition } from '../../api/condition.ts'
import type { MutualIdentity } from '../../api/mutual-identity.ts'
import { authorityText } from '../../api/names.ts'
import { type Instant, parseInstant } from '../../base/instant.ts'
import { relative } from '../output/instant.ts'
import type { Cell } from '../output/table.ts'
import { unwatched, type Watching } from '../watched.ts'
import { STATE_STYLES, type State } from './state.ts'

/** As data, for programs too. Instants are RFC 3339. */
export interface IdentitySummary {
  readonly namespace: string
  readonly name: string
  readonly state: State
  readonly reason: string
  readonly message: string
  readonly spiffeID: string | undefined
  readonly authority: string
  readonly expiresAt: string | undefined
  readonly renewsAt: string | undefined
  readonly expired: boolean
  readonly pods: number | undefined
  readonly mismatchedPods: number | undefined
}

/** `settings`: of the operator, as far as they are known; what it does not watch stands by no report. */
export function identitySummary(identity: MutualIdentity, now: Instant, settings: Watching = {}): IdentitySummary {
  const { namespace, name, spec, status, generation } = identity
  const { certificate, pods } = status
  const reported = reportedState(status.conditions, generation)
  const expiresAt = certificate && parseInstant(certificate.notAfter)
  return {
    namespace,
    name,
    ...reported,
    ...unwatched(namespace, settings),
    spiffeID: status.spiffeID,
    authority: authorityText(spec.authority),
    expiresAt: certificate?.notAfter,
    renewsAt: certificate?.renewAt,
    expired: expiresAt !== undefined && expiresAt <= now,
    pods: pods?.selected,
    mismatchedPods: pods?.mismatched,
  }
}

/** Nobody has said anything of it yet. */
export const NOT_REPORTED = 'NotReported'

/** By the conditions. One of an older spec says nothing of this one. */
export function reportedState(
  conditions: readonly Condition[],
  generation: number,
): { readonly state: State; readonly reason: string; readonly message: string } {
  const ready = conditions.find(({ type }) => type === 'Ready')
  if (!ready)
    return { state: 'waiting', reason: NOT_REPORTED, message: 'the operator has not reported yet: does it run? (kubectl mutual check)' }
  const { reason, message } = ready
  if (ready.observedGeneration < generation) {
    return {
      state: 'waiting',
      reason: 'SpecChanged',
      message: `the operator has not seen the last change of the spec; before it: ${reason}: ${message}`,
    }
  }
  if (ready.status === 'True') return { state: 'ready', reason, message }
  const stalled = conditions.some(({ type, status }) => type === 'Stalled' && status === 'True')
  return { state: stalled ? 'refused' : 'waiting', reason, message }
}

export const IDENTITY_HEADER = ['NAME', 'STATE', 'REASON', 'SPIFFE ID', 'AUTHORITY', 'EXPIRES', 'PODS'] as const

/** `withNamespace`: a column before the others. */
export function identityRow(summary: IdentitySummary, now: Instant, withNamespace: boolean): Cell[] {
  const { namespace, name, state, reason, spiffeID, authority, expired, pods, mismatchedPods } = summary
  const expiresAt = summary.expiresAt === undefined ? undefined : parseInstant(summary.expiresAt)
  return [
    ...(withNamespace ? [namespace] : []),
    name,
    { text: state, style: STATE_STYLES[state] },
    reason,
    spiffeID ?? '',
    // The usual kind needs no name.
    authority.replace(/^ClusterMutualAuthority /, '').replace(/^MutualAuthority /, 'mauth '),
    expiresAt === undefined
      ? ''
      : { text: expired ? `expired ${relative(expiresAt, now)}` : relative(expiresAt, now), style: expired ? 'bad' : undefined },
    pods === undefined ? '' : mismatchedPods ? { text: `${pods} (${mismatchedPods} of another account)`, style: 'waiting' } : String(pods),
  ]
}
