// The one record that an authority's plan is made from. Plain data without secrets.

import type { ClusterMutualAuthority } from '../../api/cluster-mutual-authority.ts'
import type { AuthorityRef } from '../../api/names.ts'
import type { BundleRecord } from '../../api/stored/bundle.ts'
import type { CaSecret } from '../../api/stored/ca-secret.ts'
import type { Generation } from '../../api/stored/generations.ts'

export interface AuthorityFacts {
  readonly authority: ClusterMutualAuthority
  readonly ref: AuthorityRef
  /** All its CA Secrets that the cache shows, readable or not, in order of their numbers. */
  readonly secrets: readonly CaSecret[]
  /** The readable ones, with their states. */
  readonly generations: readonly Generation[]
  /** The published bundle; undefined: none was published, or its label was taken away. */
  readonly record: BundleRecord | undefined
  /** What the trust domain is where neither the spec nor a generation says. */
  readonly defaultTrustDomain: string
  /** An older authority that claims the same trust domain. */
  readonly elder: string | undefined
}
