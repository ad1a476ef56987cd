// Who holds a trust domain: no two authorities of one trust domain may sign. Read by the authority controller, which says so, and by
// whoever asks whether an authority signs. Pure but for the lookups.

import type { ClusterMutualAuthority } from '../api/cluster-mutual-authority.ts'
import type { Caches } from './caches.ts'

type Lookups = Pick<Caches, 'authorities' | 'caSecrets'>

/** The authority that holds the trust domain which this one claims too; undefined when nobody else does. */
export function elderOf(
  authority: ClusterMutualAuthority,
  caches: Lookups,
  defaultTrustDomain: string,
): ClusterMutualAuthority | undefined {
  const claimed = claimedTrustDomain(authority, caches, defaultTrustDomain)
  return [...caches.authorities.all()]
    .filter((other) => other.uid !== authority.uid && !other.deleting && claimedTrustDomain(other, caches, defaultTrustDomain) === claimed)
    .find((other) => comesFirst(other, authority, caches))
}

/** Recorded in the first generation whatever the operator's flags say later; before that the spec's, or the default. */
function claimedTrustDomain(authority: ClusterMutualAuthority, caches: Lookups, defaultTrustDomain: string): string {
  const [first] = caches.caSecrets.by('authority', authority.name)
  return first?.trustDomain || authority.spec.trustDomain || defaultTrustDomain
}

/** One that has a CA comes first, since it signs already; then the older, then the smaller UID: the same answer on every replica. */
function comesFirst(other: ClusterMutualAuthority, authority: ClusterMutualAuthority, caches: Lookups): boolean {
  const [ofOther, own] = [other, authority].map(({ name }) => caches.caSecrets.by('authority', name).length > 0)
  if (ofOther !== own) return ofOther === true
  return other.createdAt === authority.createdAt ? other.uid < authority.uid : other.createdAt < authority.createdAt
}
