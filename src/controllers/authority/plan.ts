// What to do about a self-managed authority, and why: a pure function over AuthorityFacts and the time.
//
//   no trace at all -> make generation 1 -> publish its root -> (it signs) ; a CA Secret that vanished is never replaced by a new one

import { caSecretName } from '../../api/names.ts'
import type { Reason } from '../../api/reason.ts'
import { bundleIsCurrent } from '../../api/stored/bundle.ts'
import type { Generation } from '../../api/stored/generations.ts'
import type { Duration } from '../../base/duration.ts'
import { messageOf } from '../../base/errors.ts'
import { formatInstant, type Instant } from '../../base/instant.ts'
import { makeBundle, type TrustBundle } from '../../pki/bundle.ts'
import type { Certificate } from '../../pki/certificate.ts'
import type { RootProfile } from '../../pki/profile.ts'
import { parseTrustDomain, type TrustDomain } from '../../pki/trust-domain.ts'
import { checkCA } from '../../pki/verify-chain.ts'
import { heldUntil, type Readiness, reasonOf } from '../readiness.ts'
import type { AuthorityFacts } from './facts.ts'

/** A version of an object that a write replaces. */
export interface Version {
  readonly uid: string
  readonly resourceVersion: string
}

export type AuthorityStep =
  | { readonly kind: 'none' }
  | { readonly kind: 'createGeneration'; readonly profile: RootProfile; readonly longestLeafLifetime: Duration }
  /** The cache shows no CA Secret where there must be one: looked for by name, and given its labels back. */
  | { readonly kind: 'findGeneration'; readonly secretName: string }
  | { readonly kind: 'activate'; readonly secretName: string; readonly version: Version }
  | { readonly kind: 'publish'; readonly bundle: TrustBundle; readonly replaces: Version | undefined }
  | { readonly kind: 'deleteRecord'; readonly version: Version }

export interface AuthorityPlan {
  readonly step: AuthorityStep
  readonly reason: Reason
  readonly message: string
  readonly readiness: Readiness
  /** A failure's next attempt has not come yet: nothing is done, and what people were told stays. */
  readonly held: boolean
  readonly next: Instant | undefined
}

/** A leaf may last a sixth of its root at most: the rest is for rotating the root. */
const ROOT_TO_LEAF = 6

type Check = (facts: AuthorityFacts, now: Instant) => AuthorityPlan | undefined

const CHECKS: readonly Check[] = [
  specProblem,
  trustDomainTaken,
  firstGeneration,
  keyMissing,
  keyInvalid,
  trustDomainChanged,
  rootExpired,
  rootNotYetValid,
  notActivated,
  recordInvalid,
  publish,
]

/** The plan for one authority at `now`. */
export function planAuthority(facts: AuthorityFacts, now: Instant): AuthorityPlan {
  for (const check of CHECKS) {
    const plan = check(facts, now)
    if (plan) return holdBack(plan, facts, now)
  }
  const active = activeOf(facts) as Generation
  const message = `generation ${active.number} signs until ${formatInstant(active.certificate.notAfter)}`
  return { ...stop('ready', 'Current', message), next: active.certificate.notAfter }
}

function holdBack(plan: AuthorityPlan, { authority }: AuthorityFacts, now: Instant): AuthorityPlan {
  const nextAttemptAt = heldUntil(authority.status, authority.generation, now)
  if (nextAttemptAt === undefined || plan.step.kind === 'none') return plan
  return { ...plan, step: { kind: 'none' }, held: true, next: nextAttemptAt }
}

function specProblem({ authority }: AuthorityFacts): AuthorityPlan | undefined {
  return authority.problem === undefined ? undefined : stop('refused', 'SpecInvalid', authority.problem)
}

/** No two authorities of one trust domain sign at once. */
function trustDomainTaken({ elder, ...facts }: AuthorityFacts): AuthorityPlan | undefined {
  if (elder === undefined) return undefined
  const message = `trust domain ${trustDomainOf(facts)} belongs to ClusterMutualAuthority ${elder}, which is older: set another spec.trustDomain`
  return stop('refused', 'TrustDomainTaken', message)
}

