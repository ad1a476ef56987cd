// When each of many objects of any kind becomes Ready, as a watch from outside sees it. Used by compare.ts.

import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import type { Client } from '../../src/k8s/client.ts'
import type { RawObject, Resource } from '../../src/k8s/resource.ts'
import { Store, storedMeta } from '../../src/k8s/store.ts'
import { Watcher } from '../../src/k8s/watcher.ts'

const SAID_EVERY_MS = 10_000
/** Some operators say nothing of an object while they work on others, but not for that long. */
const STALLED_MS = 120_000

export interface ReadyWatch {
  /** When an object was first seen to change after it was made; performance.now() as all times here. */
  readonly firstChangeAt: number
  /** When they became Ready, in that order. */
  readonly readyAt: readonly number[]
  /** How long each took from when it was made or, where that is later, from `from`. */
  tookFrom(from: number): readonly number[]
  /** Resolves when all are Ready; rejects when nothing changes any more. */
  allReady(say: (line: string) => void): Promise<void>
  stop(): Promise<void>
}

/** Of the `count` objects whose names start with `prefix`, which are made after this has resolved. */
export async function watchReady(
  client: Client,
  resource: Resource,
  { namespace, prefix, count }: { namespace: string; prefix: string; count: number },
): Promise<ReadyWatch> {
  const madeAt = new Map<string, number>()
  const readyAt = new Map<string, number>()
  const done = Promise.withResolvers<void>()
  let firstChangeAt = Number.NaN
  let lastChangeAt = performance.now()
  // The version a second time: a store tells of no change that is one of its resourceVersion alone.
  const project = (raw: RawObject) => ({ ...storedMeta(raw), version: raw.metadata.resourceVersion, ready: isReady(raw) })
  const store = new Store({ resource, project })
  store.subscribe(({ before, after }) => {
    if (!after?.name.startsWith(prefix)) return
    lastChangeAt = performance.now()
    if (!before) madeAt.set(after.name, lastChangeAt)
    else if (Number.isNaN(firstChangeAt)) firstChangeAt = lastChangeAt
    if (!after.ready || readyAt.has(after.name)) return
    readyAt.set(after.name, lastChangeAt)
    if (readyAt.size === count) done.resolve()
  })
  const shared = { clock: systemClock, random: systemRandom, log: silentLog }
  const watcher = new Watcher({ ...shared, client, store, resource, ...(resource.namespaced ? { namespace } : {}) })
  await watcher.start()
  return {
    get firstChangeAt() {
      return firstChangeAt
    },
    get readyAt() {
      return [...readyAt.values()]
    },
    tookFrom: (from) => [...readyAt].map(([name, at]) => at - Math.max(from, madeAt.get(name) as number)),
    async allReady(say) {
      lastChangeAt = performance.now()
      while (readyAt.size < count) {
        await Promise.race([done.promise, sleep(SAID_EVERY_MS, undefined, { ref: false })])
        say(`${readyAt.size} of ${count} are Ready`)
        if (performance.now() - lastChangeAt > STALLED_MS) throw new Error(`nothing changed for ${STALLED_MS / 1000} s`)
      }
    },
    stop: () => watcher.stop(),
  }
}

/** Where an operator says which generation a condition is about, it has to be this one. */
function isReady({ metadata: { generation }, status }: RawObject): boolean {
  const { conditions = [] } = (status ?? {}) as { conditions?: { type: string; status: string; observedGeneration?: number }[] }
  return conditions.some((one) => one.type === 'Ready' && one.status === 'True' && (one.observedGeneration ?? generation) === generation)
}
