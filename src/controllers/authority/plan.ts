// What to do about an authority, and why: a pure function over AuthorityFacts and the time.
//
//   no trace at all -> make generation 1, or copy it -> publish its root -> (it signs) ; a CA Secret that vanished is never replaced by a new one

import { authorityText, caSecretName } from '../../api/names.ts'
import { bundleIsCurrent, publishedBundle } from '../../api/stored/bundle.ts'
import { caSecretIsLabelled } from '../../api/stored/ca-secret.ts'
import type { Generation } from '../../api/stored/generations.ts'
import type { Duration } from '../../base/duration.ts'
import { messageOf } from '../../base/errors.ts'
import { formatInstant, type Instant } from '../../base/instant.ts'
import { makeBundle } from '../../pki/bundle.ts'
import type { Certificate } from '../../pki/certificate.ts'
import { parseFingerprint } from '../../pki/fingerprint.ts'
import { parseTrustDomain, type TrustDomain } from '../../pki/trust-domain.ts'
import { verifyIssuers } from '../../pki/verify-chain.ts'
import { heldUntil, reasonOf } from '../readiness.ts'
import { planCopy, sourceNote } from './ca-source.ts'
import { type AuthorityFacts, toldOnly } from './facts.ts'
import { type AuthorityPlan, ROOT_TO_LEAF, stop, type Version } from './plan-step.ts'

type Check = (facts: AuthorityFacts, now: Instant) => AuthorityPlan | undefined

const CHECKS: readonly Check[] = [
  specProblem,
  operatorNamespace,
  trustDomainTaken,
  traceOnlyInStatus,
  firstGeneration,
  keyMissing,
  keyInvalid,
  trustDomainChanged,
  rootExpired,
  rootNotYetValid,
  notActivated,
  recordInvalid,
  publish,
  labelsLost,
]

/** The plan for one authority at `now`. */
export function planAuthority(facts: AuthorityFacts, now: Instant): AuthorityPlan {
  for (const check of CHECKS) {
    const plan = check(facts, now)
    if (plan) return holdBack(plan, facts, now)
  }
  const active = activeOf(facts) as Generation
  const signs = `generation ${active.number} signs until ${formatInstant(active.certificate.notAfter)}`
  const note = sourceNote(facts, active)
  const plan = note ? stop('ready', note.reason, `${signs}; ${note.message}`) : stop('ready', 'Current', signs)
  return { ...plan, next: active.certificate.notAfter }
}

function holdBack(plan: AuthorityPlan, { authority }: AuthorityFacts, now: Instant): AuthorityPlan {
  const nextAttemptAt = heldUntil(authority.status, authority.generation, now)
  if (nextAttemptAt === undefined || plan.step.kind === 'none') return plan
  return { ...plan, step: { kind: 'none' }, held: true, next: nextAttemptAt }
}

function specProblem({ authority }: AuthorityFacts): AuthorityPlan | undefined {
  return authority.problem === undefined ? undefined : stop('refused', 'SpecInvalid', authority.problem)
}

function operatorNamespace({ inOperatorNamespace, authority }: AuthorityFacts): AuthorityPlan | undefined {
  if (!inOperatorNamespace) return undefined
  const message = `namespace ${authority.namespace} is the operator's own and holds CA keys: make the authority in another one`
  return stop('refused', 'OperatorNamespace', message)
}

/** No two authorities of one trust domain sign at once. Who may not have it anyway is not told whose it is. */
function trustDomainTaken({ elder, ...facts }: AuthorityFacts): AuthorityPlan | undefined {
  if (elder === undefined || (facts.secrets.length === 0 && !facts.trustDomainAllowed)) return undefined
  const message = `trust domain ${trustDomainOf(facts)} belongs to ${authorityText(elder)}, which comes first: make an authority with another spec.trustDomain`
  return stop('refused', 'TrustDomainTaken', message)
}

/**
 * The operator's namespace was emptied, and the status still tells of a CA: what it issued is in use. A new one would be refused by everybody who has not
 * heard of it yet, so a person decides. A CA of others that is still there is the same one, and is copied again.
 */
function traceOnlyInStatus(facts: AuthorityFacts): AuthorityPlan | undefined {
  if (facts.secrets.length > 0 || facts.record) return undefined
  const told = toldOnly(facts)
  if (told.length === 0 || told.some(({ fingerprint }) => fingerprint === facts.source?.root?.fingerprint)) return undefined
  const message =
    `the status tells of generation ${told.map(({ number }) => number).join(', ')}, and neither its CA Secret nor the published bundle is in namespace ${facts.operatorNamespace}, the operator's own: restore both from a backup. ` +
    `What was issued stays in use, nothing new is issued. ${startOver('this authority')}`
  return stop('refused', 'CAKeyMissing', message)
}

/** The record and the status both tell of the CA that was: a new one is made once neither does. */
const startOver = (traces: string): string =>
  `(To start over with a new CA, delete ${traces}, and make the authority again, which the operator does by itself for default alone and only when it starts: peers then refuse each other until both have a new certificate.)`

