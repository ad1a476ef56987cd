// `npm run bench:compare`: any operator, measured from outside. Makes objects of a template and waits until all have the condition Ready; tells the rate,
// its share of raw Secret creates of the same run, and what each object cost: writes, refused writes, CPU, memory. docs/performance.md has an example.

import { type Cluster, connectCluster } from '../../scripts/install/cluster.ts'
import { namespaces, type Resource } from '../../src/k8s/resource.ts'
import { memoryOf, parsePids, startOperator } from './any-operator.ts'
import { type Counts, countRefused, difference, settledWrites, sum } from './api-counts.ts'
import { cpuOf } from './cpu.ts'
import { readCount, readFlags, refuse } from './flags.ts'
import { inParallel } from './parallel.ts'
import { rawCreates } from './raw-creates.ts'
import { watchReady } from './ready-watch.ts'
import { createReport, mib, ms, percentile, perSecond } from './report.ts'
import { readTemplate } from './template.ts'

const CONNECTIONS = 32

const USAGE = `Measures any operator from outside: npm run bench:compare -- FLAGS [-- COMMAND ...]

  --kubeconfig FILE   of an administrator, and of a cluster to throw away: nothing that is made is removed, and everybody's writes are counted
  --template FILE     YAML; each object's name is put in for $NAME, and the last document is the one that becomes Ready
  --count N           how many
  --namespace NS      where, there already (default)
  --pid NAME=PID      a process that is measured too; may be repeated
  -- COMMAND ...      the operator itself, not a script around it: it is started when the objects are there, and ended. Without it the operator
                      runs already (its process by --pid): it sees the raw Secrets too, and the time counts from the first create`

const { values, positionals: command } = readFlags(
  USAGE,
  {
    kubeconfig: { type: 'string' },
    template: { type: 'string' },
    count: { type: 'string' },
    namespace: { type: 'string', default: 'default' },
    pid: { type: 'string', multiple: true, default: [] },
  },
  true,
)
const { kubeconfig, template: file, namespace } = values
if (!kubeconfig || !file || !values.count) refuse(USAGE, '--kubeconfig FILE, --template FILE and --count N are needed')
const count = readCount(USAGE, 'count', values.count)
const others = parsePids(values.pid)
/** Keeps what this run makes apart from what another one left. */
const run = `compare-${Date.now().toString(36)}`
const report = createReport()
const say = (line: string): void => console.log(`  ${line}`)
const cluster = await connectCluster(kubeconfig, 'bench')
try {
  await cluster.client.create(namespaces, { metadata: { name: run } })
  await rawRate('warm', 1000)
  const before = await rawRate('before')
  const rate = await measure(cluster)
  const raw = (before + (await rawRate('after'))) / 2
  report.row('share of raw Secret creates', `${((rate / raw) * 100).toFixed(1)} % of ${perSecond(raw)}`)
  report.print()
} finally {
  await cluster.close()
}

async function rawRate(tag: string, many = 3000): Promise<number> {
  const rate = await rawCreates(cluster.client, { namespace: run, count: many, connections: CONNECTIONS, tag })
  say(`raw Secret creates, ${tag}: ${perSecond(rate)}`)
  return rate
}

/** Returns objects a second. */
async function measure({ client, access }: Cluster): Promise<number> {
  const template = await readTemplate(access, file as string, namespace)
  const make = (): Promise<void> =>
    inParallel(count, CONNECTIONS, async (index) => {
      for (const [place, object] of template.objects(`${run}-${index}`).entries())
        await client.create(template.resources[place] as Resource, object)
    })
  const watched = await watchReady(client, template.resources.at(-1) as Resource, { namespace, prefix: run, count })
  const startsIt = command.length > 0
  if (startsIt) await make()
  const written = await settledWrites(access)
  const refused = await countRefused(access)
  const used = cpuOf(others)
  const from = performance.now()
  const started = startsIt ? await startOperator(command) : undefined
  try {
    if (started) say(`${count} objects are there, the operator has started; what it prints is in ${started.logFile}`)
    else await make()
    await Promise.race([watched.allReady(say), ...(started ? [started.gone] : [])])
    const pids = { ...(started ? { operator: started.pid } : {}), ...others }
    const untilReady = difference(cpuOf(pids), used)
    const all = difference(await settledWrites(access), written)
    const untilRest = difference(cpuOf(pids), used)

    const [first, last] = [watched.readyAt[0] as number, watched.readyAt.at(-1) as number]
    const rate = count / ((last - (started ? watched.firstChangeAt : from)) / 1000)
    report.row(`from the first ${started ? 'change' : 'create'} to the last Ready`, `${rate.toFixed(1)}/s`)
    report.row(
      `from the ${started ? "operator's start" : 'first create'} to the first and the last Ready`,
      `${ms(first - from)}, ${ms(last - from)}`,
    )
    const took = watched.tookFrom(from)
    report.row('Ready after', `p50 ${ms(percentile(took, 0.5))}, p99 ${ms(percentile(took, 0.99))}`)
    const writes = startsIt ? all : withoutMade(all, template.resources)
    report.row('writes each', `${(sum(writes) / count).toFixed(3)} ${JSON.stringify(writes)}`)
    report.row('refused writes each', (((await countRefused(access)) - refused) / count).toFixed(3))
    const each = (seconds = 0): string => ms((seconds / count) * 1000)
    for (const [name, pid] of Object.entries(pids)) {
      const { resident, peak } = memoryOf(pid)
      report.row(`${name}: CPU each until the last Ready (until the last write)`, `${each(untilReady[name])} (${each(untilRest[name])})`)
      report.row(`${name}: memory resident now (at most)`, `${mib(resident)} (${mib(peak)})`)
    }
    return rate
  } finally {
    await watched.stop()
    await started?.stop()
  }
}

/** Less the creates of this run itself. */
function withoutMade(writes: Counts, resources: readonly Resource[]): Counts {
  const made: Record<string, number> = {}
  for (const { plural } of resources) made[`${plural} post`] = (made[`${plural} post`] ?? 0) + count
  return difference(writes, made)
}
