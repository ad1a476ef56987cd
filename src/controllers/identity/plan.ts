// What to do about an identity, and why: a pure function over IdentityFacts and the time. Ordered small checks, the first that fires decides.
// The controller performs the plan, explain prints it. No IO, no clock, no randomness here.
//
//   who may not be served -> which authority -> which account -> what is asked for -> is the present leaf still right -> is the Secret tidy

import { leafSecretName } from '../../api/names.ts'
import type { Reason } from '../../api/reason.ts'
import { LEAF_SECRET_TYPE } from '../../api/stored/leaf-secret.ts'
import type { Instant } from '../../base/instant.ts'
import type { GenerationRef } from '../../issuers/issuer.ts'
import type { Fingerprint } from '../../pki/fingerprint.ts'
import type { LeafProfile } from '../../pki/profile.ts'
import { heldUntil, type Readiness } from '../readiness.ts'
import { admissionChecks } from './admission.ts'
import { type Asked, askedFor } from './asked.ts'
import type { IdentityFacts, SecretFacts } from './facts.ts'
import { checkLeaf, currentRenewAt } from './leaf-checks.ts'
import { ownershipOf, servingSecret } from './ownership.ts'
import { bundlePatch, type SecretPatch, tidySecret } from './tidy.ts'

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
      readonly generation: GenerationRef
      readonly profileHash: Fingerprint
      readonly renewedFor: string | undefined
      readonly bundle: { readonly text: string; readonly fingerprint: Fingerprint }
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
  if (stopped) return idle(facts, stopped)
  if (facts.unknown.length > 0) return unknownFacts(facts)
  const foreign = notOwned(facts)
  if (foreign) return nothing(foreign.reason, foreign.message, foreign)
  const asked = askedFor(facts)
  if ('state' in asked) return idle(facts, asked)
  return facts.secret === 'unknown' ? unknownSecret(facts) : planWork(facts, facts.secret, asked, now)
}

function planWork(facts: IdentityFacts, secret: SecretFacts | undefined, asked: Asked, now: Instant): IdentityPlan {
  const finding = checkLeaf(secret, asked, now)
  if (!finding) return tidy(facts, secret as SecretFacts, asked)
  if (secret && mustBeRecreated(secret)) return recreate(facts, secret)
  return {
    step: {
      kind: 'issue',
      secretName: leafSecretName(facts.identity.name),
      replaces: secret && { uid: secret.uid, resourceVersion: secret.resourceVersion },
      profile: asked.profile,
      generation: asked.generation,
      profileHash: asked.profileHash,
      renewedFor: asked.renewedFor,
      bundle: { text: asked.bundle.text, fingerprint: asked.bundle.fingerprint },
    },
    reason: finding.reason,
    message: finding.message,
    readiness: asked.readiness,
    held: false,
    next: undefined,
  }
}

/** The leaf is right: what is left is the Secret around it. */
function tidy(facts: IdentityFacts, secret: SecretFacts, asked: Asked): IdentityPlan {
  const renewAt = currentRenewAt(secret)
  const untidy = tidySecret(facts.identity, secret, asked)
  // An immutable Secret that is right serves until something must change; one of another type is not what programs look for.
  if (secret.type !== LEAF_SECRET_TYPE) return recreate(facts, secret)
  if (!untidy) return { ...nothing(asked.readiness.reason, asked.readiness.message, asked.readiness), next: renewAt }
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
    next: renewAt,
  }
}

/** Neither the type nor anything of an immutable Secret can be changed in place. */
function mustBeRecreated(secret: SecretFacts): boolean {
  return secret.immutable || secret.type !== LEAF_SECRET_TYPE
}

/** In the cache and yet somebody else's. What the cache does not show is found out by the create (perform.ts). */
function notOwned({ secret, identity }: IdentityFacts): Readiness | undefined {
  if (!secret || secret === 'unknown' || ownershipOf(secret, identity) !== 'foreign') return undefined
  const whose = secret.foreignController ?? (secret.owner ? `MutualIdentity ${secret.owner.name}` : 'nobody we know')
  const remedy = 'rename the identity, or delete that Secret if nobody needs it'
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

/** Nothing can be issued. The last good certificate stays, and its bundle goes on being kept in sync. */
function idle(facts: IdentityFacts, stopped: Readiness): IdentityPlan {
  const secret = servingSecret(facts)
  if (!secret || facts.namespaceTerminating || facts.inOperatorNamespace) return nothing(stopped.reason, stopped.message, stopped)
  const readiness = { ...stopped, message: `${stopped.message}. The present certificate stays` }
  const patch = bundlePatch(secret, facts.authority?.bundle)
  if (!patch) return nothing(readiness.reason, readiness.message, readiness)
  const version = { uid: secret.uid, resourceVersion: secret.resourceVersion }
  const step = { kind: 'update', secretName: secret.name, version, patch } as const
  return { step, reason: 'BundleOutdated', message: 'ca.crt is not the published bundle', readiness, held: false, next: undefined }
}

function unknownFacts({ unknown }: IdentityFacts): IdentityPlan {
  const message = `${unknown.join(' and ')} may not be read by this account, so the step depends on what they show`
  return nothing('FactsUnknown', message, { state: 'waiting', reason: 'FactsUnknown', message })
}

function unknownSecret(facts: IdentityFacts): IdentityPlan {
  const message = `Secret ${leafSecretName(facts.identity.name)} may not be read by this account, so the step depends on what it holds`
  return nothing('SecretUnknown', message, { state: 'waiting', reason: 'SecretUnknown', message })
}

function nothing(reason: Reason, message: string, readiness: Readiness): IdentityPlan {
  return { step: { kind: 'none' }, reason, message, readiness, held: false, next: undefined }
}
