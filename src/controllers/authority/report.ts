// The status of an authority and what is announced of a pass. Pure; written by the controller only when something differs.

import type { AuthorityStatus } from '../../api/authority.ts'
import { REASONS } from '../../api/reason.ts'
import { consequenceOf, publicMessageOf } from '../../base/errors.ts'
import { formatInstant, type Instant } from '../../base/instant.ts'
import { type Announcement, conditionsFor, failureAfter, type Readiness, readyReason, reasonOf } from '../readiness.ts'
import { type AuthorityFacts, toldOnly } from './facts.ts'
import type { AuthorityOutcome } from './perform.ts'
import type { AuthorityPlan } from './plan-step.ts'

/** The status as it must be after this pass. */
export function nextAuthorityStatus(facts: AuthorityFacts, plan: AuthorityPlan, outcome: AuthorityOutcome, now: Instant): AuthorityStatus {
  const { authority, generations, record } = facts
  if (plan.held) return authority.status
  const readiness = outcome.kind === 'failed' ? failed(outcome.error) : plan.readiness
  return {
    observedGeneration: authority.generation,
    conditions: conditionsFor(readiness, authority.status.conditions, authority.generation, now),
    ...(facts.secrets[0]?.trustDomain ? { trustDomain: facts.secrets[0].trustDomain } : {}),
    generations: [
      ...toldOnly(facts),
      ...generations.map(({ number, state, certificate, root }) => ({
        number,
        state,
        fingerprint: root.fingerprint,
        subjectKeyID: certificate.subjectKeyID ?? '',
        notBefore: formatInstant(certificate.notBefore),
        notAfter: formatInstant(certificate.notAfter),
      })),
    ],
    ...(record?.bundle ? { trustBundle: { fingerprint: record.bundle.fingerprint, anchors: record.bundle.anchors.length } } : {}),
    ...(outcome.kind === 'failed' ? { lastFailure: failureAfter(authority.status, authority.generation, outcome.error, now) } : {}),
  }
}

/** The event of a pass. */
export function announceAuthority(facts: AuthorityFacts, plan: AuthorityPlan, outcome: AuthorityOutcome): Announcement | undefined {
  const { status } = facts.authority
  if (plan.held) return undefined
  if (outcome.kind === 'failed') {
    const reason = reasonOf(outcome.error)
    return status.lastFailure?.reason === reason
      ? undefined
      : { type: 'Warning', reason, action: 'Reconcile', note: publicMessageOf(outcome.error) }
  }
  if (outcome.kind === 'changed') return { type: 'Normal', reason: plan.reason, action: 'Reconcile', note: plan.message }
  const { state, reason, message } = plan.readiness
  const told = state === 'refused' || (state === 'ready' && REASONS[reason].kind !== 'normal')
  return !told || readyReason(status) === reason ? undefined : { type: 'Warning', reason, action: 'Check', note: message }
}

function failed(error: unknown): Readiness {
  return { state: consequenceOf(error) === 'blocked' ? 'refused' : 'waiting', reason: reasonOf(error), message: publicMessageOf(error) }
}
