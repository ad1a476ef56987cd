// MutualIdentities as somebody outside sees them: a watch, and waits for what all of them have come to. Used by the bench.

import type { Cluster } from '../../scripts/install/cluster.ts'
import { mutualIdentities } from '../../src/api/kinds.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import type { RawObject } from '../../src/k8s/resource.ts'
import { Store, type Stored, storedMeta } from '../../src/k8s/store.ts'
import { Watcher } from '../../src/k8s/watcher.ts'

export interface Identities {
  all(): Iterable<SeenIdentity>
  /** When the `count`th identity came to pass `test`, from now on or before; milliseconds since 1970. */
  reached(count: number, test: (identity: SeenIdentity) => boolean): Promise<number>
  /** Milliseconds from `since` to Ready as it was seen here, of the first `count` identities that become it from now on; `since` (of `performance.now()`) is undefined for those that do not count. */
  readyTimes(count: number, since: (identity: SeenIdentity) => number | undefined): Promise<readonly number[]>
  close(): Promise<void>
}

/** As little as the phases ask for: what is looked at here costs the machine that is measured. */
export interface SeenIdentity extends Stored {
  readonly ready: boolean
  readonly serialNumber: string | undefined
}

export const isReady = ({ ready }: SeenIdentity): boolean => ready

export function seenIdentity(raw: RawObject): SeenIdentity {
  const { conditions = [], certificate } = (raw['status'] ?? {}) as {
    conditions?: readonly { type: string; status: string; observedGeneration?: number }[]
    certificate?: { serialNumber: string }
  }
  const { generation } = raw.metadata
  const ready = conditions.some((one) => one.type === 'Ready' && one.status === 'True' && one.observedGeneration === generation)
  return { ...storedMeta(raw), ready, serialNumber: certificate?.serialNumber }
}

export async function watchIdentities(cluster: Cluster): Promise<Identities> {
  const store = new Store({ resource: mutualIdentities, project: seenIdentity })
  const shared = { clock: systemClock, random: systemRandom, log: silentLog }
  const watcher = new Watcher({ ...shared, client: cluster.client, store, resource: mutualIdentities })
  await watcher.start()
  return {
    all: () => store.all(),
    async reached(count, test) {
      const passed = new Set<string>()
      const done = Promise.withResolvers<number>()
      const look = (identity: SeenIdentity): void => {
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
