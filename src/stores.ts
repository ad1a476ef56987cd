// The stores of the process and the watches that fill them: which kinds, under which selectors, projected how, indexed by what.
// Used by the composition root, by explain (which fills them by one list each) and by tests.

import { projectClusterMutualAuthority } from './api/cluster-mutual-authority.ts'
import { clusterMutualAuthorities, mutualIdentities } from './api/kinds.ts'
import { projectMutualIdentity } from './api/mutual-identity.ts'
import { labels, managedSelector, type Role } from './api/names.ts'
import { projectBundleCopy, projectBundleRecord } from './api/stored/bundle.ts'
import { projectCaSecret } from './api/stored/ca-secret.ts'
import { projectLeafSecret } from './api/stored/leaf-secret.ts'
import type { Clock } from './base/clock.ts'
import type { Log } from './base/log.ts'
import type { Random } from './base/random.ts'
import { type Caches, indexes, projectNamespace, projectPod, projectService } from './controllers/caches.ts'
import type { Client } from './k8s/client.ts'
import { configMaps, namespaces, pods, type Resource, secrets, services } from './k8s/resource.ts'
import { Store, type Stored, type StoreProblem } from './k8s/store.ts'
import { Watcher } from './k8s/watcher.ts'

/** Caches that can be written to. */
export type Stores = {
  readonly [K in keyof Caches]: Caches[K] extends { get(namespace: string, name: string): infer T } ? Store<Extract<T, Stored>> : never
}

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
  pods: { resource: pods },
  services: { resource: services },
  namespaces: { resource: namespaces },
  leafSecrets: { resource: secrets, labelSelector: ofRole('leaf') },
  caSecrets: { resource: secrets, labelSelector: ofRole('ca'), operatorNamespaceOnly: true },
  bundleCopies: { resource: configMaps, labelSelector: ofRole('bundle') },
  bundleRecords: { resource: configMaps, labelSelector: ofRole('bundle'), operatorNamespaceOnly: true },
} as const satisfies Record<keyof Caches, Scope>

/** Empty stores. */
export function createStores(onProblem: (problem: StoreProblem) => void): Stores {
  return {
    identities: new Store({ resource: mutualIdentities, project: projectMutualIdentity, indexes: indexes.identities, onProblem }),
    authorities: new Store({ resource: clusterMutualAuthorities, project: projectClusterMutualAuthority, onProblem }),
    pods: new Store({ resource: pods, project: projectPod, indexes: indexes.pods, onProblem }),
    services: new Store({ resource: services, project: projectService, indexes: indexes.services, onProblem }),
    namespaces: new Store({ resource: namespaces, project: projectNamespace, onProblem }),
    leafSecrets: new Store({ resource: secrets, project: projectLeafSecret, onProblem }),
    caSecrets: new Store({ resource: secrets, project: projectCaSecret, indexes: indexes.caSecrets, onProblem }),
    bundleCopies: new Store({ resource: configMaps, project: projectBundleCopy, indexes: indexes.bundleCopies, onProblem }),
    bundleRecords: new Store({ resource: configMaps, project: projectBundleRecord, indexes: indexes.bundleCopies, onProblem }),
  }
}

/** A watch for each store, by its name. */
export function storeWatchers(
  stores: Stores,
  deps: { client: Client; clock: Clock; random: Random; log: Log; operatorNamespace: string },
): Record<keyof Caches, Watcher<Stored>> {
  const { operatorNamespace, ...shared } = deps
  const watcherOf = (name: keyof Caches): Watcher<Stored> => {
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
  const names = Object.keys(scopes) as (keyof Caches)[]
  return Object.fromEntries(names.map((name) => [name, watcherOf(name)])) as Record<keyof Caches, Watcher<Stored>>
}
