// What the controllers (and the explain command) read: one lookup a kind, with the indexes that keep a pass from scanning a namespace.
// The composition root fills them by watches, explain by one list each. Nothing here writes or waits.

import type { ClusterMutualAuthority } from '../api/cluster-mutual-authority.ts'
import type { MutualIdentity } from '../api/mutual-identity.ts'
import type { BundleCopy, BundleRecord } from '../api/stored/bundle.ts'
import type { CaSecret } from '../api/stored/ca-secret.ts'
import type { LeafSecret } from '../api/stored/leaf-secret.ts'
import type { RawObject } from '../k8s/resource.ts'
import type { Lookup, Stored } from '../k8s/store.ts'

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
  readonly terminating: boolean
}

export interface Caches {
  readonly identities: Lookup<MutualIdentity>
  readonly authorities: Lookup<ClusterMutualAuthority>
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
}

/** Values of an index over labels: one for each pair, in one namespace. */
export function labelPairs(namespace: string, labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels).map(([key, value]) => `${namespace}/${key}=${value}`)
}

/** Where identities without matchLabels are found: any pod of the namespace may be theirs. */
export const anyLabel = (namespace: string): string => `${namespace}/*`

/** Index definitions, by cache. */
export const indexes = {
  identities: {
    /** By each pair of matchLabels, or under anyLabel. */
    matchLabel: (identity: MutualIdentity): string[] => {
      const pairs = labelPairs(identity.namespace, identity.spec.podSelector.matchLabels)
      return pairs.length > 0 ? pairs : [anyLabel(identity.namespace)]
    },
    authority: (identity: MutualIdentity): string[] => [identity.spec.authorityRef.name],
    /** For the bundle controller: which namespaces need the anchors of an authority. */
    authorityInNamespace: (identity: MutualIdentity): string[] => [`${identity.spec.authorityRef.name}/${identity.namespace}`],
  },
  pods: { label: (pod: Pod): string[] => labelPairs(pod.namespace, pod.labels) },
  /** By one pair: a Service covers labels only if they hold all of its pairs, so any one finds it. */
  services: { selector: (service: Service): string[] => labelPairs(service.namespace, service.selector).sort().slice(0, 1) },
  caSecrets: { authority: (secret: CaSecret): string[] => [secret.authority.name] },
  bundleCopies: { authority: (copy: BundleCopy): string[] => [copy.authority.name] },
} as const

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
  return { ...stored(raw), terminating: raw.metadata.deletionTimestamp !== undefined }
}

function stored(raw: RawObject): Stored {
  const { namespace = '', name, uid = '', resourceVersion = '' } = raw.metadata
  return { namespace, name, uid, resourceVersion }
}
