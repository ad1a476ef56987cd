// What happens to identities that have their certificates: renewal of all, a change of all specs, a restart with nothing to do.
// What people ask for is written while the controller is down, so that only its own work is measured.

import { mutualIdentities } from '../../../src/api/kinds.ts'
import { annotations } from '../../../src/api/names.ts'
import { countListed } from '../api-counts.ts'
import { isReady, type SeenIdentity } from '../identities.ts'
import { type MeasuredController, startMeasured } from '../measured-controller.ts'
import { inParallel } from '../parallel.ts'
import { heldText, ms, perSecond, type Report } from '../report.ts'
import { ofIdentities, openSpan } from '../span.ts'
import { atRest, type Stage } from '../stage.ts'

const WIDTH = 32

/** Each takes a running controller and leaves one running. */
export async function renewAll(stage: Stage, report: Report, controller: MeasuredController): Promise<MeasuredController> {
  const patch = { metadata: { annotations: { [annotations.renewRequestedAt]: new Date().toISOString() } } }
  return await reissueAll(stage, report, controller, { what: 'renewal', message: 'certificate renewed', patch })
}

export async function changeAll(stage: Stage, report: Report, controller: MeasuredController): Promise<MeasuredController> {
  const patch = { spec: { certificate: { serviceNames: 'None', dnsNames: [] }, delivery: { formats: ['CombinedPEM'] } } }
  return await reissueAll(stage, report, controller, { what: 'a changed spec', message: 'certificate reissued', patch })
}

interface Reissue {
  readonly what: string
  /** What the log says of each. */
  readonly message: string
  readonly patch: object
}

async function reissueAll(
  stage: Stage,
  report: Report,
  controller: MeasuredController,
  { what, message, patch }: Reissue,
): Promise<MeasuredController> {
  await controller.process.stop()
  const all = [...stage.identities.all()]
  const serials = new Map(all.map(({ uid, serialNumber }) => [uid, serialNumber]))
  await inParallel(all.length, WIDTH, (index) => {
    const { namespace, name } = all[index] as SeenIdentity
    return stage.admin.client.mergePatch(mutualIdentities, { namespace, name }, patch)
  })
  await atRest(stage)
  const span = await openSpan(stage)
  const next = await startMeasured(stage)
  const isNew = (identity: SeenIdentity): boolean => isReady(identity) && identity.serialNumber !== serials.get(identity.uid)
  const lastAt = await stage.identities.reached(all.length, isNew)
  const rate = all.length / ((lastAt - (next.firstAt(message) ?? Number.NaN)) / 1000)
  report.row(
    `${what} of all ${all.length} at once`,
    `${perSecond(rate)}, ${(ofIdentities(await span.writes()) / all.length).toFixed(3)} writes each`,
  )
  report.figure(`${what} ${all.length}`, rate)
  return next
}

export async function restart(stage: Stage, report: Report, controller: MeasuredController): Promise<MeasuredController> {
  await controller.process.stop()
  await atRest(stage)
  const count = [...stage.identities.all()].length
  const span = await openSpan(stage)
  const listed = await countListed(stage.admin.access)
  const startedAt = performance.now()
  const next = await startMeasured(stage)
  const readyMs = performance.now() - startedAt
  const writes = await span.writes()
  const bytes = (await countListed(stage.admin.access)) - listed
  const held = await next.memory()
  report.row(
    `restart with ${count} identities`,
    `ready after ${ms(readyMs)}, ${(bytes / 1e6).toFixed(1)} MB listed, ${next.cpuSeconds().toFixed(1)} s of CPU, writes ${JSON.stringify(writes)}, event loop held ${heldText(held)}`,
  )
  return next
}
