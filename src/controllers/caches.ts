// What the controllers (and the explain command) read: one lookup a kind, with the indexes that keep a pass from scanning a namespace.
// The composition root fills them by watches, explain by one list each. Nothing here writes or waits.

import type { Authority } from '../api/authority.ts'
import type { MutualIdentity } from '../api/mutual-identity.ts'
import { type AuthorityRef, authorityKey, labels } from '../api/names.ts'
import type { BundleCopy, BundleRecord } from '../api/stored/bundle.ts'
import type { CaSecret } from '../api/stored/ca-secret.ts'
import type { CaSource } from '../api/stored/ca-source.ts'
import { type LeafSecret, labelledAuthority } from '../api/stored/leaf-secret.ts'
import type { Workload } from '../api/stored/workload.ts'
import type { RawObject } from '../k8s/resource.ts'
import type { Lookup, Stored } from '../k8s/store.ts'
import { podKind } from './pod-kind.ts'

/** A pod, as far as identities look at it. */
export interface Pod extends Stored {
  readonly labels: Readonly<Record<string, string>>
  readonly serviceAccountName: string
  /** Neither completed nor terminating: only such pods count as selected. */
  readonly live: boolean
}

/** A Service, as far as DNS names need it. */
export interface Service extends Stored {
  /** Empty: selects nothing by itself. */
  readonly selector: Readonly<Record<string, string>>
  readonly headless: boolean
}

export interface Namespace extends Stored {
  readonly labels: Readonly<Record<string, string>>
  readonly terminating: boolean
}

export interface Caches {
  readonly identities: Lookup<MutualIdentity>
  /** Of the cluster. */
  readonly authorities: Lookup<Authority>
  readonly namespacedAuthorities: Lookup<Authority>
  readonly pods: Lookup<Pod>
  readonly services: Lookup<Service>
  readonly namespaces: Lookup<Namespace>
  /** Secrets with our label and the role leaf, everywhere. */
  readonly leafSecrets: Lookup<LeafSecret>
  /** Secrets with our label and the role ca, in the operator's namespace only. */
  readonly caSecrets: Lookup<CaSecret>
  /** ConfigMaps with our label and the role bundle, everywhere. */
  readonly bundleCopies: Lookup<BundleCopy>
  /** The same in the operator's namespace only, with their anchors. */
  readonly bundleRecords: Lookup<BundleRecord>
  /** Secrets of others in the operator's namespace that an administrator lets authorities take their CA from: looked up by the authority controller, not watched. */
  readonly caSources: Lookup<CaSource>
  /** What may be restarted; these three are empty unless the operator is asked to restart workloads. */
  readonly deployments: Lookup<Workload>
  readonly statefulSets: Lookup<Workload>
  readonly daemonSets: Lookup<Workload>
}

/** The authority object of a reference. */
export function authorityOf(caches: Pick<Caches, 'authorities' | 'namespacedAuthorities'>, ref: AuthorityRef): Authority | undefined {
  return (ref.namespace === '' ? caches.authorities : caches.namespacedAuthorities).get(ref.namespace, ref.name)
}

/** The published record of an authority, which outlives it. A name that annotations or an old spec give with a dot would share its key with an authority of another namespace. */
export function recordOf(ref: AuthorityRef, caches: Pick<Caches, 'bundleRecords'>): BundleRecord | undefined {
  return caches.bundleRecords.by('authority', authorityKey(ref)).find(({ authority }) => authority.namespace === ref.namespace)
}

/** All authorities of both kinds. */
export function* allAuthorities(caches: Pick<Caches, 'authorities' | 'namespacedAuthorities'>): Iterable<Authority> {
  yield* caches.authorities.all()
  yield* caches.namespacedAuthorities.all()
}

/** Values of an index over labels: one for each pair, in one namespace. */
export function labelPairs(namespace: string, labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels).map(([key, value]) => `${namespace}/${key}=${value}`)
}

/** Where identities without matchLabels are found, and what those look for: any pod of the namespace may be theirs. */
export const anyLabel = (namespace: string): string => `${namespace}/*`

