// A collection of the cluster, followed by the project's own watcher while the show lasts, and waits on what it holds. Used by the steps that wait for
// the operator, and by the stand-in for the kubelet. Writes nothing.

import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import type { RawObject, Resource } from '../../src/k8s/resource.ts'
import { Store, type Stored } from '../../src/k8s/store.ts'
import { Watcher } from '../../src/k8s/watcher.ts'
import type { Cluster } from '../install/cluster.ts'
import { PATIENCE_MS } from './names.ts'
import type { Stage } from './stage.ts'

export interface FollowOptions<T extends Stored> {
  readonly resource: Resource
  readonly namespace: string
  readonly labelSelector?: string
  readonly project: (raw: RawObject) => T
}

/** Resolves when the collection is there. */
export async function follow<T extends Stored>(stage: Stage, cluster: Cluster, options: FollowOptions<T>): Promise<Store<T>> {
  const { resource, project, ...scope } = options
  const store = new Store({
    resource,
    project,
    onProblem: ({ name, error }) => stage.breakOff(new Error(`${resource.kind} ${name} cannot be read`, { cause: error })),
  })
  const watcher = new Watcher({
    client: cluster.client,
    store,
    resource,
    ...scope,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  })
  await stage.own(`the ${watcher.name}`, () => watcher.stop())
  await stage.wait(watcher.start(), PATIENCE_MS, `a list of ${resource.plural}`)
  return store
}

/** The first answer of `look` that is not undefined, asked anew after each change of the store. `what` says for people what is waited for. */
export async function until<T extends Stored, R>(
  stage: Stage,
  store: Store<T>,
  what: string,
  look: () => R | undefined,
  patienceMs: number = PATIENCE_MS,
): Promise<R> {
  const { promise, resolve } = Promise.withResolvers<R>()
  const check = (): void => {
    const found = look()
    if (found !== undefined) resolve(found)
  }
  const unsubscribe = store.subscribe(check)
  try {
    check()
    return await stage.wait(promise, patienceMs, what)
  } finally {
    unsubscribe()
  }
}
