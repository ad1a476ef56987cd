// `npm run bench`: starts its own control plane and prints one table, everything measured in one run on one machine, by the bundle that the image has.
// Not part of the tests: it takes 25 minutes and judges nothing.

import { writeCharts } from './charts.ts'
import { readCount, readFlags } from './flags.ts'
import { changeAll, renewAll, restart } from './phases/again.ts'
import { ceiling } from './phases/ceiling.ts'
import { fairness } from './phases/fairness.ts'
import { idle } from './phases/idle.ts'
import { firstIssuance } from './phases/issuance.ts'
import { burst, latency } from './phases/latency.ts'
import { rawRate, rawRateByLibrary } from './phases/raw.ts'
import { crowdOfPods, foreign } from './phases/surroundings.ts'
import { createReport } from './report.ts'
import { openStage, type Stage } from './stage.ts'

const USAGE = `What certificates cost here, as one table: npm run bench [-- FLAGS]

  --identities LIST   how many, in runs of their own (1000,10000)
  --namespaces N      over so many namespaces a further run of the largest number; 0 or 1: none (500)
  --foreign N         Secrets of others (5000)
  --pods N            pods of others (20000)
  --crowd N           new identities beside which another waits (5000)
  --idle-minutes N    how long it is looked at with nothing to do (2)
  --charts FOLDER     draws the pictures of the table there`

const { values } = readFlags(USAGE, {
  identities: { type: 'string', default: '1000,10000' },
  namespaces: { type: 'string', default: '500' },
  foreign: { type: 'string', default: '5000' },
  pods: { type: 'string', default: '20000' },
  crowd: { type: 'string', default: '5000' },
  'idle-minutes': { type: 'string', default: '2' },
  charts: { type: 'string' },
})
const count = (flag: 'namespaces' | 'foreign' | 'pods' | 'crowd' | 'idle-minutes', least = 0): number =>
  readCount(USAGE, flag, values[flag], least)
const sizes = values.identities.split(',').map((size) => readCount(USAGE, 'identities', size))
const namespaces = count('namespaces')
const surroundings = { foreign: count('foreign'), pods: count('pods'), crowd: count('crowd', 1), idleMinutes: count('idle-minutes', 1) }
const report = createReport()

for (const size of sizes) await onStage((stage) => inOneNamespace(stage, size))
if (namespaces > 1) await onStage((stage) => inManyNamespaces(stage, sizes.at(-1) as number))
report.print()
if (values.charts !== undefined) writeCharts(values.charts, report, sizes)

/** Each on a fresh control plane: what was there before costs the API server too. */
async function onStage(measure: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = await openStage()
  try {
    await measure(stage)
  } finally {
    await stage.close()
  }
}

async function inOneNamespace(stage: Stage, count: number): Promise<void> {
  await rawRate(stage, 'before')
  let controller = await firstIssuance(stage, report, count, ['bench'])
  await latency(stage, report, 100, 'bench')
  await burst(stage, report, 500)
  controller = await renewAll(stage, report, controller)
  controller = await changeAll(stage, report, controller)
  controller = await restart(stage, report, controller)
  controller = await idle(stage, report, controller, surroundings.idleMinutes)
  if (count === sizes[0]) {
    await foreign(stage, report, controller, surroundings.foreign)
    await crowdOfPods(stage, report, controller, surroundings.pods)
    controller = await fairness(stage, report, controller, surroundings.crowd)
  }
  await controller.process.stop()
  if (count !== sizes[0]) return
  await ceiling(stage, report, 'bench')
  await rawRateByLibrary(stage, report)
}

async function inManyNamespaces(stage: Stage, count: number): Promise<void> {
  await rawRate(stage, 'before')
  const places = Array.from({ length: namespaces }, (_, index) => `bench-${index}`)
  const controller = await firstIssuance(stage, report, count, places)
  await controller.process.stop()
}
