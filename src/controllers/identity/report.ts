// Tells people what a pass did: one status write when something differs, one event for what matters, one log line a step.
// Runs after the outcome, never on the way; the status is a cache, and losing it loses nothing.

import { MOST_FORMER_AUTHORITIES, type MutualIdentityStatus } from '../../api/mutual-identity.ts'
import type { AuthorityRef } from '../../api/names.ts'
import type { Reason } from '../../api/reason.ts'
import { type FormerAuthority, formatFormerAuthorities } from '../../api/stored/former-authorities.ts'
import { consequenceOf, publicMessageOf } from '../../base/errors.ts'
import { formatInstant, type Instant } from '../../base/instant.ts'
import { type Announcement, conditionsFor, failureAfter, type Readiness, readyReason, reasonOf } from '../readiness.ts'
import { accountAsked } from './asked.ts'
import type { IdentityFacts } from './facts.ts'
import { currentRenewAt } from './leaf-checks.ts'
import { servingSecret } from './ownership.ts'
import type { Outcome } from './perform.ts'
import type { IdentityPlan } from './plan.ts'
import { keptFormer } from './trust/trust.ts'

/** The status as it must be after this pass. `now` stamps what is new. */
export function nextStatus(facts: IdentityFacts, plan: IdentityPlan, outcome: Outcome, now: Instant): MutualIdentityStatus {
  const { identity } = facts
  if (plan.held) return identity.status
  const lastFailure = outcome.kind === 'failed' ? failureAfter(identity.status, identity.generation, outcome.error, now) : undefined
  const readiness = outcome.kind === 'failed' ? failed(facts, plan, outcome.error, now) : plan.readiness
  const certificate = certificateAfter(facts, plan, outcome) ?? identity.status.certificate
  const formerAuthorities = formatFormerAuthorities(formerAfter(facts, plan, outcome, now)).slice(0, MOST_FORMER_AUTHORITIES)
  const pods = podsAfter(facts)
  return {
    observedGeneration: identity.generation,
    conditions: conditionsFor(readiness, identity.status.conditions, identity.generation, now),
    ...(spiffeIdAfter(facts, plan, outcome) ?? {}),
    ...(certificate ? { certificate } : {}),
    ...(formerAuthorities.length > 0 ? { formerAuthorities } : {}),
    ...(pods ? { pods } : {}),
    ...(lastFailure ? { lastFailure } : {}),
  }
}

/** The event of a pass: an issuance or a repair, or that an identity came to a stop it was not in before. */
export function announce(facts: IdentityFacts, plan: IdentityPlan, outcome: Outcome): Announcement | undefined {
  switch (outcome.kind) {
    case 'issued': {
      const reason = outcome.created ? 'Issued' : RENEWALS.has(plan.reason) ? 'Renewed' : 'Reissued'
      const until = `until ${formatInstant(outcome.notAfter)}, renews at ${formatInstant(outcome.renewAt)}`
      return {
        type: 'Normal',
        reason,
        action: 'Issue',
        note: `certificate ${outcome.serialNumber} ${until} (${plan.reason}: ${plan.message})`,
      }
    }
    case 'updated':
    case 'deleted':
      return { type: 'Normal', reason: 'Repaired', action: 'Repair', note: `${plan.reason}: ${plan.message}` }
    case 'failed': {
      const reason = reasonOf(outcome.error)
      if (facts.identity.status.lastFailure?.reason === reason) return undefined
      return { type: 'Warning', reason, action: 'Issue', note: publicMessageOf(outcome.error) }
    }
    case 'none': {
      if (plan.held) return undefined
      const { state, reason, message } = plan.readiness
      if (state !== 'refused' || readyReason(facts.identity.status) === reason) return undefined
      return { type: 'Warning', reason, action: 'Check', note: message }
    }
  }
}

/** A new certificate like the one before. */
export const RENEWALS: ReadonlySet<Reason> = new Set<Reason>(['RenewalDue', 'RenewalRequested'])

/** Steps that improve on a certificate which is good as it is. */
const UPKEEP: ReadonlySet<Reason> = new Set<Reason>([
  'RenewalDue',
  'RenewalRequested',
  'BundleOutdated',
  'MetadataChanged',
  'FormerSecretRemoved',
])

