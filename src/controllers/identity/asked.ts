// What an identity asks for, resolved against its authority: account, names, lifetime, key, trust. Or why it cannot be resolved. Pure.

import type { Format } from '../../api/mutual-identity.ts'
import { annotations } from '../../api/names.ts'
import type { Reason } from '../../api/reason.ts'
import type { PublishedBundle } from '../../api/stored/bundle.ts'
import { type Duration, formatDuration } from '../../base/duration.ts'
import { OperatorError } from '../../base/errors.ts'
import { type Instant, parseInstant } from '../../base/instant.ts'
import { type Fingerprint, fingerprintOf } from '../../pki/fingerprint.ts'
import type { LeafProfile } from '../../pki/profile.ts'
import { type SpiffeId, workloadId } from '../../pki/spiffe-id.ts'
import { parseTrustDomain } from '../../pki/trust-domain.ts'
import type { AuthorityFacts, SigningFacts } from '../authority-facts.ts'
import { type Readiness, reasonOf } from '../readiness.ts'
import type { IdentityFacts } from './facts.ts'
import { dnsNamesAsked } from './pods/dns-names.ts'
import { trustOf } from './trust/present-trust.ts'
import type { Trust } from './trust/trust.ts'

/** A request that may be signed. */
export interface Asked {
  readonly profile: LeafProfile
  readonly generation: SigningFacts
  readonly authority: AuthorityFacts
  /** Of that authority: what is issued must verify to it. */
  readonly bundle: PublishedBundle
  /** Undefined: it cannot be told just now, and what the Secret holds stays. */
  readonly trust: Trust | undefined
  readonly formats: readonly Format[]
  readonly renewBefore: Duration | undefined
  /** Of what was asked for, never of what was clipped to the issuer's end; without DNS names, whose changes are judged by themselves. */
  readonly profileHash: Fingerprint
  /** The value of the annotation that asks for a renewal, when it is well-formed. */
  readonly renewedFor: string | undefined
  /** How the identity stands when it has this certificate. */
  readonly readiness: Readiness
}

/** Resolves; a Readiness says what stops it. Call after the admission checks. */
export function askedFor(facts: IdentityFacts, now: Instant): Asked | Readiness {
  const { identity, authority } = facts
  const signing = authority?.signing
  if (!authority?.bundle || !signing) throw new Error('askedFor is called with an authority that signs')
  const bounds = lifetimeAndKey(facts, authority, signing)
  if ('state' in bounds) return bounds
  const account = accountAsked(facts)
  if (typeof account !== 'string') return account
  const dnsNames = dnsNamesAsked(facts, authority)
  if ('state' in dnsNames) return dnsNames
  const spiffeId = identityOf(authority, identity.namespace, account)
  if ('state' in spiffeId) return spiffeId
  const trust = trustOf(facts, authority, now)
  const known = 'problem' in trust ? undefined : trust
  if (!known && !facts.secret)
    return { state: 'waiting', reason: 'TrustOutdated', message: `no Secret can be made: ${(trust as { problem: string }).problem}` }
  return {
    profile: { spiffeId, dnsNames, keyType: identity.spec.certificate.keyType, lifetime: bounds.lifetime },
    generation: signing,
    authority,
    bundle: authority.bundle,
    trust: known,
    formats: identity.spec.delivery.formats,
    renewBefore: identity.spec.certificate.renewBefore,
    profileHash: profileHash(facts, spiffeId),
    renewedFor: renewedFor(facts),
    readiness: readinessWith(facts, trust),
  }
}

/** What is not asked for leaves no trace in the hash, so that a new kind of wish does not make every certificate anew. */
function profileHash({ identity }: IdentityFacts, spiffeId: SpiffeId): Fingerprint {
  const { keyType, lifetime, serviceNames, renewBefore } = identity.spec.certificate
  const { formats, keystorePasswordRef } = identity.spec.delivery
  const keystores = formats.includes('PKCS12') || formats.includes('JKS')
  const more = {
    ...(renewBefore === undefined ? {} : { renewBefore }),
    ...(keystores && keystorePasswordRef ? { keystorePasswordRef } : {}),
  }
  const wishes = [spiffeId.uri, keyType, lifetime ?? 'default', serviceNames, ...(Object.keys(more).length > 0 ? [more] : [])]
  return fingerprintOf(Buffer.from(JSON.stringify(wishes)))
}

/** The schema refuses an account that cannot be one; this one was stored before it did. */
function identityOf(authority: AuthorityFacts, namespace: string, account: string): SpiffeId | Readiness {
  try {
    return workloadId(parseTrustDomain(authority.trustDomain ?? ''), namespace, account)
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    return { state: 'refused', reason: reasonOf(error), message: error.message }
  }
}

