// Workloads that are restarted after renewals: once for each certificate, whatever write goes wrong on the way.

import { describe, expect, it } from '@jest/globals'
import { hours, minutes, seconds } from '../../src/base/duration.ts'
import { deployments } from '../../src/k8s/resource.ts'
import type { FaultHook } from '../support/memory-api/faults.ts'
import { identity, openShop, SHOP } from '../support/scenario/cast.ts'
import { DEATHS } from '../support/scenario/crash.ts'
import { type Oracles, operatorWrites, watchOver } from '../support/scenario/oracles.ts'
import { createWorld, type World } from '../support/scenario/world.ts'
import { isWriteVerb } from '../support/scenario/write-verbs.ts'

const FLAGS = ['--restart-workloads', 'true']
const RESTARTING = { certificate: { lifetime: '4h' }, restart: { onRenewal: true } }

const workload = (world: World, name: string): Promise<unknown> =>
  world.person.create(deployments, {
    metadata: { namespace: SHOP, name, annotations: { 'mutualidentity.io/restart-on-renewal': 'true' } },
    spec: { template: { metadata: { labels: { app: 'payments' } } } },
  })

/** `<workload> <serial number>` of each restart that was carried out. */
const restartsIn = (world: World): readonly string[] =>
  operatorWrites(world)
    .filter(({ resource, code }) => resource === 'deployments' && code === 200)
    .map(({ name, body }) => `${name} ${/restarted-for":"([0-9a-f]+)/.exec(body ?? '')?.[1]}`)

/** An identity with two workloads; whoever finds the operator dead starts another one. */
async function served(hook: FaultHook): Promise<{ world: World; oracles: Oracles }> {
  const world = createWorld(async (present) => {
    while (present.processes.length > 0 && present.processes.every(({ connection }) => connection.dead)) {
      await present.clock.advance(seconds(3))
      await present.start({ hook, flags: FLAGS })
      await present.settle()
    }
  })
  await openShop(world)
  const oracles = watchOver(world)
  await world.start({ hook, flags: FLAGS })
  await identity(world, 'payments', RESTARTING)
  await world.pass(minutes(1))
  for (const name of ['web', 'worker']) await workload(world, name)
  await world.pass(minutes(1))
  return { world, oracles }
}

describe('a renewal', () => {
  it.each(Object.entries(DEATHS))('restarts each workload once, also when the operator %s at any of its writes', async (_how, kind) => {
    const broken: string[] = []
    let at = 1
    for (; ; at++) {
      let count = 0
      let armed = false
      const { world, oracles } = await served(({ verb }) => {
        if (!armed || !isWriteVerb(verb)) return undefined
        return ++count === at ? { kind } : undefined
      })
      armed = true
      await world.pass(hours(3))
      if (count < at) break
      await oracles.comesToRest()
      const done = restartsIn(world)
      broken.push(...oracles.finish().map((breach) => `write ${at}: ${breach}`))
      if (new Set(done).size !== 2 || done.length !== 2) broken.push(`write ${at}: restarted ${done.join(', ')}`)
    }
    expect(broken).toEqual([])
    // Secret, status and event, and two restarts with an event each.
    expect(at).toBeGreaterThan(7)
  })

  it('that nobody was there to follow up is followed up by the next operator', async () => {
    const { world } = await served(() => undefined)
    await world.pass(hours(2))
    const before = operatorWrites(world).length
    while (
      !operatorWrites(world)
        .slice(before)
        .some(({ resource }) => resource === 'secrets')
    )
      await world.pass(seconds(30))
    world.processes[0]?.kill()
    await world.pass(minutes(10))
    expect(new Set(restartsIn(world)).size).toBe(2)
  })
})
