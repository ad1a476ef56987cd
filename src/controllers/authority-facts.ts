// What an identity or a bundle needs to know of an authority: derived from its spec, its CA Secrets and its published bundle, never from
// its status (status is a cache). Read by the identity controller and explain; pure but for the lookups.

import type { Authority } from '../api/authority.ts'
import { type AuthorityRef, authorityKey, authorityText } from '../api/names.ts'
import type { PublishedBundle } from '../api/stored/bundle.ts'
import { deriveGenerations, type Generation, signingGeneration } from '../api/stored/generations.ts'
import type { Duration } from '../base/duration.ts'
import type { Instant } from '../base/instant.ts'
import type { GenerationRef } from '../issuers/issuer.ts'
import type { KeyType } from '../pki/keys.ts'
import { authorityOf, type Caches, recordOf } from './caches.ts'
import { elderOf } from './trust-domain-claims.ts'

/** The generation that signs now. */
export interface SigningFacts extends GenerationRef {
  readonly notAfter: Instant
  readonly subjectKeyID: string | undefined
  readonly longestLeafLifetime: Duration | undefined
}

export interface AuthorityFacts {
  readonly ref: AuthorityRef
  /** Recorded in the generation that signs; undefined while nothing signs. */
  readonly trustDomain: string | undefined
  /** Undefined: nothing may sign now, and why not says `problem`. */
  readonly signing: SigningFacts | undefined
  readonly problem: string | undefined
  /** What of it this account may not read (explain under a person's rights): whether it signs is not known then. */
  readonly unreadable?: string
  /** The published bundle. */
  readonly bundle: PublishedBundle | undefined
  readonly leafLifetime: Duration
  readonly minLifetime: Duration
  readonly maxLifetime: Duration | undefined
  /** Undefined: all. */
  readonly keyTypes: readonly KeyType[] | undefined
  /** Undefined: all. */
  readonly allowedNamespaces: readonly string[] | undefined
  readonly allowedDNSNames: readonly string[]
  readonly shortServiceNames: boolean
}

/** Undefined when there is no such authority. */
export function observeAuthority(caches: Caches, ref: AuthorityRef): AuthorityFacts | undefined {
  const authority = authorityOf(caches, ref)
  const lookup = ref.namespace === '' ? caches.authorities : caches.namespacedAuthorities
  if (!authority && !lookup.readable) return unreadableAuthority(ref)
  if (!authority || authority.deleting) return undefined
  const secrets = caches.caSecrets.by('authority', authorityKey(ref))
  const record = recordOf(ref, caches)
  const generations = deriveGenerations(secrets)
  const active = signingGeneration(generations, record?.bundle)
  const refusal = active && refusalOf(authority, active, caches)
  const signing = refusal === undefined ? active : undefined
  const readable = caches.caSecrets.readable && caches.bundleRecords.readable
  const unreadable = readable ? undefined : 'its CA Secrets or its bundle may not be read by this account'
  return {
    ref,
    trustDomain: signing?.secret.trustDomain,
    signing: signing && {
      number: signing.number,
      secretName: signing.secret.name,
      secretUid: signing.secret.uid,
      secretResourceVersion: signing.secret.resourceVersion,
      certificateFingerprint: signing.certificate.fingerprint,
      notAfter: signing.certificate.notAfter,
      subjectKeyID: signing.certificate.subjectKeyID,
      longestLeafLifetime: signing.secret.longestLeafLifetime,
    },
    problem: signing ? undefined : (unreadable ?? refusal ?? reasonFor(authority, record?.problem)),
    ...(unreadable === undefined ? {} : { unreadable }),
    bundle: record?.bundle,
    leafLifetime: authority.spec.leaf.lifetime,
    minLifetime: authority.spec.leaf.minLifetime,
    maxLifetime: authority.spec.leaf.maxLifetime,
    keyTypes: authority.spec.leaf.keyTypes,
    ...authority.spec.policy,
  }
}

/** The same, or what is left of an authority that was deleted: it signs no more, and its record outlives it. */
export function observeFormerAuthority(caches: Caches, ref: AuthorityRef): AuthorityFacts | undefined {
  const record = recordOf(ref, caches)
  const { unreadable: _none, ...gone } = unreadableAuthority(ref)
  return observeAuthority(caches, ref) ?? (record && { ...gone, problem: 'it is gone', bundle: record.bundle })
}

/** Why an authority that could sign must not: the authority controller says the same in its status, which nobody decides by. */
function refusalOf(authority: Authority, active: Generation, caches: Caches): string | undefined {
  const { trustDomain } = active.secret
  if (authority.problem !== undefined) return authority.problem
  if (authority.spec.trustDomain !== undefined && authority.spec.trustDomain !== trustDomain) {
    return `spec.trustDomain is ${authority.spec.trustDomain} but the CA was made for ${trustDomain}`
  }
  // It has a CA, so only those that have one too can come before it: what others would claim by default does not matter.
  const elder = elderOf(authority, caches, '')
  return elder && `trust domain ${trustDomain} belongs to ${authorityText(elder.ref)}`
}

const NOT_KNOWN = 0 as Duration

function unreadableAuthority(ref: AuthorityRef): AuthorityFacts {
  return {
    ref,
    trustDomain: undefined,
    signing: undefined,
    problem: undefined,
    unreadable: 'it may not be read by this account',
    bundle: undefined,
    leafLifetime: NOT_KNOWN,
    minLifetime: NOT_KNOWN,
    maxLifetime: undefined,
    keyTypes: undefined,
    allowedNamespaces: undefined,
    allowedDNSNames: [],
    shortServiceNames: false,
  }
}

function reasonFor(
  authority: { status: { conditions: readonly { type: string; status: string; message: string }[] } },
  recordProblem: string | undefined,
): string {
  const ready = authority.status.conditions.find((condition) => condition.type === 'Ready' && condition.status === 'False')
  return ready?.message ?? recordProblem ?? 'it has no generation that signs yet'
}