/** Index definitions, by cache. */
export const indexes = {
  identities: {
    /** By each pair of matchLabels, or under anyLabel. */
    matchLabel: (identity: MutualIdentity): string[] => {
      const pairs = labelPairs(identity.namespace, identity.spec.podSelector.matchLabels)
      return pairs.length > 0 ? pairs : [anyLabel(identity.namespace)]
    },
    /** By who signs. */
    authority: (identity: MutualIdentity): string[] => [authorityKey(identity.spec.authority)],
    /** By whose anchors it needs. */
    trusts: (identity: MutualIdentity): string[] => trustedAuthorities(identity),
    /** The same in one namespace: where copies of the bundle of an authority are needed. */
    trustsInNamespace: (identity: MutualIdentity): string[] => trustedAuthorities(identity).map((key) => `${key}/${identity.namespace}`),
    /** By the name of their Secret: two may name the same. */
    secretName: (identity: MutualIdentity): string[] => [`${identity.namespace}/${identity.spec.delivery.secretName}`],
  },
  leafSecrets: {
    /** By the identity that owns it, or that its label names where it lost its owner. */
    identity: (secret: LeafSecret): string[] => {
      const name = secret.owner?.name ?? secret.labels[labels.identity]
      return name === undefined ? [] : [`${secret.namespace}/${name}`]
    },
    /** By those whose anchors it holds because they signed for it, now or before: what the specs do not say. */
    signedBy: (secret: LeafSecret): string[] => signersOf(secret),
    /** The same in one namespace. */
    signedByInNamespace: (secret: LeafSecret): string[] => signersOf(secret).map((key) => `${key}/${secret.namespace}`),
  },
  pods: {
    label: (pod: Pod): string[] => labelPairs(pod.namespace, pod.labels),
    /** Live ones by what plans tell them apart by. */
    kind: (pod: Pod): string[] => (pod.live ? [podKind(pod)] : []),
  },
  /** By one pair: a Service covers labels only if they hold all of its pairs, so any one finds it. */
  services: { selector: (service: Service): string[] => labelPairs(service.namespace, service.selector).sort().slice(0, 1) },
  caSecrets: { authority: (secret: CaSecret): string[] => [authorityKey(secret.authority)] },
  bundleCopies: { authority: (copy: BundleCopy): string[] => [authorityKey(copy.authority)] },
  workloads: {
    /** Those that opted in: by each pair of labels of their pods, and under anyLabel for identities without matchLabels. */
    optedIn: ({ namespace, optedIn, templateLabels }: Workload): string[] =>
      optedIn ? [...labelPairs(namespace, templateLabels), anyLabel(namespace)] : [],
  },
} as const

/** Keys of all authorities that an identity names. */
export function trustedAuthorities({ spec }: MutualIdentity): string[] {
  return [...new Set([spec.authority, ...spec.trust.additionalAuthorities.map(({ ref }) => ref)].map(authorityKey))]
}

function signersOf(secret: LeafSecret): string[] {
  const present = labelledAuthority(secret)
  const all = [...(present ? [present] : []), ...secret.formerAuthorities.map(({ ref }) => ref)]
  return all.map(authorityKey)
}

const COMPLETED: ReadonlySet<unknown> = new Set(['Succeeded', 'Failed'])

/** Projects a Pod; the API server guarantees the fields that are read. */
export function projectPod(raw: RawObject): Pod {
  const spec = raw['spec'] as { serviceAccountName?: string } | undefined
  const status = raw['status'] as { phase?: string } | undefined
  return {
    ...stored(raw),
    labels: raw.metadata.labels ?? {},
    serviceAccountName: spec?.serviceAccountName ?? 'default',
    live: raw.metadata.deletionTimestamp === undefined && !COMPLETED.has(status?.phase),
  }
}

/** Projects a Service. ExternalName Services select nothing, whatever their selector says. */
export function projectService(raw: RawObject): Service {
  const spec = raw['spec'] as { type?: string; clusterIP?: string; selector?: Record<string, string> } | undefined
  return { ...stored(raw), selector: spec?.type === 'ExternalName' ? {} : (spec?.selector ?? {}), headless: spec?.clusterIP === 'None' }
}

/** Projects a Namespace. */
export function projectNamespace(raw: RawObject): Namespace {
  return { ...stored(raw), labels: raw.metadata.labels ?? {}, terminating: raw.metadata.deletionTimestamp !== undefined }
}

function stored(raw: RawObject): Stored {
  const { namespace = '', name, uid = '', resourceVersion = '' } = raw.metadata
  return { namespace, name, uid, resourceVersion }
}