/** First creation is only when no trace of an earlier generation exists in the operator's namespace. */
function firstGeneration({ secrets, record, ...facts }: AuthorityFacts): AuthorityPlan | undefined {
  if (secrets.length > 0 || record) return undefined
  const trustDomain = validTrustDomain(trustDomainOf(facts))
  if (typeof trustDomain !== 'string') return trustDomain
  const { keyType, rootLifetime } = facts.authority.spec.selfManaged
  const profile = { trustDomain, generation: 1, keyType, lifetime: rootLifetime }
  const message = `there is no trace of an earlier generation: generation 1 is made for trust domain ${trustDomain}`
  return {
    step: { kind: 'createGeneration', profile, longestLeafLifetime: Math.floor(rootLifetime / ROOT_TO_LEAF) as Duration },
    reason: 'GenerationCreated',
    message,
    readiness: { state: 'waiting', reason: 'GenerationCreated', message },
    held: false,
    next: undefined,
  }
}

/** The schema refuses an invalid one; this one was stored before the schema did. */
function validTrustDomain(text: string): TrustDomain | AuthorityPlan {
  try {
    return parseTrustDomain(text)
  } catch (error) {
    return stop('refused', reasonOf(error), messageOf(error))
  }
}

/** A root was published and its CA Secret is gone. What was issued stays trusted; a new CA is never made behind people's backs. */
function keyMissing(facts: AuthorityFacts): AuthorityPlan | undefined {
  if (facts.secrets.length > 0) return undefined
  const secretName = caSecretName(facts.ref, 1)
  const message =
    `a trust bundle was published but CA Secret ${secretName} is gone: restore it from a backup. ` +
    `What was issued stays trusted, nothing new is issued. (To start over with a new CA, delete ConfigMap ${facts.record?.name} too.)`
  return { ...stop('refused', 'CAKeyMissing', message), step: { kind: 'findGeneration', secretName } }
}

function keyInvalid(facts: AuthorityFacts): AuthorityPlan | undefined {
  const broken = facts.secrets.find((secret) => secret.problem !== undefined)
  if (broken) return invalid(broken.name, broken.problem ?? '')
  const known = new Set(facts.record?.bundle?.anchors.map((anchor) => anchor.fingerprint))
  const stranger = known.size > 0 ? facts.generations.find((generation) => !known.has(generation.certificate.fingerprint)) : undefined
  if (stranger) return invalid(stranger.secret.name, 'it holds another certificate than the root that was published')
  const rootless = facts.generations.find(({ certificate }) => !certificate.selfSigned || !checkCA(certificate, 0).ok)
  return rootless && invalid(rootless.secret.name, 'its certificate is not the root of a CA')
}

function invalid(name: string, detail: string): AuthorityPlan {
  const message = `CA Secret ${name} cannot be used: ${detail}. Restore it from a backup; until then nothing is issued and the bundle stays`
  return stop('refused', 'CAKeyInvalid', message)
}

function trustDomainChanged(facts: AuthorityFacts): AuthorityPlan | undefined {
  const { trustDomain } = facts.authority.spec
  const recorded = facts.secrets[0]?.trustDomain
  if (trustDomain === undefined || trustDomain === recorded) return undefined
  const message = `spec.trustDomain is ${trustDomain} but the CA was made for ${recorded}: a trust domain cannot be changed; make another authority`
  return stop('refused', 'TrustDomainChanged', message)
}

function rootExpired(facts: AuthorityFacts, now: Instant): AuthorityPlan | undefined {
  const newest = activeOf(facts) ?? facts.generations.at(-1)
  if (!newest || newest.certificate.notAfter > now) return undefined
  const message = `the root of generation ${newest.number} expired at ${formatInstant(newest.certificate.notAfter)}: nothing can be issued`
  return stop('refused', 'CAExpired', message)
}

