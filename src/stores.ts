// The stores of the process and the watches that fill them: which kinds, under which selectors, projected how, indexed by what.
// Used by the composition root, by explain (which fills them by one list each) and by tests.

import { projectClusterMutualAuthority, projectMutualAuthority } from './api/authority.ts'
import { clusterMutualAuthorities, mutualAuthorities, mutualIdentities } from './api/kinds.ts'
import { projectMutualIdentity } from './api/mutual-identity.ts'
import { labels, managedSelector, type Role } from './api/names.ts'
import { projectBundleCopy, projectBundleRecord } from './api/stored/bundle.ts'
import { projectCaSecret } from './api/stored/ca-secret.ts'
import { projectCaSource } from './api/stored/ca-source.ts'
import { projectLeafSecret } from './api/stored/leaf-secret.ts'
import { projectWorkload } from './api/stored/workload.ts'
import type { Clock } from './base/clock.ts'
import type { Log } from './base/log.ts'
import type { Random } from './base/random.ts'
import { type Caches, indexes, projectNamespace, projectPod, projectService } from './controllers/caches.ts'
import type { Client } from './k8s/client.ts'
import { configMaps, daemonSets, deployments, namespaces, pods, type Resource, secrets, services, statefulSets } from './k8s/resource.ts'
import { Store, type Stored, type StoreOptions, type StoreProblem } from './k8s/store.ts'
import { type Collection, StoreGroup } from './k8s/store-group.ts'
import { Watcher } from './k8s/watcher.ts'

/** Caches that can be written to. */
export type Stores = {
  readonly [K in keyof Caches]: Caches[K] extends { get(namespace: string, name: string): infer T } ? Collection<Extract<T, Stored>> : never
}

/** The caches that a watch fills. */
export type WatchedCache = Exclude<keyof Caches, 'caSources'>

/** Those that a watch fills only where workloads may be restarted. */
export const restartCaches = ['deployments', 'statefulSets', 'daemonSets'] as const satisfies readonly WatchedCache[]
type RestartCache = (typeof restartCaches)[number]
type StandingCache = Exclude<WatchedCache, RestartCache>

/** What of a collection is read. */
export interface Scope {
  readonly resource: Resource
  readonly labelSelector?: string
  /** Only in the operator's namespace: CA keys and records are nowhere else. */
  readonly operatorNamespaceOnly?: true
}

/** Secrets and ConfigMaps are read by our label only, so that other people's cost no memory. */
const ofRole = (role: Role): string => `${managedSelector},${labels.role}=${role}`

export const scopes = {
  identities: { resource: mutualIdentities },
  authorities: { resource: clusterMutualAuthorities },
  namespacedAuthorities: { resource: mutualAuthorities },
  pods: { resource: pods },
  services: { resource: services },
  namespaces: { resource: namespaces },
  leafSecrets: { resource: secrets, labelSelector: ofRole('leaf') },
  caSecrets: { resource: secrets, labelSelector: ofRole('ca'), operatorNamespaceOnly: true },
  bundleCopies: { resource: configMaps, labelSelector: ofRole('bundle') },
  bundleRecords: { resource: configMaps, labelSelector: ofRole('bundle'), operatorNamespaceOnly: true },
  deployments: { resource: deployments },
  statefulSets: { resource: statefulSets },
  daemonSets: { resource: daemonSets },
} as const satisfies Record<WatchedCache, Scope>

