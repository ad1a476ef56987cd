// Which keys a change of an object wakes. Used by operator.ts to connect stores with controllers. Holds nothing.

import type { Change, Store, Stored } from '../k8s/store.ts'
import type { Controller } from './controller.ts'

/**
 * Enqueues the keys that `keysOf` gives for each change of the store from now on; subscribe before the watcher starts and the first list wakes everything.
 * A change has a before and an after: usually the keys of both. What `keysOf` throws goes to the store's onProblem. Returns a function that ends it.
 */
export function trigger<T extends Stored>(
  store: Pick<Store<T>, 'subscribe'>,
  controller: Pick<Controller, 'enqueue'>,
  keysOf: (change: Change<T>) => Iterable<string>,
): () => void {
  return store.subscribe((change) => {
    for (const key of keysOf(change)) controller.enqueue(key, { own: change.own })
  })
}
