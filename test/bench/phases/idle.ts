// What the controller costs while nothing happens.

import { setTimeout as sleep } from 'node:timers/promises'
import { countWrites, difference, settledWrites } from '../api-counts.ts'
import { type MeasuredController, startMeasured } from '../measured-controller.ts'
import { ms, type Report } from '../report.ts'
import type { Stage } from '../stage.ts'

/** Every identity is looked at again each minute; the default is an hour. Takes a running controller and leaves one running. */
export async function idle(stage: Stage, report: Report, running: MeasuredController, minutes: number): Promise<MeasuredController> {
  await running.process.stop()
  const controller = await startMeasured(stage, { flags: ['--resync-minutes', '1'] })
  await sleep(5000)
  const count = [...stage.identities.all()].length
  const before = await settledWrites(stage.admin.access)
  const cpu = controller.cpuSeconds()
  stage.say(`idle for ${minutes} minutes, every identity looked at again each minute`)
  await sleep(minutes * 60_000)
  const writes = difference(await countWrites(stage.admin.access), before)
  report.row(
    `idle with ${count} identities, each looked at again each minute`,
    `${ms(((controller.cpuSeconds() - cpu) / minutes) * 1000)} of CPU a minute, writes but the Lease ${JSON.stringify(writes)} in ${minutes} minutes`,
  )
  return controller
}