/** First creation is only when no trace of an earlier generation exists. */
function firstGeneration(facts: AuthorityFacts, now: Instant): AuthorityPlan | undefined {
  if (facts.secrets.length > 0 || facts.record) return undefined
  const trustDomain = firstTrustDomain(facts)
  if (typeof trustDomain !== 'string') return trustDomain
  const { backEnd } = facts.authority.spec
  if (backEnd.kind === 'caSecret') return planCopy(facts, backEnd.name, trustDomain, now)
  const { keyType, rootLifetime } = backEnd
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

/** Whether a tenant may have a trust domain is asked once: afterwards it is recorded, whatever the operator's flags say later. */
function firstTrustDomain(facts: AuthorityFacts): TrustDomain | AuthorityPlan {
  const { trustDomainAllowed, standardTrustDomain, authority } = facts
  if (trustDomainAllowed) return validTrustDomain(trustDomainOf(facts))
  const message =
    `spec.trustDomain ${authority.spec.trustDomain} is not the namespace's: leave it out (then it is ${standardTrustDomain}), ` +
    'or have the operator started with it in --namespaced-trust-domains'
  return stop('refused', 'TrustDomainNotAllowed', message)
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
    `a trust bundle was published but CA Secret ${secretName} is gone from namespace ${facts.operatorNamespace}, the operator's own: restore it from a backup. ` +
    `What was issued stays trusted, nothing new is issued. ${startOver(`ConfigMap ${facts.record?.namespace}/${facts.record?.name} and this authority`)}`
  return { ...stop('refused', 'CAKeyMissing', message), step: { kind: 'findGeneration', secretName } }
}

function keyInvalid(facts: AuthorityFacts): AuthorityPlan | undefined {
  const broken = facts.secrets.find((secret) => secret.problem !== undefined)
  if (broken) return invalid(broken.name, broken.problem ?? '')
  const known = new Set(facts.record?.bundle?.anchors.map((anchor) => anchor.fingerprint))
  const stranger = known.size > 0 ? facts.generations.find((generation) => !known.has(generation.root.fingerprint)) : undefined
  if (stranger) return invalid(stranger.secret.name, 'it holds another certificate than the root that was published')
  const rootless = facts.generations.find(({ root, secret }) => !root.selfSigned || !verifyIssuers([...secret.intermediates, root]).ok)
  return rootless && invalid(rootless.secret.name, 'its certificate is not a CA under a root of its own')
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
  // What is no fingerprint proves nothing: then the text as it stands does.
  const published = parseFingerprint(record.recordedFingerprint ?? '') ?? record.fingerprint
  if (fingerprint === published) return undefined
  const message =
    `ConfigMap ${record.name} cannot be believed (${record.problem}) and the CA Secrets do not give the bundle that was published: ` +
    'restore one of them from a backup; until then nothing is issued and the copies stay'
  return stop('refused', 'BundleRecordInvalid', message)
}

/** Active root first. A root is in the published bundle before its key signs. */
function publish(facts: AuthorityFacts, now: Instant): AuthorityPlan | undefined {
  const { record, ref } = facts
  const wanted = makeBundle(wantedAnchors(facts, now), now)
  const bundle = publishedBundle(wanted, trustDomainOf(facts), sequenceOf(facts, wanted.fingerprint, now))
  if (record && bundleIsCurrent(record, ref, bundle)) return undefined
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

/** Grows with each bundle, also where the record of the former ones was lost: then the time is ahead of what was counted. */
function sequenceOf({ record }: AuthorityFacts, fingerprint: string, now: Instant): number {
  if (record && record.sequence > 0 && record.recordedFingerprint === fingerprint) return record.sequence
  return Math.max((record?.sequence ?? 0) + 1, Math.floor(now / 1000))
}

/** People and backups find CA Secrets by these. */
function labelsLost({ secrets }: AuthorityFacts): AuthorityPlan | undefined {
  const bare = secrets.find((secret) => !caSecretIsLabelled(secret))
  if (!bare) return undefined
  const message = `CA Secret ${bare.name} lost a label`
  return {
    step: { kind: 'findGeneration', secretName: bare.name },
    reason: 'MetadataChanged',
    message,
    readiness: { state: 'ready', reason: 'Current', message },
    held: false,
    next: undefined,
  }
}

/** The roots of all generations; and those published before whose CA Secret is gone, because what they signed may still be in use. */
function wantedAnchors({ generations, record }: AuthorityFacts, now: Instant): Certificate[] {
  const rank = { Active: 0, Prepared: 1, Retiring: 2 } as const
  const roots = [...generations].sort((a, b) => rank[a.state] - rank[b.state] || b.number - a.number).map(({ root }) => root)
  const known = new Set(roots.map((root) => root.fingerprint))
  const orphans = record?.bundle?.anchors.filter((anchor) => !known.has(anchor.fingerprint) && anchor.notAfter > now) ?? []
  return [...roots, ...orphans]
}

function trustDomainOf(facts: Pick<AuthorityFacts, 'authority' | 'standardTrustDomain'> & Partial<AuthorityFacts>): string {
  return facts.secrets?.[0]?.trustDomain || facts.authority.spec.trustDomain || facts.standardTrustDomain
}

function activeOf({ generations }: AuthorityFacts): Generation | undefined {
  return generations.find((generation) => generation.state === 'Active')
}
