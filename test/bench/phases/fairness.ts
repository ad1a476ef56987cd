// Whether a namespace with thousands of new identities keeps another from its first.

import { mutualIdentities } from '../../../src/api/kinds.ts'
import { namespaces } from '../../../src/k8s/resource.ts'
import { isReady } from '../identities.ts'
import { type MeasuredController, startMeasured } from '../measured-controller.ts'
import { inParallel } from '../parallel.ts'
import { heldText, ms, type Report } from '../report.ts'
import type { Stage } from '../stage.ts'

const TRIES = 5

/** Takes a running controller and leaves one running. */
export async function fairness(stage: Stage, report: Report, controller: MeasuredController, crowd: number): Promise<MeasuredController> {
  await controller.process.stop()
  const { client } = stage.admin
  const create = (namespace: string, name: string): Promise<unknown> =>
    client.create(mutualIdentities, {
      metadata: { namespace, name },
      spec: { podSelector: { matchLabels: { app: name } }, serviceAccountName: name },
    })
  for (const name of ['crowd', ...Array.from({ length: TRIES }, (_, index) => `quiet-${index}`)])
    await client.create(namespaces, { metadata: { name } })
  await inParallel(crowd, 32, (index) => create('crowd', `one-of-many-${index}`))
  const next = await startMeasured(stage)
  const took: number[] = []
  for (let index = 0; index < TRIES; index++) {
    await stage.identities.reached(200 * (index + 1), (identity) => identity.namespace === 'crowd' && isReady(identity))
    const startedAt = performance.now()
    await create(`quiet-${index}`, 'first')
    await stage.identities.reached(1, (identity) => identity.namespace === `quiet-${index}` && isReady(identity))
    took.push(performance.now() - startedAt)
  }
  await stage.identities.reached(crowd, (identity) => identity.namespace === 'crowd' && isReady(identity))
  const held = await next.memory()
  report.row(
    `first identity of a namespace while another has ${crowd} new ones`,
    `Ready after ${ms(Math.max(...took))} at most (${TRIES} tries), event loop held ${heldText(held)}`,
  )
  return next
}
