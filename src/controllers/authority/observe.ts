// Reads the caches and returns one record, AuthorityFacts. Writes nothing; nothing is read after it in a pass.

import type { ClusterMutualAuthority } from '../../api/cluster-mutual-authority.ts'
import type { AuthorityRef } from '../../api/names.ts'
import { deriveGenerations } from '../../api/stored/generations.ts'
import type { Caches } from '../caches.ts'
import type { AuthorityFacts } from './facts.ts'

/** All facts about one authority. */
export function observeAuthorityState(authority: ClusterMutualAuthority, caches: Caches, defaultTrustDomain: string): AuthorityFacts {
  const ref: AuthorityRef = { kind: 'ClusterMutualAuthority', namespace: '', name: authority.name }
  const secrets = [...caches.caSecrets.by('authority', authority.name)].sort((a, b) => a.generation - b.generation)
  const [record] = caches.bundleRecords.by('authority', authority.name)
  const claimed = claimedTrustDomain(authority, caches, defaultTrustDomain)
  const elder = [...caches.authorities.all()]
    .filter((other) => other.uid !== authority.uid && !other.deleting && claimedTrustDomain(other, caches, defaultTrustDomain) === claimed)
    .find((other) => isElder(other, authority, caches))
  return { authority, ref, secrets, generations: deriveGenerations(secrets), record, defaultTrustDomain, elder: elder?.name }
}

/** Recorded in the first generation whatever the operator's flags say later; before that the spec's, or the default. */
function claimedTrustDomain(authority: ClusterMutualAuthority, caches: Caches, defaultTrustDomain: string): string {
  const [first] = caches.caSecrets.by('authority', authority.name)
  return first?.trustDomain || authority.spec.trustDomain || defaultTrustDomain
}

/** One that has a CA comes first, since it signs already; then the older, then the smaller UID: the same answer on every replica. */
function isElder(other: ClusterMutualAuthority, authority: ClusterMutualAuthority, caches: Caches): boolean {
  const [ofOther, own] = [other, authority].map(({ name }) => caches.caSecrets.by('authority', name).length > 0)
  if (ofOther !== own) return ofOther === true
  return other.createdAt === authority.createdAt ? other.uid < authority.uid : other.createdAt < authority.createdAt
}
