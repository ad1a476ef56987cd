// Small objects and a store of them, for the tests of store and watcher.

import type { RawObject } from '../../src/k8s/resource.ts'
import { configMaps } from '../../src/k8s/resource.ts'
import { Store, type Stored, type StoreOptions, storedMeta } from '../../src/k8s/store.ts'

export interface Item extends Stored {
  readonly color: string
}

/** A ConfigMap named `namespace/name` (or `name`), whose uid is that name unless told otherwise. */
export function configMap(
  key: string,
  { version, uid = key, color = 'none', terminating = false }: { version: string; uid?: string; color?: string; terminating?: boolean },
): RawObject {
  const [name = '', namespace] = key.split('/').reverse()
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      resourceVersion: version,
      ...(terminating ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    data: { color },
  }
}

/** Projects the color, by which there is an index. The color `throw` breaks the projection, `no index` the index function. */
export function itemStore(onProblem?: StoreOptions<Item>['onProblem']): Store<Item> {
  return new Store<Item>({
    resource: configMaps,
    project(raw) {
      const { color } = raw.data as { color: string }
      if (color === 'throw') throw new Error('cannot be projected')
      return { ...storedMeta(raw), color }
    },
    indexes: {
      color({ color }) {
        if (color === 'no index') throw new Error('cannot be indexed')
        return [color]
      },
    },
    ...(onProblem === undefined ? {} : { onProblem }),
  })
}

/** What a store holds, sorted: `shop/web 12`. */
export function items(store: Store<Item>): string[] {
  return [...store.all()].map((item) => `${item.namespace}/${item.name} ${item.resourceVersion}`).sort()
}
