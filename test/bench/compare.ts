// `node test/bench/compare.ts --kubeconfig FILE --resource GROUP/VERSION/PLURAL --kind KIND [--namespace NS] --count N [--pid P]`: any other operator, from
// outside. Waits until N objects of that kind have the condition Ready, and tells the rate, what was written meanwhile, and the memory and CPU of a process.
// Start it, then create the objects (or start the operator). For figures beside those of `npm run bench`, measure on the same machine.

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { connectCluster } from '../../scripts/install/cluster.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import type { RawObject, Resource } from '../../src/k8s/resource.ts'
import { Store, storedMeta } from '../../src/k8s/store.ts'
import { Watcher } from '../../src/k8s/watcher.ts'
import { countWrites, difference, settledWrites } from './api-counts.ts'
import { cpuSecondsOf } from './cpu.ts'
import { mib, ms, percentile } from './report.ts'

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    resource: { type: 'string' },
    kind: { type: 'string' },
    namespace: { type: 'string' },
    count: { type: 'string' },
    pid: { type: 'string' },
  },
})
const { kubeconfig, resource: path, kind, namespace, count, pid } = values
const [group, version, plural] = path?.split('/') ?? []
if (!kubeconfig || !group || !version || !plural || !kind || !count) {
  console.error('--kubeconfig FILE, --resource GROUP/VERSION/PLURAL, --kind KIND and --count N are needed')
  process.exit(2)
}
const resource: Resource = { group, version, plural, kind, namespaced: true }
const cluster = await connectCluster(kubeconfig, 'bench')
const seenAt = new Map<string, number>()
const took: number[] = []
const ready: number[] = []
const done = Promise.withResolvers<void>()
const store = new Store({ resource, project: (raw) => ({ ...storedMeta(raw), ready: isReady(raw) }) })
store.subscribe(({ before, after }) => {
  if (!after) return
  const now = performance.now()
  if (!before) seenAt.set(after.uid, now)
  if (!after.ready || before?.ready) return
  took.push(now - (seenAt.get(after.uid) as number))
  if (ready.push(now) >= Number(count)) done.resolve()
})
const shared = { clock: systemClock, random: systemRandom, log: silentLog }
const watcher = new Watcher({ ...shared, client: cluster.client, store, resource, ...(namespace === undefined ? {} : { namespace }) })
try {
  await watcher.start()
  const writes = await countWrites(cluster.access)
  const cpu = pid === undefined ? 0 : cpuSecondsOf(Number(pid))
  await done.promise
  const seconds = ((ready.at(-1) as number) - (ready[0] as number)) / 1000
  console.log(`rate from the first to the last Ready  ${(ready.length / seconds).toFixed(1)}/s`)
  console.log(`from seen to Ready                     p50 ${ms(percentile(took, 0.5))}, p99 ${ms(percentile(took, 0.99))}`)
  if (pid !== undefined) {
    console.log(`CPU of process ${pid} each             ${ms(((cpuSecondsOf(Number(pid)) - cpu) / ready.length) * 1000)}`)
    const [, kilobytes = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    console.log(`resident memory of process ${pid}      ${mib(Number(kilobytes) * 1024)}`)
  }
  const all = difference(await settledWrites(cluster.access), writes)
  const total = Object.values(all).reduce((sum, one) => sum + one, 0)
  console.log(`writes each                            ${(total / ready.length).toFixed(2)} ${JSON.stringify(all)}`)
} finally {
  await watcher.stop()
  await cluster.close()
}

function isReady({ status }: RawObject): boolean {
  const { conditions = [] } = (status ?? {}) as { conditions?: readonly { readonly type: string; readonly status: string }[] }
  return conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True')
}
