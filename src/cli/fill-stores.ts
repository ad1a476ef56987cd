// Fills the controller's stores by one list each, for one namespace and the operator's, under a person's rights: what is refused is marked
// unreadable. Used by the verbs of the command; nothing is watched.

import type { Client } from '../k8s/client.ts'
import { isForbidden, isNotFound } from '../k8s/errors.ts'
import type { Store, Stored } from '../k8s/store.ts'
import { createStores, restartCaches, type Scope, type Stores, scopes, type WatchedCache } from '../stores.ts'

/** Rejects when the API server cannot be reached. */
export async function fillStores(client: Client, namespace: string, operatorNamespace: string): Promise<Stores> {
  const stores = createStores(() => {})
  await Promise.all(
    (Object.keys(scopes) as WatchedCache[]).filter(isNeeded).map((name) => {
      const scope: Scope = scopes[name]
      const where = scope.operatorNamespaceOnly ? operatorNamespace : scope.resource.namespaced ? namespace : undefined
      return fill(client, stores[name] as unknown as Store<Stored>, scope, where)
    }),
  )
  return stores
}

/** No plan of an identity looks at workloads. */
const isNeeded = (name: WatchedCache): boolean => !(restartCaches as readonly string[]).includes(name)

async function fill(client: Client, store: Store<Stored>, scope: Scope, namespace: string | undefined): Promise<void> {
  const replacement = store.beginReplace()
  let resourceVersion = ''
  try {
    const options = {
      ...(namespace === undefined ? {} : { namespace }),
      ...(scope.labelSelector === undefined ? {} : { labelSelector: scope.labelSelector }),
    }
    for await (const page of client.listPages(scope.resource, options)) {
      for (const item of page.items) replacement.add(item)
      resourceVersion = page.resourceVersion
    }
    replacement.finish(resourceVersion)
  } catch (error) {
    if (!isForbidden(error) && !isNotFound(error)) throw error
    store.markUnreadable()
  }
}
