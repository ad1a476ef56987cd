// The collections of our own kinds, as data for whoever calls the API server. Used by controllers, CRDs and rights.
// Structurally what src/k8s calls a Resource; this layer may not import it.

import { type AuthorityKind, GROUP, VERSION } from './names.ts'

/** One collection of our group. */
interface Kind {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
}

export const mutualIdentities = {
  group: GROUP,
  version: VERSION,
  plural: 'mutualidentities',
  kind: 'MutualIdentity',
  namespaced: true,
} as const satisfies Kind

export const clusterMutualAuthorities = {
  group: GROUP,
  version: VERSION,
  plural: 'clustermutualauthorities',
  kind: 'ClusterMutualAuthority',
  namespaced: false,
} as const satisfies Kind

export const mutualAuthorities = {
  group: GROUP,
  version: VERSION,
  plural: 'mutualauthorities',
  kind: 'MutualAuthority',
  namespaced: true,
} as const satisfies Kind

/** The collection of authorities of a kind. */
export const authorityResources = {
  ClusterMutualAuthority: clusterMutualAuthorities,
  MutualAuthority: mutualAuthorities,
} as const satisfies Record<AuthorityKind, Kind>