/** Our clock is behind the one that made it. */
function rootNotYetValid(facts: AuthorityFacts, now: Instant): AuthorityPlan | undefined {
  const active = activeOf(facts)
  if (!active || active.certificate.notBefore <= now) return undefined
  const message = `the root of generation ${active.number} begins at ${formatInstant(active.certificate.notBefore)} only: check this machine's clock`
  return { ...stop('waiting', 'CANotYetValid', message), next: active.certificate.notBefore }
}

/** Somebody took the annotation away: with one generation there is no doubt which one signs. */
function notActivated(facts: AuthorityFacts): AuthorityPlan | undefined {
  const [only] = facts.generations
  if (activeOf(facts) || !only) return undefined
  const { uid, resourceVersion, name } = only.secret
  const message = `generation ${only.number} was not marked active`
  return {
    step: { kind: 'activate', secretName: name, version: { uid, resourceVersion } },
    reason: 'GenerationActivated',
    message,
    readiness: { state: 'waiting', reason: 'GenerationActivated', message },
    held: false,
    next: undefined,
  }
}

/** An edited record is made again only from generations that give the very text that was published: else an edit and a swapped CA together become trust. */
function recordInvalid(facts: AuthorityFacts, now: Instant): AuthorityPlan | undefined {
  const { record } = facts
  if (!record || record.bundle) return undefined
  const { fingerprint } = makeBundle(wantedAnchors(facts, now), now)
  if (fingerprint === record.recordedFingerprint || fingerprint === record.fingerprint) return undefined
  const message =
    `ConfigMap ${record.name} cannot be believed (${record.problem}) and the CA Secrets do not give the bundle that was published: ` +
    'restore one of them from a backup; until then nothing is issued and the copies stay'
  return stop('refused', 'BundleRecordInvalid', message)
}

/** Active root first. A root is in the published bundle before its key signs. */
function publish(facts: AuthorityFacts, now: Instant): AuthorityPlan | undefined {
  const { record, ref } = facts
  const bundle = makeBundle(wantedAnchors(facts, now), now)
  if (record && bundleIsCurrent(record, ref, bundle.fingerprint)) return undefined
  const version = record && { uid: record.uid, resourceVersion: record.resourceVersion }
  const message = record
    ? `the published bundle is repaired: ${record.problem ?? 'it differs from the generations'}`
    : 'the first bundle is published'
  const readiness = { state: 'waiting', reason: 'BundlePublished', message } as const
  const shared = { reason: 'BundlePublished', message, readiness, held: false, next: undefined } as const
  if (record?.immutable && record.terminating)
    return stop('refused', 'RecordTerminating', `ConfigMap ${record.name} must be made again and finalizers hold it: remove them`)
  if (record?.immutable) return { step: { kind: 'deleteRecord', version: version as Version }, ...shared }
  return { step: { kind: 'publish', bundle, replaces: version }, ...shared }
}

/** The roots of all generations; and those published before whose CA Secret is gone, because what they signed may still be in use. */
function wantedAnchors({ generations, record }: AuthorityFacts, now: Instant): Certificate[] {
  const rank = { Active: 0, Prepared: 1, Retiring: 2 } as const
  const roots = [...generations].sort((a, b) => rank[a.state] - rank[b.state] || b.number - a.number).map(({ certificate }) => certificate)
  const known = new Set(roots.map((root) => root.fingerprint))
  const orphans = record?.bundle?.anchors.filter((anchor) => !known.has(anchor.fingerprint) && anchor.notAfter > now) ?? []
  return [...roots, ...orphans]
}

function trustDomainOf({
  secrets,
  authority,
  defaultTrustDomain,
}: Pick<AuthorityFacts, 'authority' | 'defaultTrustDomain'> & Partial<AuthorityFacts>): string {
  return secrets?.[0]?.trustDomain || authority.spec.trustDomain || defaultTrustDomain
}

function activeOf({ generations }: AuthorityFacts): Generation | undefined {
  return generations.find((generation) => generation.state === 'Active')
}

function stop(state: Readiness['state'], reason: Reason, message: string): AuthorityPlan {
  return { step: { kind: 'none' }, reason, message, readiness: { state, reason, message }, held: false, next: undefined }
}
