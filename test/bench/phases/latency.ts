// From an object that is created to its Ready, as somebody outside sees it, one after the other: beside few and beside many of the namespace.

import { mutualIdentities } from '../../../src/api/kinds.ts'
import { isReady } from '../identities.ts'
import { populate } from '../population.ts'
import { ms, percentile, type Report } from '../report.ts'
import type { Stage } from '../stage.ts'

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
  const told = (took: readonly number[]): string => `p50 ${ms(percentile(took, 0.5))}, p99 ${ms(percentile(took, 0.99))}`
  const ratio = (percentile(many, 0.5) / percentile(few, 0.5)).toFixed(2)
  report.row(
    `one more identity, create to Ready, ${count} one after the other`,
    `beside ${there} in the namespace ${told(many)}; beside ${FEW} ${told(few)}; ratio ${ratio}`,
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
