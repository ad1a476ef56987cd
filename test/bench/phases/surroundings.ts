// What other people's objects cost: foreign Secrets, pods, pods that come and go.

import { setTimeout as sleep } from 'node:timers/promises'
import { namespaces, pods } from '../../../src/k8s/resource.ts'
import type { MeasuredController } from '../measured-controller.ts'
import { inParallel } from '../parallel.ts'
import { createPod, foreignSecrets, identityWithAll } from '../population.ts'
import { heldText, mib, ms, type Report } from '../report.ts'
import { openSpan } from '../span.ts'
import type { Stage } from '../stage.ts'

const OWNERS = 100
const CHURN_MS = 20_000

export async function foreign(stage: Stage, report: Report, controller: MeasuredController, count: number): Promise<void> {
  const before = await controller.memory()
  await foreignSecrets(stage.admin.client, 'foreign', count)
  await sleep(3000)
  const after = await controller.memory()
  const growth = after.heapUsed + after.external - before.heapUsed - before.external
  report.row(`${count} foreign Secrets of 10 kB`, `${mib(growth)} more heap and external, ${mib(after.rss - before.rss)} more resident`)
}

/** Pods that a hundred identities select, and then as many replaced as the API server takes. */
export async function crowdOfPods(stage: Stage, report: Report, controller: MeasuredController, count: number): Promise<void> {
  const { client } = stage.admin
  const before = await controller.memory()
  await client.create(namespaces, { metadata: { name: 'pods' } })
  await inParallel(OWNERS, 32, (index) => identityWithAll(client, 'pods', `owner-${index}`))
  const owner = (index: number): string => `owner-${index % OWNERS}`
  const create = (index: number): Promise<void> =>
    createPod(client, 'pods', `pod-${index}`, owner(index), { app: owner(index), 'pod-template-hash': '5d8f4b7c9' })
  await inParallel(count, 32, create)
  await sleep(5000)
  const after = await controller.memory()
  const growth = (after.heapUsed + after.external - before.heapUsed - before.external) / count
  report.row(`${count} pods`, `${growth.toFixed(0)} bytes of heap each, ${mib(after.rss - before.rss)} more resident`)
  const span = await openSpan(stage, controller)
  const issuedBefore = controller.count('certificate reissued') + controller.count('certificate issued')
  const until = performance.now() + CHURN_MS
  let replaced = 0
  await inParallel(32, 32, async () => {
    while (performance.now() < until) {
      const index = replaced++
      await client.delete(pods, { namespace: 'pods', name: `pod-${index}` }, {})
      await createPod(client, 'pods', `pod-${count + index}`, owner(index), { app: owner(index), 'pod-template-hash': '5d8f4b7c9' })
    }
  })
  const { controller: seconds = 0 } = span.cpu()
  const issued = controller.count('certificate reissued') + controller.count('certificate issued') - issuedBefore
  const { 'mutualidentities/status put': statuses = 0 } = await span.writes()
  const held = await controller.memory()
  report.row(
    `pods replaced, ${(replaced / (CHURN_MS / 1000)).toFixed(0)} a second`,
    `${ms((seconds / replaced) * 1000)} of CPU each, ${issued} certificates, ${statuses} statuses, event loop held ${heldText(held)}`,
  )
}
