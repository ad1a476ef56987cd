// Who holds a trust domain: no two authorities of one trust domain may sign. Read by the authority controller, which says so, and by
// whoever asks whether an authority signs. Pure but for the lookups.

import type { Authority } from '../api/authority.ts'
import { authorityKey } from '../api/names.ts'
import { allAuthorities, type Caches } from './caches.ts'

type Lookups = Pick<Caches, 'authorities' | 'namespacedAuthorities' | 'caSecrets'>

/** The authority that holds the trust domain which this one claims too; undefined when nobody else does. */
export function elderOf(authority: Authority, caches: Lookups, defaultTrustDomain: string): Authority | undefined {
  const claimed = claimedTrustDomain(authority, caches, defaultTrustDomain)
  return [...allAuthorities(caches)]
    .filter((other) => other.uid !== authority.uid && !other.deleting && claimedTrustDomain(other, caches, defaultTrustDomain) === claimed)
    .find((other) => comesFirst(other, authority, caches))
}

/** Recorded in the first generation whatever the operator's flags say later; before that the spec's, or the default. */
function claimedTrustDomain(authority: Authority, caches: Lookups, defaultTrustDomain: string): string {
  const [first] = caches.caSecrets.by('authority', authorityKey(authority.ref))
  return first?.trustDomain || authority.spec.trustDomain || standardTrustDomain(authority, defaultTrustDomain)
}

/** What the trust domain of an authority is that names none: the operator's, and of a namespaced one a name below it that is the namespace's alone. */
export function standardTrustDomain({ namespace }: Pick<Authority, 'namespace'>, ofOperator: string): string {
  return namespace === '' ? ofOperator : `${namespace}.${ofOperator}`
}

/**
 * One of the cluster comes first, so that a tenant's claim never stops it; then one that has a CA, since it signs already; then the older, then
 * the smaller UID: the same answer on every replica.
 */
function comesFirst(other: Authority, authority: Authority, caches: Lookups): boolean {
  if (other.ref.kind !== authority.ref.kind) return other.ref.kind === 'ClusterMutualAuthority'
  const [ofOther, own] = [other, authority].map(({ ref }) => caches.caSecrets.by('authority', authorityKey(ref)).length > 0)
  if (ofOther !== own) return ofOther === true
  return other.createdAt === authority.createdAt ? other.uid < authority.uid : other.createdAt < authority.createdAt
}
