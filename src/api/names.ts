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
  /** On objects of a namespaced authority. */
  authorityNamespace: `${GROUP}/authority-namespace`,
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
  /** On a leaf Secret: SHA-256 of the trust it was made for: its anchors, file by file. */
  trustHash: `${GROUP}/trust-hash`,
  /** On a leaf Secret: RFC 3339; since when it holds this trust. */
  trustSince: `${GROUP}/trust-since`,
  /** On a leaf Secret: SHA-256 of the files besides PEM that hold the private key. */
  keyFilesHash: `${GROUP}/key-files-hash`,
  /** On a leaf Secret: SHA-256 of the files besides ca.crt that hold anchors. */
  trustFilesHash: `${GROUP}/trust-files-hash`,
  /** On a leaf Secret: the labels and annotations that came from the identity's template, so that they can be taken away again. */
  template: `${GROUP}/template`,
  /** On a leaf Secret: the trust domains it accepts, where there are more than its own. */
  trustDomains: `${GROUP}/trust-domains`,
  /** On a leaf Secret: the authorities that signed for this identity before, and until when what they signed may be in use. */
  formerAuthorities: `${GROUP}/former-authorities`,
  /** On a CA Secret: the trust domain, once and for all. */
  trustDomain: `${GROUP}/trust-domain`,
  /** On a CA Secret: decimal number, from 1. */
  generation: `${GROUP}/generation`,
  /** On a CA Secret: RFC 3339; since when it signs. Without it the generation is prepared. */
  activatedAt: `${GROUP}/activated-at`,
  /** On a CA Secret that was copied from somebody's Secret: that Secret's name. */
  copiedFrom: `${GROUP}/copied-from`,
  /** On a Secret of the operator's namespace, by an administrator: the namespaced authority (`namespace/name`) that may take its CA from it. */
  allowedAuthority: `${GROUP}/allowed-authority`,
  /** On the published record: counts the bundles that were published (spiffe_sequence). */
  bundleSequence: `${GROUP}/bundle-sequence`,
  /** On a CA Secret: the longest leaf lifetime it was ever allowed to give (duration). */
  longestLeafLifetime: `${GROUP}/longest-leaf-lifetime`,
  /** On a Deployment, StatefulSet or DaemonSet, by whoever runs it: `"true"` lets it be restarted when a certificate of its pods was renewed. */
  restartOnRenewal: `${GROUP}/restart-on-renewal`,
  /** On the pod template of such a workload: serial number and RFC 3339 instant, a space between: what it was restarted for, and when. */
  restartedFor: `${GROUP}/restarted-for`,
} as const

/** Names of our kinds are DNS labels of at most 52 characters: they become label values and parts of names. */
export const MAX_KIND_NAME = 52

export const AUTHORITY_KINDS = ['ClusterMutualAuthority', 'MutualAuthority'] as const
export type AuthorityKind = (typeof AUTHORITY_KINDS)[number]

export const isAuthorityKind = (text: string): text is AuthorityKind => (AUTHORITY_KINDS as readonly string[]).includes(text)

/** Which authority. */
export type AuthorityRef =
  | { readonly kind: 'ClusterMutualAuthority'; readonly namespace: ''; readonly name: string }
  | { readonly kind: 'MutualAuthority'; readonly namespace: string; readonly name: string }

/** The authority of a kind and name that objects of `namespace` mean: a namespaced one is always that of their own namespace. */
export function authorityRef(kind: AuthorityKind, namespace: string, name: string): AuthorityRef {
  return kind === 'ClusterMutualAuthority' ? { kind, namespace: '', name } : { kind, namespace, name }
}

/**
 * One text for one authority: key of queues and indexes, and what the names of its objects begin with. Names of our kinds and of namespaces
 * hold no dot, so no two authorities share one.
 */
export const authorityKey = ({ namespace, name }: AuthorityRef): string => (namespace === '' ? name : `${namespace}.${name}`)

/** The authority of a key. */
export function authorityOfKey(key: string): AuthorityRef {
  const dot = key.indexOf('.')
  return dot < 0 ? authorityRef('ClusterMutualAuthority', '', key) : authorityRef('MutualAuthority', key.slice(0, dot), key.slice(dot + 1))
}

/** How people are told of an authority: `ClusterMutualAuthority default`, `MutualAuthority shop/internal`. */
export const authorityText = ({ kind, namespace, name }: AuthorityRef): string =>
  `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`

/** The labels that say whose an object is. */
export function authorityLabels({ kind, namespace, name }: AuthorityRef): Record<string, string> {
  return {
    [labels.authority]: name,
    [labels.authorityKind]: kind,
    ...(namespace === '' ? {} : { [labels.authorityNamespace]: namespace }),
  }
}

/** The Secret of an identity unless it says otherwise. */
export const leafSecretName = (identity: string): string => `${identity}-mtls`

/** The CA Secret of a generation, in the operator's namespace. */
export const caSecretName = (authority: AuthorityRef, generation: number): string => `${authorityKey(authority)}-ca-${generation}`

/** The ConfigMap with the anchors: the published record in the operator's namespace, and its copy in every other. */
export const bundleName = (authority: AuthorityRef): string => `${authorityKey(authority)}-trust-bundle`

const CA_SECRET = /^(.+)-ca-\d+$/
const BUNDLE = /^(.+)-trust-bundle$/

/** Whose CA Secret or bundle an object of this name is: labels can be edited, names cannot. Other names give an authority that does not exist. */
export const authorityOfObject = (name: string): AuthorityRef => authorityOfKey((CA_SECRET.exec(name) ?? BUNDLE.exec(name))?.[1] ?? '')
