// What to do about an identity, and why: a pure function over IdentityFacts and the time. Ordered small checks, the first that fires decides.
// The controller performs the plan, explain prints it. No IO, no clock, no randomness here.
//
//   who may not be served -> which authority -> which account -> what is asked for -> is the present leaf still right -> is the Secret tidy

import type { Format } from '../../api/mutual-identity.ts'
import type { AuthorityRef } from '../../api/names.ts'
import type { Reason } from '../../api/reason.ts'
import { LEAF_SECRET_TYPE } from '../../api/stored/leaf-secret.ts'
import { type Duration, hours } from '../../base/duration.ts'
import { formatInstant, type Instant } from '../../base/instant.ts'
import type { GenerationRef } from '../../issuers/issuer.ts'
import type { TrustBundle } from '../../pki/bundle.ts'
import type { Fingerprint } from '../../pki/fingerprint.ts'
import type { LeafProfile } from '../../pki/profile.ts'
import { heldUntil, type Readiness } from '../readiness.ts'
import { admissionChecks } from './admission.ts'
import { type Asked, askedFor } from './asked.ts'
import type { FormerSecret, IdentityFacts, SecretFacts } from './facts.ts'
import { checkLeaf, nextRenewal } from './leaf-checks.ts'
import { ownershipOf, servingSecret } from './ownership.ts'
import { heldBySwitch } from './switching/switch-gate.ts'
import { OUTDATED, type SecretPatch, tidySecret, trustPatch } from './tidy.ts'
import { trustOf } from './trust/present-trust.ts'
import type { Trust } from './trust/trust.ts'

/** The version of a Secret that a write replaces. */
export interface SecretVersion {
  readonly uid: string
  readonly resourceVersion: string
}

/** One issuance and one write, or one write, or nothing. */
export type IdentityStep =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'issue'
      readonly secretName: string
      /** Undefined: create; else replace exactly this version. */
      readonly replaces: SecretVersion | undefined
      readonly profile: LeafProfile
      readonly authority: AuthorityRef
      readonly generation: GenerationRef
      /** Of the authority: what is issued must verify to it. */
      readonly bundle: TrustBundle
      readonly renewBefore: Duration | undefined
      readonly profileHash: Fingerprint
      readonly renewedFor: string | undefined
      /** Undefined: what the Secret holds of anchors stays. */
      readonly trust: Trust | undefined
      readonly formats: readonly Format[]
    }
  | { readonly kind: 'update'; readonly secretName: string; readonly version: SecretVersion; readonly patch: SecretPatch }
  | { readonly kind: 'delete'; readonly secretName: string; readonly version: SecretVersion }

export interface IdentityPlan {
  readonly step: IdentityStep
  /** Why this step. */
  readonly reason: Reason
  readonly message: string
  /** How the identity stands once the step is done. */
  readonly readiness: Readiness
  /** A failure's next attempt has not come yet: nothing is done, and what people were told stays. */
  readonly held: boolean
  /** When to look again without an event. */
  readonly next: Instant | undefined
}

/** The plan for one identity at `now`. */
export function planIdentity(facts: IdentityFacts, now: Instant): IdentityPlan {
  const plan = planAttempt(facts, now)
  const nextAttemptAt = heldUntil(facts.identity.status, facts.identity.generation, now)
  if (nextAttemptAt === undefined || plan.step.kind === 'none') return plan
  return { ...plan, step: { kind: 'none' }, held: true, next: nextAttemptAt }
}

/** The plan as if nothing had failed before. */
function planAttempt(facts: IdentityFacts, now: Instant): IdentityPlan {
  const stopped = admissionChecks(facts)
  if (stopped) return idle(facts, stopped, now)
  if (facts.unknown.length > 0) return unknownFacts(facts)
  const foreign = notOwned(facts)
  if (foreign) return nothing(foreign.reason, foreign.message, foreign)
  const held = heldBySwitch(facts, now)
  return held ? planHeld(facts, held, now) : planServed(facts, now)
}

/** The old authority goes on until the peers accept the new one. */
function planHeld(facts: IdentityFacts, held: Readiness & { readonly next: Instant }, now: Instant): IdentityPlan {
  const byOld = { ...facts, authority: facts.switching?.from }
  const { next, ...waiting } = held
  // What the new one will never give is said at once, not after the wait.
  const readiness = refusedByNew(facts, now) ?? waiting
  const stopped = admissionChecks(byOld)
  if (stopped) return { ...idle(byOld, readiness, now), next }
  const plan = planServed(byOld, now)
  return {
    ...plan,
    ...(plan.step.kind === 'none' ? { reason: readiness.reason, message: readiness.message } : {}),
    readiness,
    next: Math.min(plan.next ?? next, next),
  }
}

