// Who holds a trust domain: no two authorities of one trust domain may sign. Read by the authority controller, which says so, and by
// whoever asks whether an authority signs. Pure but for the lookups.

import type { Authority } from '../api/authority.ts'
import { authorityKey } from '../api/names.ts'
import { allAuthorities, type Caches } from './caches.ts'
import { isElder } from './elder.ts'

type Lookups = Pick<Caches, 'authorities' | 'namespacedAuthorities' | 'caSecrets'>

/**
 * The authority that holds the trust domain which this one claims too; undefined when nobody else does. `mayClaim`: whether one that has no CA yet
 * may have what its spec names; the claim of one that may not stops nobody, else a tenant could keep another from its own trust domain.
 */
export function elderOf(
  authority: Authority,
  caches: Lookups,
  defaultTrustDomain: string,
  mayClaim: (other: Authority) => boolean = () => true,
): Authority | undefined {
  const claimed = claimedTrustDomain(authority, caches, defaultTrustDomain)
  return [...allAuthorities(caches)]
    .filter((other) => other.uid !== authority.uid && !other.deleting && claimedTrustDomain(other, caches, defaultTrustDomain) === claimed)
    .filter((other) => hasCa(other, caches) || mayClaim(other))
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
 * One of the cluster comes first, so that a tenant's claim never stops it; then one that has a CA, since it signs already; then the elder.
 */
function comesFirst(other: Authority, authority: Authority, caches: Lookups): boolean {
  if (other.ref.kind !== authority.ref.kind) return other.ref.kind === 'ClusterMutualAuthority'
  const ofOther = hasCa(other, caches)
  if (ofOther !== hasCa(authority, caches)) return ofOther
  return isElder(other, authority)
}

const hasCa = ({ ref }: Authority, caches: Lookups): boolean => caches.caSecrets.by('authority', authorityKey(ref)).length > 0