/** Empty stores. `watchNamespaces`: the namespaces that are watched; none: all of them, by one watch a kind. */
export function createStores(onProblem: (problem: StoreProblem) => void, watchNamespaces: readonly string[] = []): Stores {
  const everywhere = <T extends Stored>(options: Omit<StoreOptions<T>, 'onProblem'>): Store<T> => new Store<T>({ ...options, onProblem })
  const watched = <T extends Stored>(options: Omit<StoreOptions<T>, 'onProblem'>): Collection<T> =>
    watchNamespaces.length === 0
      ? everywhere(options)
      : new StoreGroup(Object.fromEntries(watchNamespaces.map((namespace) => [namespace, everywhere(options)])))
  return {
    identities: watched({ resource: mutualIdentities, project: projectMutualIdentity, indexes: indexes.identities }),
    authorities: everywhere({ resource: clusterMutualAuthorities, project: projectClusterMutualAuthority }),
    namespacedAuthorities: watched({ resource: mutualAuthorities, project: projectMutualAuthority }),
    pods: watched({ resource: pods, project: projectPod, indexes: indexes.pods }),
    services: watched({ resource: services, project: projectService, indexes: indexes.services }),
    namespaces: watched({ resource: namespaces, project: projectNamespace }),
    leafSecrets: watched({ resource: secrets, project: projectLeafSecret, indexes: indexes.leafSecrets }),
    caSecrets: everywhere({ resource: secrets, project: projectCaSecret, indexes: indexes.caSecrets }),
    bundleCopies: watched({ resource: configMaps, project: projectBundleCopy, indexes: indexes.bundleCopies }),
    bundleRecords: everywhere({ resource: configMaps, project: projectBundleRecord, indexes: indexes.bundleCopies }),
    caSources: everywhere({ resource: secrets, project: projectCaSource }),
    deployments: watched({ resource: deployments, project: projectWorkload('Deployment'), indexes: indexes.workloads }),
    statefulSets: watched({ resource: statefulSets, project: projectWorkload('StatefulSet'), indexes: indexes.workloads }),
    daemonSets: watched({ resource: daemonSets, project: projectWorkload('DaemonSet'), indexes: indexes.workloads }),
  }
}

interface WatchDeps {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly operatorNamespace: string
}

/** The watches that fill each store, by its name: one, or one a namespace. */
type Watchers<K extends WatchedCache> = Readonly<Record<K, readonly Watcher<Stored>[]>>

/** Of the stores that are always filled. */
export function storeWatchers(stores: Stores, deps: WatchDeps): Watchers<StandingCache> {
  const optional: readonly string[] = restartCaches
  return watchersOf(
    (Object.keys(scopes) as StandingCache[]).filter((name) => !optional.includes(name)),
    stores,
    deps,
  )
}

/**
 * Of the stores of workloads. The rights to them are an option, so nobody waits for them; until the first list is complete the store
 * counts as unreadable, and whoever needs it can say so.
 */
export function restartWatchers(stores: Stores, deps: WatchDeps): Watchers<RestartCache> {
  for (const name of restartCaches) stores[name].markUnreadable()
  return watchersOf(restartCaches, stores, deps)
}

function watchersOf<K extends WatchedCache>(names: readonly K[], stores: Stores, deps: WatchDeps): Watchers<K> {
  const { operatorNamespace, ...shared } = deps
  const watcherOf = (name: K, store: Store<Stored>, place: Place): Watcher<Stored> => {
    const { resource, labelSelector }: Scope = scopes[name]
    return new Watcher({ ...shared, store, resource, ...(labelSelector === undefined ? {} : { labelSelector }), ...place })
  }
  const watchersFor = (name: K): readonly Watcher<Stored>[] => {
    const { resource, operatorNamespaceOnly }: Scope = scopes[name]
    return partsOf(stores[name] as unknown as Collection<Stored>).map(([namespace, store]) => {
      const only = operatorNamespaceOnly ? operatorNamespace : namespace
      return watcherOf(name, store, only === undefined ? {} : placeOf(resource, only))
    })
  }
  return Object.fromEntries(names.map((name) => [name, watchersFor(name)])) as unknown as Watchers<K>
}

type Place = { readonly namespace?: string; readonly fieldSelector?: string }

/** Of the namespaces themselves: the one of that name, which rights can be limited to. */
function placeOf({ namespaced }: Resource, namespace: string): Place {
  return namespaced ? { namespace } : { fieldSelector: `metadata.name=${namespace}` }
}

/** The stores behind a collection, and the namespace that each is for. */
function partsOf(collection: Collection<Stored>): readonly (readonly [namespace: string | undefined, store: Store<Stored>])[] {
  return collection instanceof StoreGroup ? [...collection.parts] : [[undefined, collection as Store<Stored>]]
}
