// Reads the caches and returns one record, AuthorityFacts. Writes nothing; nothing is read after it in a pass.

import type { ClusterMutualAuthority } from '../../api/cluster-mutual-authority.ts'
import type { AuthorityRef } from '../../api/names.ts'
import { deriveGenerations } from '../../api/stored/generations.ts'
import type { Caches } from '../caches.ts'
import { elderOf } from '../trust-domain-claims.ts'
import type { AuthorityFacts } from './facts.ts'

/** All facts about one authority. */
export function observeAuthorityState(authority: ClusterMutualAuthority, caches: Caches, defaultTrustDomain: string): AuthorityFacts {
  const ref: AuthorityRef = { kind: 'ClusterMutualAuthority', namespace: '', name: authority.name }
  const secrets = [...caches.caSecrets.by('authority', authority.name)].sort((a, b) => a.generation - b.generation)
  const [record] = caches.bundleRecords.by('authority', authority.name)
  const elder = elderOf(authority, caches, defaultTrustDomain)
  return { authority, ref, secrets, generations: deriveGenerations(secrets), record, defaultTrustDomain, elder: elder?.name }
}
