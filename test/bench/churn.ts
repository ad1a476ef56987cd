// `npm run bench:churn`: what pods that come and go cost the operator alone, at a pace that no API server on the same machine reaches. The operator is
// the process that the image has; the API server is in memory, in this process, and tells of pods that it does not keep. Loopback only.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PROJECT_FOLDER } from '../../scripts/install/manifests.ts'
import { mutualIdentities } from '../../src/api/kinds.ts'
import { systemClock } from '../../src/base/clock.ts'
import { systemRandom } from '../../src/base/random.ts'
import { type Client, createClient } from '../../src/k8s/client.ts'
import { namespaces, services } from '../../src/k8s/resource.ts'
import { type MemoryApi, memoryApi } from '../support/memory-api/server.ts'
import { serveApi } from './churn/api.ts'
import { Crowd } from './churn/crowd.ts'
import type { Owner } from './churn/pod-json.ts'
import { readCount, readFlags } from './flags.ts'
import { seenIdentity } from './identities.ts'
import { type MeasuredController, startMeasured } from './measured-controller.ts'
import { createReport, heldText, mib, ms } from './report.ts'
import { OPERATOR } from './stage.ts'

const USAGE = `What pods that come and go cost the operator alone: npm run bench:churn [-- FLAGS]

  --rate N           pods replaced a second (500)
  --seconds N        for how long (20)
  --pods N           how many there are (20000)
  --identities N     owners of them, with an identity each (200)
  --namespaces N     in so many namespaces (20)
  --sources          runs the sources instead of the bundle
  --profile FOLDER   runs the sources under Node's profiler, which takes CPU itself, and leaves the profile there`

const { values } = readFlags(USAGE, {
  rate: { type: 'string', default: '500' },
  seconds: { type: 'string', default: '20' },
  pods: { type: 'string', default: '20000' },
  identities: { type: 'string', default: '200' },
  namespaces: { type: 'string', default: '20' },
  profile: { type: 'string' },
  sources: { type: 'boolean', default: false },
})
const count = (flag: 'rate' | 'seconds' | 'pods' | 'identities' | 'namespaces'): number => readCount(USAGE, flag, values[flag])
/** Node compiles what runs often only once it has. */
const WARM_UP_S = 5
const rate = count('rate')
const seconds = count('seconds')
const places = count('namespaces')
const owners = Array.from({ length: count('identities') }, (_, index): Owner => {
  return { namespace: `team-${index % places}`, name: `app-${index}` }
})

const folder = mkdtempSync(join(tmpdir(), 'mutual-identity-churn-'))
const api = memoryApi({ clock: systemClock })
const crowd = new Crowd(owners, count('pods'))
await populate(createClient(api.connect({ user: 'person' }), { clock: systemClock, random: systemRandom, fieldManager: 'person' }))
const kubeconfig = join(folder, 'kubeconfig')
const served = await serveApi(api.connect(), crowd, kubeconfig)
let controller: MeasuredController | undefined
try {
  controller = await startMeasured({ kubeconfig, entry: entry() }, { nodeFlags: profiling() })
  await allReady()
  await churn(controller)
} finally {
  await controller?.process.stop()
  await served.close()
  rmSync(folder, { recursive: true, force: true })
}
process.exit()

function entry(): string {
  if (values.sources || values.profile !== undefined) return join('src', 'main.ts')
  execFileSync(process.execPath, ['scripts/bundle.ts'], { cwd: PROJECT_FOLDER, stdio: 'ignore' })
  return join('dist', 'operator', 'operator.mjs')
}

function profiling(): readonly string[] {
  return values.profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-interval=500', `--cpu-prof-dir=${values.profile}`]
}

/** Each identity with its Service; its pods are the crowd's. */
async function populate(client: Client): Promise<void> {
  for (const name of [OPERATOR, ...new Set(owners.map(({ namespace }) => namespace))])
    await client.create(namespaces, { metadata: { name } })
  for (const { namespace, name } of owners) {
    const selector = { app: name }
    await client.create(services, { metadata: { namespace, name }, spec: { selector, ports: [{ port: 443 }] } })
    await client.create(mutualIdentities, { metadata: { namespace, name }, spec: { podSelector: { matchLabels: selector } } })
  }
}

async function allReady(): Promise<void> {
  const ready = (): number => api.objects(mutualIdentities).filter((raw) => seenIdentity(raw).ready).length
  const until = performance.now() + 60_000
  while (ready() < owners.length) {
    if (performance.now() > until) throw new Error(`${ready()} of ${owners.length} identities are Ready after a minute`)
    await sleep(500)
  }
  // Events of the issuances are still written.
  await sleep(5000)
}

/** Returns how many were replaced, at the pace that was asked for. */
async function replaceFor(length: number): Promise<number> {
  const startedAt = performance.now()
  let replaced = 0
  while (performance.now() - startedAt < length * 1000) {
    for (; replaced < ((performance.now() - startedAt) / 1000) * rate; replaced++) crowd.replaceOne()
    await sleep(2)
  }
  return replaced
}

async function churn(measured: MeasuredController): Promise<void> {
  const report = createReport()
  const idleFrom = measured.cpuSeconds()
  await sleep(5000)
  const idle = (measured.cpuSeconds() - idleFrom) / 5
  await replaceFor(WARM_UP_S)
  await measured.memory()
  const [cpuBefore, sentBefore, writesBefore] = [measured.cpuSeconds(), crowd.sent, writes(api)]
  const replaced = await replaceFor(seconds)
  crowd.settle()
  await sleep(1000)
  const cpu = measured.cpuSeconds() - cpuBefore
  const [{ events, bytes }, writesAfter] = [crowd.sent, writes(api)]
  const more = (what: string): number => (writesAfter.get(what) ?? 0) - (writesBefore.get(what) ?? 0)
  const memory = await measured.memory()
  const sent = events - sentBefore.events
  report.row('pods replaced', `${replaced} of ${values.pods}, ${(replaced / seconds).toFixed(0)} a second`)
  report.row('events', `${sent}, ${((bytes - sentBefore.bytes) / sent / 1000).toFixed(1)} kB each`)
  report.row(
    'CPU of the operator for each replaced pod',
    `${ms((cpu / replaced) * 1000)} (${ms(((cpu - idle * (seconds + 1)) / replaced) * 1000)} beyond what it takes at rest)`,
  )
  report.row(
    'of one core',
    `${((cpu / seconds) * 100).toFixed(1)} % (at rest, with the bench's own look at the event loop each 2 ms: ${(idle * 100).toFixed(1)} %)`,
  )
  report.row('writes of Secrets', String(more('secrets')))
  report.row('statuses', String(more('mutualidentities')))
  report.row('events written', String(more('events')))
  report.row('event loop held', heldText(memory))
  report.row('memory', `${mib(memory.rss)} resident, ${mib(memory.heapUsed)} heap`)
  report.print()
}

/** By collection. */
function writes({ requests }: MemoryApi): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { user, verb, resource } of requests) {
    if (user === 'operator' && verb !== 'get') counts.set(resource, (counts.get(resource) ?? 0) + 1)
  }
  return counts
}
