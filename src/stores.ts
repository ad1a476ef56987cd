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
import { Store, type Stored, type StoreProblem } from './k8s/store.ts'
import { Watcher } from './k8s/watcher.ts'

/** Caches that can be written to. */
export type Stores = {
  readonly [K in keyof Caches]: Caches[K] extends { get(namespace: string, name: string): infer T } ? Store<Extract<T, Stored>> : never
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

/** Empty stores. */
export function createStores(onProblem: (problem: StoreProblem) => void): Stores {
  return {
    identities: new Store({ resource: mutualIdentities, project: projectMutualIdentity, indexes: indexes.identities, onProblem }),
    authorities: new Store({ resource: clusterMutualAuthorities, project: projectClusterMutualAuthority, onProblem }),
    namespacedAuthorities: new Store({ resource: mutualAuthorities, project: projectMutualAuthority, onProblem }),
    pods: new Store({ resource: pods, project: projectPod, indexes: indexes.pods, onProblem }),
    services: new Store({ resource: services, project: projectService, indexes: indexes.services, onProblem }),
    namespaces: new Store({ resource: namespaces, project: projectNamespace, onProblem }),
    leafSecrets: new Store({ resource: secrets, project: projectLeafSecret, indexes: indexes.leafSecrets, onProblem }),
    caSecrets: new Store({ resource: secrets, project: projectCaSecret, indexes: indexes.caSecrets, onProblem }),
    bundleCopies: new Store({ resource: configMaps, project: projectBundleCopy, indexes: indexes.bundleCopies, onProblem }),
    bundleRecords: new Store({ resource: configMaps, project: projectBundleRecord, indexes: indexes.bundleCopies, onProblem }),
    caSources: new Store({ resource: secrets, project: projectCaSource, onProblem }),
    deployments: new Store({ resource: deployments, project: projectWorkload('Deployment'), indexes: indexes.workloads, onProblem }),
    statefulSets: new Store({ resource: statefulSets, project: projectWorkload('StatefulSet'), indexes: indexes.workloads, onProblem }),
    daemonSets: new Store({ resource: daemonSets, project: projectWorkload('DaemonSet'), indexes: indexes.workloads, onProblem }),
  }
}

interface WatchDeps {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly operatorNamespace: string
}

/** A watch for each store that is always filled, by its name. */
export function storeWatchers(stores: Stores, deps: WatchDeps): Record<StandingCache, Watcher<Stored>> {
  const optional: readonly string[] = restartCaches
  return watchersOf(
    (Object.keys(scopes) as StandingCache[]).filter((name) => !optional.includes(name)),
    stores,
    deps,
  )
}

/**
 * A watch for each store of workloads. The rights to them are an option, so nobody waits for them; until the first list is complete the store
 * counts as unreadable, and whoever needs it can say so.
 */
export function restartWatchers(stores: Stores, deps: WatchDeps): Record<RestartCache, Watcher<Stored>> {
  for (const name of restartCaches) stores[name].markUnreadable()
  return watchersOf(restartCaches, stores, deps)
}

function watchersOf<K extends WatchedCache>(names: readonly K[], stores: Stores, deps: WatchDeps): Record<K, Watcher<Stored>> {
  const { operatorNamespace, ...shared } = deps
  const watcherOf = (name: K): Watcher<Stored> => {
    const scope: Scope = scopes[name]
    const store = stores[name] as unknown as Store<Stored>
    return new Watcher({
      ...shared,
      store,
      resource: scope.resource,
      ...(scope.labelSelector === undefined ? {} : { labelSelector: scope.labelSelector }),
      ...(scope.operatorNamespaceOnly ? { namespace: operatorNamespace } : {}),
    })
  }
  return Object.fromEntries(names.map((name) => [name, watcherOf(name)])) as Record<K, Watcher<Stored>>
}
