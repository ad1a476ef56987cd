// The names that users and other programs see: groups, labels, annotations, derived object names. One place, so that they cannot drift.

export const GROUP = 'mutualidentity.io'
export const VERSION = 'v1alpha1'
export const API_VERSION = `${GROUP}/${VERSION}`

/** Value of app.kubernetes.io/managed-by, of the field manager and of the event reporter. */
export const MANAGER = 'mutual-identity'

export const labels = {
  managedBy: 'app.kubernetes.io/managed-by',
  /** Name of the MutualIdentity a leaf Secret belongs to. */
  identity: `${GROUP}/identity`,
  authority: `${GROUP}/authority`,
  authorityKind: `${GROUP}/authority-kind`,
  /** What an object of ours is: see Role. */
  role: `${GROUP}/role`,
} as const

/** Value of the role label: what the object is for. */
export type Role = 'leaf' | 'ca' | 'bundle'

/** The only selector under which Secrets and ConfigMaps are watched. */
export const managedSelector = `${labels.managedBy}=${MANAGER}`

export const annotations = {
  /** On a MutualIdentity: a person asks for a renewal; RFC 3339; done once per distinct value. */
  renewRequestedAt: `${GROUP}/renew-requested-at`,
  /** On a leaf Secret: the value of renewRequestedAt that this certificate answers. */
  renewedFor: `${GROUP}/renewed-for`,
  /** On a leaf Secret: lower-case hex. */
  serialNumber: `${GROUP}/serial-number`,
  /** On a leaf Secret: number of the generation that signed. */
  issuingGeneration: `${GROUP}/issuing-generation`,
  /** On a leaf Secret: RFC 3339, drawn once per certificate. */
  renewAt: `${GROUP}/renew-at`,
  /** On a leaf Secret and a bundle: SHA-256 of the canonical bundle text. */
  bundleFingerprint: `${GROUP}/bundle-fingerprint`,
  /** On a leaf Secret: SHA-256 of the profile that was asked for. */
  profileHash: `${GROUP}/profile-hash`,
  /** On a CA Secret: the trust domain, once and for all. */
  trustDomain: `${GROUP}/trust-domain`,
  /** On a CA Secret: decimal number, from 1. */
  generation: `${GROUP}/generation`,
  /** On a CA Secret: RFC 3339; since when it signs. Without it the generation is prepared. */
  activatedAt: `${GROUP}/activated-at`,
  /** On a CA Secret: the longest leaf lifetime it was ever allowed to give (duration). */
  longestLeafLifetime: `${GROUP}/longest-leaf-lifetime`,
} as const

/** Names of our kinds are DNS labels of at most 52 characters: they become label values and parts of names. */
export const MAX_KIND_NAME = 52

/** Which authority. `namespace` is empty for the cluster kind. */
export interface AuthorityRef {
  readonly kind: 'ClusterMutualAuthority'
  readonly namespace: ''
  readonly name: string
}

/** The Secret of an identity unless it says otherwise. */
export const leafSecretName = (identity: string): string => `${identity}-mtls`

/** What names that belong to an authority begin with; no two authorities share one, because our names hold no dot. */
const authorityPrefix = (authority: AuthorityRef): string =>
  authority.namespace === '' ? authority.name : `${authority.namespace}.${authority.name}`

/** The CA Secret of a generation, in the operator's namespace. */
export const caSecretName = (authority: AuthorityRef, generation: number): string => `${authorityPrefix(authority)}-ca-${generation}`

/** The ConfigMap with the anchors: the published record in the operator's namespace, and its copy in every other. */
export const bundleName = (authority: AuthorityRef): string => `${authorityPrefix(authority)}-trust-bundle`
