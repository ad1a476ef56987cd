// The yardstick, before and after everything else.

import { countAllocated } from '../api-counts.ts'
import { cpuOf } from '../cpu.ts'
import { rawCreates, rawCreatesByLibrary } from '../raw-creates.ts'
import { cpuText, kB, perSecond, type Report } from '../report.ts'
import { atRest, type Stage } from '../stage.ts'

const CONNECTIONS = 32
const COUNT = 3000

/** Secret creates a second. The first run warms the API server. */
export async function rawRate({ account, admin, plane, say }: Stage, tag: string): Promise<number> {
  if (tag === 'before') await rawCreates(account.client, { namespace: 'raw', count: 1000, connections: CONNECTIONS, tag: 'warm' })
  const before = cpuOf(plane.pids)
  const allocated = await countAllocated(admin.access)
  const rate = await rawCreates(account.client, { namespace: 'raw', count: COUNT, connections: CONNECTIONS, tag })
  const cpu = Object.entries(cpuOf(plane.pids)).map(([name, seconds]) => [name, seconds - (before[name] as number)] as const)
  say(
    `raw Secret creates, ${tag}: ${rate.toFixed(0)}/s, CPU each ${cpuText(Object.fromEntries(cpu), COUNT)}, ${kB(((await countAllocated(admin.access)) - allocated) / COUNT)} allocated by the API server`,
  )
  return rate
}

/** What the Kubernetes library's own client reaches, next to ours, in turns. */
export async function rawRateByLibrary(stage: Stage, report: Report): Promise<void> {
  const ours: number[] = []
  const library: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    await atRest(stage)
    ours.push(await rawRate(stage, `ours-${round}`))
    await atRest(stage)
    const options = { namespace: 'raw', count: COUNT, connections: CONNECTIONS, tag: `library-${round}` }
    library.push(await rawCreatesByLibrary(stage.kubeconfig, options))
  }
  const told = (rates: readonly number[]): string => rates.map(perSecond).join(', ')
  report.row('raw Secret creates by the Kubernetes library', `${told(library)}; in turns with it by our client ${told(ours)}`)
}

const ROUNDS = 2