function refusedByNew(facts: IdentityFacts, now: Instant): Readiness | undefined {
  const { authority } = facts
  const asked = authority?.signing && authority.bundle ? askedFor(facts, now) : undefined
  return asked && 'state' in asked && asked.state === 'refused' ? asked : undefined
}

function planServed(facts: IdentityFacts, now: Instant): IdentityPlan {
  const asked = askedFor(facts, now)
  if ('state' in asked) return idle(facts, asked, now)
  return facts.secret === 'unknown' ? unknownSecret(facts) : planWork(facts, facts.secret, asked, now)
}

function planWork(facts: IdentityFacts, secret: SecretFacts | undefined, asked: Asked, now: Instant): IdentityPlan {
  const finding = checkLeaf(secret, asked, now)
  if (!finding) return tidy(facts, secret as SecretFacts, asked, now)
  if (secret && mustBeRecreated(secret)) return recreate(facts, secret)
  return {
    step: {
      kind: 'issue',
      secretName: facts.identity.spec.delivery.secretName,
      replaces: secret && { uid: secret.uid, resourceVersion: secret.resourceVersion },
      profile: asked.profile,
      authority: asked.authority.ref,
      generation: asked.generation,
      bundle: asked.bundle,
      renewBefore: asked.renewBefore,
      profileHash: asked.profileHash,
      renewedFor: asked.renewedFor,
      trust: asked.trust,
      formats: asked.formats,
    },
    reason: finding.reason,
    message: finding.message,
    readiness: asked.readiness,
    held: false,
    next: afterwards(facts, asked, now),
  }
}

/** What comes of itself after a write: a former Secret waits for its turn, a former authority for its end. */
function afterwards({ formerSecrets }: IdentityFacts, { trust }: Asked, now: Instant): Instant | undefined {
  return formerSecrets.length > 0 ? now : trust?.next
}

/** The leaf is right: what is left is the Secret around it. */
function tidy(facts: IdentityFacts, secret: SecretFacts, asked: Asked, now: Instant): IdentityPlan {
  const next = earliest(nextRenewal(secret, asked), asked.trust?.next)
  const untidy = tidySecret(facts.identity, secret, asked, now)
  // An immutable Secret that is right serves until something must change; one of another type is not what programs look for.
  if (secret.type !== LEAF_SECRET_TYPE) return recreate(facts, secret)
  if (!untidy) return formerSecret(facts, secret, asked, next, now)
  if (mustBeRecreated(secret)) return recreate(facts, secret)
  return {
    step: {
      kind: 'update',
      secretName: secret.name,
      version: { uid: secret.uid, resourceVersion: secret.resourceVersion },
      patch: untidy.patch,
    },
    reason: untidy.reason,
    message: untidy.message,
    readiness: asked.readiness,
    held: false,
    next: earliest(next, afterwards(facts, asked, now)),
  }
}

/** Pods that still mount the old Secret must be replaced, which takes people's time; a certificate that has ended helps nobody. */
const FORMER_GRACE = hours(24)

/** All is right; what is left is a Secret under a former name. */
function formerSecret(
  facts: IdentityFacts,
  secret: SecretFacts,
  { readiness }: Asked,
  next: Instant | undefined,
  now: Instant,
): IdentityPlan {
  const [former] = facts.formerSecrets.filter(({ terminating }) => !terminating)
  const plan = { ...nothing(readiness.reason, readiness.message, readiness), next }
  if (!former) return plan
  const until = graceEnd(former, secret)
  if (until > now) {
    const kept = `Secret ${former.name}, its former one, goes at ${formatInstant(until)}`
    return { ...plan, readiness: { ...readiness, message: `${readiness.message}; ${kept}` }, next: earliest(next, until) }
  }
  const message = `Secret ${former.name} had this identity's certificate before Secret ${secret.name} took its place`
  const step = { kind: 'delete', secretName: former.name, version: { uid: former.uid, resourceVersion: former.resourceVersion } } as const
  return { ...plan, step, reason: 'FormerSecretRemoved', message }
}

