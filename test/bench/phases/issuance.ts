// First issuance of identities that are there when the controller starts, and what they cost. Leaves the controller running.

import { isReady } from '../identities.ts'
import { type MeasuredController, startMeasured } from '../measured-controller.ts'
import { populate } from '../population.ts'
import { cpuText, heldText, kB, mib, percentiles, perSecond, type Report } from '../report.ts'
import { ofIdentities, openSpan } from '../span.ts'
import { atRest, type Stage } from '../stage.ts'
import { rawRate } from './raw.ts'

/** `places`: the namespaces they are in. */
export async function firstIssuance(stage: Stage, report: Report, count: number, places: readonly string[]): Promise<MeasuredController> {
  const before = await rawRate(stage, `before-${count}-${places.length}`)
  await populate(stage.admin.client, places, count)
  await atRest(stage)
  stage.say(`${count} identities with their Services and pods are in ${places.length} namespaces`)
  const there = [...stage.identities.all()].filter(isReady).length
  const span = await openSpan(stage)
  const startedAt = performance.now()
  const ready = stage.identities.readyTimes(count, () => startedAt)
  const controller = await startMeasured(stage)
  const readyAt = await stage.identities.reached(there + count, isReady)
  const ownCpu = controller.cpuSeconds()
  const cpu = span.cpu()
  const allocated = await span.allocated()
  const { 'events post': told = 0 } = await span.writesSoFar()
  const firstAt = controller.firstAt('certificate issued') ?? Number.NaN
  const rate = count / ((readyAt - firstAt) / 1000)
  const writes = await span.writes()
  const raw = (before + (await rawRate(stage, `after-${count}-${places.length}`))) / 2
  const memory = await controller.memory()
  const what = `${count} identities in ${places.length === 1 ? 'one namespace' : `${places.length} namespaces`}`
  report.row(`first issuance of ${what}`, `${perSecond(rate)}, ${((rate / raw) * 100).toFixed(1)} % of raw (${perSecond(raw)})`)
  report.row('  from the start of the operator to Ready', percentiles(await ready))
  report.row('  writes an identity', `${(ofIdentities(writes) / count).toFixed(3)} ${JSON.stringify(writes)}`)
  report.row('  events written until Ready', `${told} of ${writes['events post'] ?? 0}`)
  report.row('  CPU an identity until Ready, start included', cpuText({ controller: ownCpu, ...cpu }, count))
  report.row('  allocated by the API server, lists and watches included', `${kB(allocated / count)} an identity`)
  report.row('  resident memory, after a collection', `${mib(memory.rss)} (heap ${mib(memory.heapUsed)}, external ${mib(memory.external)})`)
  report.row('  event loop held', heldText(memory))
  const key = `${count}/${places.length}`
  for (const [name, value] of Object.entries({ rate, share: rate / raw, memory: memory.rss })) report.figure(`${name} ${key}`, value)
  for (const [name, seconds] of Object.entries({ controller: ownCpu, ...cpu }))
    report.figure(`cpu ${name} ${key}`, (seconds / count) * 1000)
  return controller
}
