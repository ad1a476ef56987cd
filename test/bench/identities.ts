// MutualIdentities as somebody outside sees them: a watch, and waits for what all of them have come to. Used by the bench.

import type { Cluster } from '../../scripts/install/cluster.ts'
import { mutualIdentities } from '../../src/api/kinds.ts'
import { type MutualIdentity, projectMutualIdentity } from '../../src/api/mutual-identity.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { Store } from '../../src/k8s/store.ts'
import { Watcher } from '../../src/k8s/watcher.ts'

export interface Identities {
  all(): Iterable<MutualIdentity>
  /** When the `count`th identity came to pass `test`, from now on or before; milliseconds since 1970. */
  reached(count: number, test: (identity: MutualIdentity) => boolean): Promise<number>
  /** Milliseconds from `since` to Ready as it was seen here, of the first `count` identities that become it from now on; `since` (of `performance.now()`) is undefined for those that do not count. */
  readyTimes(count: number, since: (identity: MutualIdentity) => number | undefined): Promise<readonly number[]>
  close(): Promise<void>
}

export const isReady = ({ status, generation }: MutualIdentity): boolean =>
  status.conditions.some(
    ({ type, status: is, observedGeneration }) => type === 'Ready' && is === 'True' && observedGeneration === generation,
  )

export async function watchIdentities(cluster: Cluster): Promise<Identities> {
  const store = new Store({ resource: mutualIdentities, project: projectMutualIdentity })
  const shared = { clock: systemClock, random: systemRandom, log: silentLog }
  const watcher = new Watcher({ ...shared, client: cluster.client, store, resource: mutualIdentities })
  await watcher.start()
  return {
    all: () => store.all(),
    async reached(count, test) {
      const passed = new Set<string>()
      const done = Promise.withResolvers<number>()
      const look = (identity: MutualIdentity): void => {
        if (!test(identity)) return
        passed.add(identity.uid)
        if (passed.size >= count) done.resolve(systemClock.now())
      }
      const end = store.subscribe(({ after }) => after && look(after))
      for (const identity of store.all()) look(identity)
      return await done.promise.finally(end)
    },
    async readyTimes(count, since) {
      const took = new Map<string, number>()
      const done = Promise.withResolvers<void>()
      const end = store.subscribe(({ after }) => {
        if (!after || took.has(after.uid) || !isReady(after)) return
        const startedAt = since(after)
        if (startedAt === undefined) return
        took.set(after.uid, performance.now() - startedAt)
        if (took.size === count) done.resolve()
      })
      await done.promise.finally(end)
      return [...took.values()]
    },
    close: () => watcher.stop(),
  }
}