/** From when the later of the two was made: back to the old name during the grace, it is the former one that is new, and pods may mount it by now. */
function graceEnd(former: FormerSecret, secret: SecretFacts): Instant {
  const since = Math.max(former.createdAt, secret.createdAt)
  return Math.min(former.notAfter ?? since, since + FORMER_GRACE)
}

function earliest(...instants: readonly (Instant | undefined)[]): Instant | undefined {
  const known = instants.filter((instant) => instant !== undefined)
  return known.length > 0 ? Math.min(...known) : undefined
}

/** Neither the type nor anything of an immutable Secret can be changed in place. */
function mustBeRecreated(secret: SecretFacts): boolean {
  return secret.immutable || secret.type !== LEAF_SECRET_TYPE
}

/** In the cache and yet somebody else's. What the cache does not show is found out by the create (perform.ts). */
function notOwned({ secret, identity }: IdentityFacts): Readiness | undefined {
  if (!secret || secret === 'unknown' || ownershipOf(secret, identity) !== 'foreign') return undefined
  const whose = secret.foreignController ?? (secret.owner ? `MutualIdentity ${secret.owner.name}` : 'nobody we know')
  const remedy = 'choose another spec.delivery.secretName, or delete that Secret if nobody needs it'
  const message = `Secret ${secret.name} exists and belongs to ${whose}, not to this identity: ${remedy}`
  return { state: 'refused', reason: 'SecretNotOwned', message }
}

function recreate({ identity }: IdentityFacts, secret: SecretFacts): IdentityPlan {
  if (secret.terminating) {
    const held = `Secret ${secret.name} must be made again and finalizers hold it: remove them from its metadata`
    return nothing('SecretTerminating', held, { state: 'refused', reason: 'SecretTerminating', message: held })
  }
  if (ownershipOf(secret, identity) !== 'own') {
    const kept = `Secret ${secret.name} must be made again, but it has lost its owner and is not deleted for that: delete it`
    return nothing('SecretNotOwned', kept, { state: 'refused', reason: 'SecretNotOwned', message: kept })
  }
  const what = secret.immutable ? 'is immutable' : `has type ${secret.type}`
  const message = `Secret ${secret.name} is ours but ${what}: it is deleted and made again`
  return {
    step: { kind: 'delete', secretName: secret.name, version: { uid: secret.uid, resourceVersion: secret.resourceVersion } },
    reason: 'SecretRecreated',
    message,
    readiness: { state: 'waiting', reason: 'SecretRecreated', message },
    held: false,
    next: undefined,
  }
}

/** Nothing can be issued. The last good certificate stays, and its anchors go on being kept in sync. */
function idle(facts: IdentityFacts, stopped: Readiness, now: Instant): IdentityPlan {
  const secret = servingSecret(facts)
  if (!secret || facts.namespaceTerminating || facts.inOperatorNamespace) return nothing(stopped.reason, stopped.message, stopped)
  const readiness = { ...stopped, message: `${stopped.message}. The present certificate stays` }
  const present = facts.switching?.from ?? facts.authority
  // Whose policy does not allow the namespace is not trusted for having been named.
  const trusted = stopped.reason === 'NamespaceNotAllowed' ? { ...facts, switching: undefined } : facts
  const trust = present && trustOf(trusted, present, now)
  const patch = trust && !('problem' in trust) && !secret.immutable ? trustPatch(secret, trust, now) : undefined
  if (!patch) return nothing(readiness.reason, readiness.message, readiness)
  const version = { uid: secret.uid, resourceVersion: secret.resourceVersion }
  const step = { kind: 'update', secretName: secret.name, version, patch } as const
  return { step, reason: 'BundleOutdated', message: OUTDATED, readiness, held: false, next: undefined }
}

function unknownFacts({ unknown }: IdentityFacts): IdentityPlan {
  const message = `${unknown.join(' and ')} may not be read by this account, so the step depends on what they show`
  return nothing('FactsUnknown', message, { state: 'waiting', reason: 'FactsUnknown', message })
}

function unknownSecret(facts: IdentityFacts): IdentityPlan {
  const message = `Secret ${facts.identity.spec.delivery.secretName} may not be read by this account, so the step depends on what it holds`
  return nothing('SecretUnknown', message, { state: 'waiting', reason: 'SecretUnknown', message })
}

function nothing(reason: Reason, message: string, readiness: Readiness): IdentityPlan {
  return { step: { kind: 'none' }, reason, message, readiness, held: false, next: undefined }
}