/** A failed renewal does not take readiness away while the certificate lasts; a person's turn does. */
function failed(facts: IdentityFacts, plan: IdentityPlan, error: unknown, now: Instant): Readiness {
  const usable = (servingSecret(facts)?.leaf?.notAfter ?? 0) > now
  const blocked = consequenceOf(error) === 'blocked'
  if (usable && !blocked && UPKEEP.has(plan.reason)) {
    return {
      state: 'ready',
      reason: 'Current',
      message: 'the certificate is current, though the last attempt to renew it failed (lastFailure)',
    }
  }
  const kept = usable ? '. The present certificate stays' : ''
  return { state: blocked ? 'refused' : 'waiting', reason: reasonOf(error), message: publicMessageOf(error) + kept }
}

function certificateAfter(facts: IdentityFacts, plan: IdentityPlan, outcome: Outcome): MutualIdentityStatus['certificate'] {
  if (outcome.kind === 'issued' && plan.step.kind === 'issue') {
    const { authority, generation } = plan.step
    return {
      serialNumber: outcome.serialNumber,
      notAfter: formatInstant(outcome.notAfter),
      renewAt: formatInstant(outcome.renewAt),
      issuedBy: issuedBy(authority, generation.number),
    }
  }
  const authority = facts.switching?.from ?? facts.authority
  const secret = servingSecret(facts)
  const renewAt = secret && currentRenewAt(secret, facts.identity.spec.certificate.renewBefore)
  if (!secret?.leaf || renewAt === undefined || !authority?.signing) return undefined
  if (secret.leaf.authorityKeyID !== authority.signing.subjectKeyID) return undefined
  return {
    serialNumber: secret.leaf.serialNumber,
    notAfter: formatInstant(secret.leaf.notAfter),
    renewAt: formatInstant(renewAt),
    issuedBy: issuedBy(authority.ref, authority.signing.number),
  }
}

/** As the Secret says it, which may be made again. */
function formerAfter(facts: IdentityFacts, { step }: IdentityPlan, outcome: Outcome, now: Instant): readonly FormerAuthority[] {
  const written = step.kind === 'issue' ? step.trust : step.kind === 'update' ? step.patch.trust : undefined
  if (written && (outcome.kind === 'issued' || outcome.kind === 'updated')) return written.formerAuthorities
  return keptFormer(facts.trust.former, facts.switching?.from.ref ?? facts.identity.spec.authority, now)
}

/** `ClusterMutualAuthority/default/1`, `MutualAuthority/internal/1`. */
const issuedBy = ({ kind, name }: AuthorityRef, generation: number): string => `${kind}/${name}/${generation}`

/** Nothing is told of pods that may not be read. */
function podsAfter(facts: IdentityFacts): MutualIdentityStatus['pods'] {
  if (facts.unknown.includes('pods')) return facts.identity.status.pods
  const account = accountAsked(facts)
  const matching = typeof account === 'string' ? countOf(account, facts) : facts.selectedPods
  return { selected: facts.selectedPods, mismatched: facts.selectedPods - matching }
}

/** A service account may be called `constructor`. */
function countOf(account: string, { podsByAccount }: IdentityFacts): number {
  return Object.hasOwn(podsByAccount, account) ? (podsByAccount[account] ?? 0) : 0
}

function spiffeIdAfter(facts: IdentityFacts, plan: IdentityPlan, outcome: Outcome): { spiffeID: string } | undefined {
  if (outcome.kind === 'issued' && plan.step.kind === 'issue') return { spiffeID: plan.step.profile.spiffeId.uri }
  // Only a leaf that is what is asked for: the status is the second witness of what was decided, and must not repeat what a Secret says.
  const isRight = plan.readiness.state === 'ready' && plan.step.kind !== 'issue'
  const held = isRight ? servingSecret(facts)?.leaf?.uris[0] : undefined
  const spiffeID = held ?? facts.identity.status.spiffeID
  return spiffeID === undefined ? undefined : { spiffeID }
}
