// Fills the controller's stores by one list each, for one namespace (or all) and the operator's, under a person's rights: what is refused is marked
// unreadable. Used by the verbs of the command; nothing is watched.

import { OperatorError } from '../base/errors.ts'
import type { Client } from '../k8s/client.ts'
import { isForbidden, isNotFound } from '../k8s/errors.ts'
import type { Store, Stored } from '../k8s/store.ts'
import { createStores, restartCaches, type Scope, type Stores, scopes, type WatchedCache } from '../stores.ts'

export interface Filling {
  /** Undefined: the whole cluster. */
  readonly namespace: string | undefined
  readonly operatorNamespace: string
  /** Read in the whole cluster where this account may, else in the namespace: what others claim counts for authorities. */
  readonly everywhere?: readonly WatchedCache[]
  /** Only these; default: what an identity's plan looks at. */
  readonly only?: readonly WatchedCache[]
}

/** Rejects when the API server cannot be reached, or does not know our kinds. */
export async function fillStores(client: Client, { namespace, operatorNamespace, everywhere = [], only }: Filling): Promise<Stores> {
  const stores = createStores(() => {})
  const names = only ?? (Object.keys(scopes) as WatchedCache[]).filter(isNeeded)
  await Promise.all(
    names.map(async (name) => {
      const scope: Scope = scopes[name]
      const store = stores[name] as unknown as Store<Stored>
      const where = scope.operatorNamespaceOnly ? operatorNamespace : scope.resource.namespaced ? namespace : undefined
      if (everywhere.includes(name)) {
        await fill(client, store, scope, undefined)
        if (store.readable) return
      }
      await fill(client, store, scope, where)
    }),
  )
  return stores
}

/** No plan of an identity looks at workloads, or at copies of bundles. */
const isNeeded = (name: WatchedCache): boolean => name !== 'bundleCopies' && !(restartCaches as readonly string[]).includes(name)

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
    if (isNotFound(error)) throw notServed(scope)
    if (!isForbidden(error)) throw error
    store.markUnreadable()
  }
}

/** Reason of the error where our kinds are not installed. */
export const NOT_SERVED = 'NotServed'

function notServed({ resource }: Scope): OperatorError {
  return new OperatorError('blocked', NOT_SERVED, `the API server serves no ${resource.plural}`)
}
