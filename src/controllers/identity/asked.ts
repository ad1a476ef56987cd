// What an identity asks for, resolved against its authority: account, names, lifetime, key. Or why it cannot be resolved. Pure.

import { annotations } from '../../api/names.ts'
import { type Duration, formatDuration } from '../../base/duration.ts'
import { OperatorError } from '../../base/errors.ts'
import { parseInstant } from '../../base/instant.ts'
import type { TrustBundle } from '../../pki/bundle.ts'
import type { Fingerprint } from '../../pki/fingerprint.ts'
import { fingerprintOf } from '../../pki/fingerprint.ts'
import type { LeafProfile } from '../../pki/profile.ts'
import { type SpiffeId, workloadId } from '../../pki/spiffe-id.ts'
import { parseTrustDomain } from '../../pki/trust-domain.ts'
import type { AuthorityFacts, SigningFacts } from '../authority-facts.ts'
import { type Readiness, reasonOf } from '../readiness.ts'
import type { IdentityFacts } from './facts.ts'

/** Names in one certificate at most: beyond it TLS handshakes grow past what servers take in one flight many times over. */
const MAX_DNS_NAMES = 400

/** A request that may be signed. */
export interface Asked {
  readonly profile: LeafProfile
  readonly generation: SigningFacts
  readonly authority: AuthorityFacts
  readonly bundle: TrustBundle
  /** Of what was asked for, never of what was clipped to the issuer's end; without DNS names, whose changes are judged by themselves. */
  readonly profileHash: Fingerprint
  /** The value of the annotation that asks for a renewal, when it is well-formed. */
  readonly renewedFor: string | undefined
  /** How the identity stands when it has this certificate. */
  readonly readiness: Readiness
}

/** Resolves; a Readiness says what stops it. Call after the admission checks. */
export function askedFor(facts: IdentityFacts): Asked | Readiness {
  const { identity, authority } = facts
  const signing = authority?.signing
  if (!authority?.bundle || !signing) throw new Error('askedFor is called with an authority that signs')
  const bounds = lifetimeAndKey(facts, authority, signing)
  if ('state' in bounds) return bounds
  const account = serviceAccount(facts)
  if (typeof account !== 'string') return account
  if (facts.serviceDnsNames.length > MAX_DNS_NAMES) return tooManyNames(facts.serviceDnsNames.length)
  const { keyType, serviceNames, lifetime: lifetimeAsked } = identity.spec.certificate
  const spiffeId = identityOf(facts, account)
  if ('state' in spiffeId) return spiffeId
  return {
    profile: { spiffeId, dnsNames: facts.serviceDnsNames, keyType, lifetime: bounds.lifetime },
    generation: signing,
    authority,
    bundle: authority.bundle,
    profileHash: fingerprintOf(Buffer.from(JSON.stringify([spiffeId.uri, keyType, lifetimeAsked ?? 'default', serviceNames]))),
    renewedFor: renewedFor(facts),
    readiness: readinessWith(facts),
  }
}

/** The schema refuses an account that cannot be one; this one was stored before it did. */
function identityOf({ authority, identity }: IdentityFacts, account: string): SpiffeId | Readiness {
  try {
    return workloadId(parseTrustDomain(authority?.trustDomain ?? ''), identity.namespace, account)
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
  if (authority.keyTypes && !authority.keyTypes.includes(certificate.keyType)) {
    const message = `certificate.keyType ${certificate.keyType} is not among ${authority.ref.name}'s: choose ${authority.keyTypes.join(', ')}`
    return { state: 'refused', reason: 'KeyTypeNotAllowed', message }
  }
  return { lifetime }
}

/** The spec decides; else what the pods say; else what was recorded before. */
function serviceAccount(facts: IdentityFacts): string | Readiness {
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

/** Ready; where pods run under several accounts the recorded one goes on being renewed (a stray Job must not stop a service), and the reason says so. */
function readinessWith(facts: IdentityFacts): Readiness {
  const { observedAccounts, identity } = facts
  if (identity.spec.serviceAccountName === undefined && observedAccounts.length > 1) {
    return { state: 'ready', ...conflict(observedAccounts) }
  }
  const request = identity.renewRequestedAt
  const ignored = request !== undefined && parseInstant(request) === undefined
  const note = ignored
    ? `; ${annotations.renewRequestedAt} ${JSON.stringify(request.slice(0, 40))} is ignored: it must be an RFC 3339 time`
    : ''
  return { state: 'ready', reason: 'Current', message: `the certificate is current${note}` }
}

function renewedFor({ identity, secret }: IdentityFacts): string | undefined {
  const request = identity.renewRequestedAt
  if (request !== undefined && parseInstant(request) !== undefined) return request
  return secret && secret !== 'unknown' ? secret.annotations[annotations.renewedFor] : undefined
}

function tooManyNames(count: number): Readiness {
  const message = `${count} DNS names of Services are more than the ${MAX_DNS_NAMES} one certificate may hold: narrow podSelector or set certificate.serviceNames to None`
  return { state: 'refused', reason: 'TooManyNames', message }
}