function lifetimeAndKey(facts: IdentityFacts, authority: AuthorityFacts, signing: SigningFacts): { lifetime: Duration } | Readiness {
  const { certificate } = facts.identity.spec
  const lifetime = certificate.lifetime ?? authority.leafLifetime
  const longest = Math.min(authority.maxLifetime ?? Number.POSITIVE_INFINITY, signing.longestLeafLifetime ?? Number.POSITIVE_INFINITY)
  if (lifetime < authority.minLifetime || lifetime > longest) {
    const range = `${formatDuration(authority.minLifetime)} to ${formatDuration(longest)}`
    const message = `certificate.lifetime ${formatDuration(lifetime)} is outside ${authority.ref.name}'s bounds: choose ${range}`
    return { state: 'refused', reason: 'LifetimeOutOfBounds', message }
  }
  const early = renewBeforeProblem(certificate.renewBefore, lifetime)
  if (early) return early
  if (authority.keyTypes && !authority.keyTypes.includes(certificate.keyType)) {
    const message = `certificate.keyType ${certificate.keyType} is not among ${authority.ref.name}'s: choose ${authority.keyTypes.join(', ')}`
    return { state: 'refused', reason: 'KeyTypeNotAllowed', message }
  }
  return { lifetime }
}

/** Where the lifetime is the authority's the schema cannot compare. */
function renewBeforeProblem(renewBefore: Duration | undefined, lifetime: Duration): Readiness | undefined {
  if (renewBefore === undefined || (renewBefore * 20 >= lifetime && renewBefore * 20 <= lifetime * 16)) return undefined
  const range = `${formatDuration(Math.ceil(lifetime / 20_000) * 1000)} to ${formatDuration(Math.floor((lifetime * 0.8) / 1000) * 1000)}`
  const message = `certificate.renewBefore ${formatDuration(renewBefore)} is not from 5 % to 80 % of the lifetime ${formatDuration(lifetime)}: choose ${range}`
  return { state: 'refused', reason: 'RenewBeforeOutOfBounds', message }
}

/** The spec decides; else what the pods say; else what was recorded before. */
export function accountAsked(facts: IdentityFacts): string | Readiness {
  const { observedAccounts, recordedAccount, identity } = facts
  if (identity.spec.serviceAccountName !== undefined) return identity.spec.serviceAccountName
  const [observed] = observedAccounts
  if (observedAccounts.length === 1 && observed !== undefined) return observed
  if (recordedAccount !== undefined) return recordedAccount
  if (observedAccounts.length > 1) return { state: 'refused', ...conflict(observedAccounts) }
  const message = 'no pod is selected yet, so there is no service account to take: start a pod, or set spec.serviceAccountName'
  return { state: 'waiting', reason: 'NoServiceAccount', message }
}

function conflict(accounts: readonly string[]): { reason: 'ServiceAccountConflict'; message: string } {
  const message = `the selected pods run under ${accounts.length} service accounts (${accounts.slice(0, 5).join(', ')}): narrow podSelector or set spec.serviceAccountName`
  return { reason: 'ServiceAccountConflict', message }
}

/** Ready, with what people should know all the same. Where pods run under several accounts the recorded one goes on being renewed: a stray Job must not stop a service. */
function readinessWith(facts: IdentityFacts, trust: ReturnType<typeof trustOf>): Readiness {
  const { observedAccounts, identity } = facts
  if (identity.spec.serviceAccountName === undefined && observedAccounts.length > 1) {
    return { state: 'ready', ...conflict(observedAccounts) }
  }
  if ('problem' in trust)
    return { state: 'ready', reason: 'TrustOutdated', message: `${trust.problem}: the anchors in the Secret stay as they are` }
  if (trust.missing.length > 0) {
    const message = `${trust.missing.join(', ')} in spec.trust has published no trust bundle yet: its members are not accepted`
    return { state: 'ready', reason: 'TrustIncomplete', message }
  }
  const [ofPods, ...more] = podNotes(facts)
  if (ofPods) return { state: 'ready', reason: ofPods.reason, message: [ofPods, ...more].map(({ message }) => message).join('; ') }
  if (facts.restartUnavailable) {
    const message = 'spec.restart.onRenewal asks for restarts, and this operator runs without --restart-workloads: nothing is restarted'
    return { state: 'ready', reason: 'RestartNotEnabled', message }
  }
  const request = identity.renewRequestedAt
  const ignored = request !== undefined && parseInstant(request) === undefined
  const note = ignored
    ? `; ${annotations.renewRequestedAt} ${JSON.stringify(request.slice(0, 40))} is ignored: it must be an RFC 3339 time`
    : ''
  return { state: 'ready', reason: 'Current', message: `the certificate is current${note}` }
}

/** The first gives the reason; none hides another. Without counts, which would make each change of them a status at once; status.pods has them. */
function podNotes({
  observedAccounts,
  identity,
  overlap,
}: IdentityFacts): readonly { readonly reason: Reason; readonly message: string }[] {
  const { serviceAccountName } = identity.spec
  const isMismatched = serviceAccountName !== undefined && observedAccounts.some((account) => account !== serviceAccountName)
  const mismatch = `some of the selected pods run under another service account than ${serviceAccountName}: the certificate is not for them, and peers who check identities take them for it`
  const shared = `some of the selected pods are also selected by MutualIdentity ${overlap?.name}, which comes first (by age, then by UID): narrow one of the selectors`
  return [
    ...(isMismatched ? [{ reason: 'PodsMismatched' as const, message: mismatch }] : []),
    ...(overlap ? [{ reason: 'PodsOverlap' as const, message: shared }] : []),
  ]
}

function renewedFor({ identity, secret }: IdentityFacts): string | undefined {
  const request = identity.renewRequestedAt
  if (request !== undefined && parseInstant(request) !== undefined) return request
  return secret && secret !== 'unknown' ? secret.annotations[annotations.renewedFor] : undefined
}
