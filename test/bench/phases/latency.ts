// From an object that is created to its Ready, as somebody outside sees it: one after the other, beside few and beside many of the namespace; and many at once.

import { mutualIdentities } from '../../../src/api/kinds.ts'
import { namespaces } from '../../../src/k8s/resource.ts'
import { isReady } from '../identities.ts'
import { inParallel } from '../parallel.ts'
import { populate } from '../population.ts'
import { ms, percentile, percentiles, perSecond, type Report } from '../report.ts'
import { atRest, type Stage } from '../stage.ts'

const FEW = 100

/** The controller runs and has nothing else to do. `count` more in a namespace of a hundred, and in `namespace`. */
export async function latency(stage: Stage, report: Report, count: number, namespace: string): Promise<void> {
  await populate(stage.admin.client, ['few'], FEW)
  await stage.identities.reached(FEW, (identity) => identity.namespace === 'few' && isReady(identity))
  // The first of them warm up what is measured.
  await oneByOne(stage, 'few', 'warm', 50)
  const few = await oneByOne(stage, 'few', 'one', count)
  const there = [...stage.identities.all()].filter((identity) => identity.namespace === namespace).length
  const many = await oneByOne(stage, namespace, 'one', count)
  const ratio = (percentile(many, 0.5) / percentile(few, 0.5)).toFixed(2)
  report.row(
    `one more identity, create to Ready, ${count} one after the other`,
    `beside ${there} in the namespace ${percentiles(many)}; beside ${FEW} ${percentiles(few)}; ratio ${ratio}`,
  )
}

/** `count` new identities as quickly as the API server takes them, into a namespace of their own, while the controller runs. */
export async function burst(stage: Stage, report: Report, count: number): Promise<void> {
  await stage.admin.client.create(namespaces, { metadata: { name: 'burst' } })
  await atRest(stage)
  const createdAt = new Map<string, number>()
  const ready = stage.identities.readyTimes(count, ({ namespace, name }) => (namespace === 'burst' ? createdAt.get(name) : undefined))
  const startedAt = performance.now()
  await inParallel(count, 32, async (index) => {
    const name = `burst-${index}`
    createdAt.set(name, performance.now())
    const spec = { podSelector: { matchLabels: { app: name } }, serviceAccountName: name }
    await stage.admin.client.create(mutualIdentities, { metadata: { namespace: 'burst', name }, spec })
  })
  const createdMs = performance.now() - startedAt
  const times = await ready
  const rate = count / ((performance.now() - startedAt) / 1000)
  report.row(
    `${count} identities created in ${ms(createdMs)}, create to Ready`,
    `${percentiles(times)}; ${perSecond(rate)} from the first create to the last Ready`,
  )
}

async function oneByOne(stage: Stage, namespace: string, tag: string, count: number): Promise<readonly number[]> {
  const took: number[] = []
  for (let index = 0; index < count; index++) {
    const name = `${tag}-${index}`
    const createdAt = performance.now()
    const spec = { podSelector: { matchLabels: { app: name } }, serviceAccountName: name }
    await stage.admin.client.create(mutualIdentities, { metadata: { namespace, name }, spec })
    await stage.identities.reached(1, (identity) => identity.name === name && identity.namespace === namespace && isReady(identity))
    took.push(performance.now() - createdAt)
  }
  return took
}
