// `npm run bench`: starts its own control plane and prints one table, everything measured in one run on one machine.
//   --identities N (1000)  --foreign N (5000)  --idle-minutes N (10)
// Not part of the tests: it takes a quarter of an hour and judges nothing.

import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startControlPlane } from '../../scripts/control-plane/index.ts'
import { type Cluster, connectCluster } from '../../scripts/install/cluster.ts'
import { installOperator } from '../../scripts/install/install.ts'
import { controllerKubeconfig } from '../../scripts/install/service-account.ts'
import { mutualIdentities } from '../../src/api/kinds.ts'
import { projectMutualIdentity } from '../../src/api/mutual-identity.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { namespaces } from '../../src/k8s/resource.ts'
import { Store } from '../../src/k8s/store.ts'
import { Watcher } from '../../src/k8s/watcher.ts'
import { countWrites, difference, settledWrites } from './api-counts.ts'
import { type MeasuredController, startMeasured } from './measured-controller.ts'
import { foreignSecrets, populate } from './population.ts'
import { rawCreates } from './raw-creates.ts'

const OPERATOR = 'mutual-identity-system'
const CONNECTIONS = 32

const { values } = parseArgs({
  options: {
    identities: { type: 'string', default: '1000' },
    foreign: { type: 'string', default: '5000' },
    'idle-minutes': { type: 'string', default: '10' },
  },
})
const count = Number(values.identities)
const rows: [string, string][] = []
const say = (line: string): void => console.log(`  ${line}`)
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`

const folder = mkdtempSync(join(tmpdir(), 'mutual-identity-bench-'))
const plane = await startControlPlane({ say })
const admin = await connectCluster(plane.kubeconfigFile, 'bench')
try {
  await measure()
  console.log(`\n${availableParallelism()} cores, ${mib(totalmem())}, Node ${process.version}, everything on this machine\n`)
  const width = Math.max(...rows.map(([name]) => name.length))
  for (const [name, value] of rows) console.log(`  ${name.padEnd(width)}  ${value}`)
} finally {
  await admin.close()
  await plane.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function measure(): Promise<void> {
  await installOperator(admin.client, { namespace: OPERATOR })
  const kubeconfig = await controllerKubeconfig(admin, { namespace: OPERATOR, file: join(folder, 'kubeconfig') })
  const account = await connectCluster(kubeconfig, 'mutual-identity')
  await admin.client.create(namespaces, { metadata: { name: 'raw' } })
  await rawCreates(account.client, { namespace: 'raw', count: 500, connections: CONNECTIONS, tag: 'warm' })
  const rawBefore = await rawCreates(account.client, { namespace: 'raw', count: 3000, connections: CONNECTIONS, tag: 'before' })
  say(`raw Secret creates: ${rawBefore.toFixed(0)}/s`)
  await populate(admin.client, 'bench', count)
  say(`${count} identities with their Services and pods are there`)

  const before = await settledWrites(admin.access)
  const flags = ['--resync-minutes', '1']
  const controller = await startMeasured({ kubeconfig, namespace: OPERATOR, logFile: join(folder, 'controller.log'), flags })
  const lastReadyAt = await allReady(admin, count)
  const cpu = controller.cpuSeconds()
  const writes = difference(await settledWrites(admin.access), before)
  const rate = count / ((lastReadyAt - (controller.firstIssuedAt() ?? Number.NaN)) / 1000)
  const rawAfter = await rawCreates(account.client, { namespace: 'raw', count: 3000, connections: CONNECTIONS, tag: 'after' })
  await account.close()
  const raw = (rawBefore + rawAfter) / 2
  rows.push(
    ['raw Secret creates, 32 connections', `${raw.toFixed(0)}/s (before ${rawBefore.toFixed(0)}, after ${rawAfter.toFixed(0)})`],
    [`first issuance of ${count} identities in one namespace`, `${rate.toFixed(0)}/s`],
    ['share of raw creates', `${((rate / raw) * 100).toFixed(1)} %`],
    ['writes an identity', `${(sum(writes, /^(secrets|mutualidentities|events)/) / count).toFixed(3)}`],
    ['all writes', JSON.stringify(writes)],
    ['CPU of the controller an identity, start included', `${((cpu / count) * 1000).toFixed(2)} ms`],
  )
  await memoryRows(controller)
  await idleRows(controller)
  await controller.process.stop()
}

async function memoryRows(controller: MeasuredController): Promise<void> {
  const first = await controller.memory()
  say(`memory after ${count} identities: ${mib(first.rss)}`)
  await foreignSecrets(admin.client, 'foreign', Number(values.foreign))
  await sleep(3000)
  const second = await controller.memory()
  rows.push(
    [
      `resident memory with ${count} identities, after a collection`,
      `${mib(first.rss)} (heap ${mib(first.heapUsed)}, external ${mib(first.external)})`,
    ],
    [
      `the same with ${values.foreign} foreign Secrets of 10 kB`,
      `${mib(second.rss)} (heap ${mib(second.heapUsed)}, external ${mib(second.external)})`,
    ],
    [
      'growth',
      `${mib(second.rss - first.rss)} resident, ${mib(second.heapUsed + second.external - first.heapUsed - first.external)} heap and external`,
    ],
  )
}

async function idleRows(controller: MeasuredController): Promise<void> {
  const minutes = Number(values['idle-minutes'])
  const before = await settledWrites(admin.access)
  const cpu = controller.cpuSeconds()
  say(`idle for ${minutes} minutes, every identity looked at again each minute`)
  await sleep(minutes * 60_000)
  const writes = difference(await countWrites(admin.access), before)
  rows.push(
    [`writes but the Lease in ${minutes} idle minutes, resync each minute`, JSON.stringify(writes)],
    ['CPU of the idle controller a minute', `${(((controller.cpuSeconds() - cpu) / minutes) * 1000).toFixed(0)} ms`],
  )
}

/** When the last identity became Ready, as a watch of ours saw it; milliseconds since 1970. */
async function allReady(cluster: Cluster, wanted: number): Promise<number> {
  const ready = new Set<string>()
  const done = Promise.withResolvers<number>()
  const store = new Store({ resource: mutualIdentities, project: projectMutualIdentity })
  store.subscribe(({ after }) => {
    if (!after?.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True')) return
    ready.add(after.name)
    if (ready.size === wanted) done.resolve(systemClock.now())
  })
  const shared = { clock: systemClock, random: systemRandom, log: silentLog }
  const watcher = new Watcher({ ...shared, client: cluster.client, store, resource: mutualIdentities, namespace: 'bench' })
  await watcher.start()
  const progress = setInterval(() => say(`${ready.size} of ${wanted} are ready`), 10_000)
  try {
    return await done.promise
  } finally {
    clearInterval(progress)
    await watcher.stop()
  }
}

function sum(counts: Readonly<Record<string, number>>, pattern: RegExp): number {
  return Object.entries(counts).reduce((total, [key, value]) => total + (pattern.test(key) ? value : 0), 0)
}
