// Time and history that jump: clocks that are wrong at a first issuance, in a renewal and over a restart, an etcd from a backup, and very many passes.

import { describe, expect, it } from '@jest/globals'
import { hours, minutes, seconds } from '../../src/base/duration.ts'
import { file, identity, openShop, readyOf, SHOP, secretOf } from '../support/scenario/cast.ts'
import { operatorWrites, watchOver } from '../support/scenario/oracles.ts'
import { AN_HOUR, allIsWell, caCount, caSecret, LONGEST_RETRY, renewAt, serial, shop } from '../support/scenario/shop.ts'
import { createWorld, type World } from '../support/scenario/world.ts'

const leafOf = (world: World, name: string) => world.processes.at(-1)?.stores.leafSecrets.get(SHOP, `${name}-mtls`)?.leaf

const SHIFTS: readonly [string, number][] = [
  ['an hour back', -hours(1)],
  ['an hour ahead', hours(1)],
  ['forty days ahead', hours(960)],
]

describe.each(SHIFTS)('a clock that is %s', (_what, ms) => {
  /** After the clock is right again: what is of no use now is found when all is looked at, within an hour and the hour over which that is spread. */
  const FOUND = hours(2) + minutes(10)

  it('when the first certificates are made, and right later', async () => {
    const world = createWorld()
    await openShop(world)
    world.clock.shiftWall(ms)
    const oracles = watchOver(world)
    await world.start()
    for (const name of ['payments', 'orders']) await identity(world, name, AN_HOUR)
    await world.pass(minutes(5))
    world.clock.shiftWall(-ms)
    await world.pass(FOUND)
    // A root that was made a month ahead is not valid yet, and is never replaced behind people's backs.
    if (readyOf(world, 'payments') !== 'Current') {
      expect([ms > hours(1), caCount(world)]).toEqual([true, 1])
      expect(readyOf(world, 'payments')).toMatch(/CANotYetValid|NotYetValid|AuthorityNotReady/)
      return
    }
    for (const name of ['payments', 'orders']) expect(leafOf(world, name)?.notBefore).toBeLessThanOrEqual(world.clock.now())
    await allIsWell({ world, oracles }, 'payments', 'orders')
  })

  it('from the middle of a life to later, over a renewal', async () => {
    const one = await shop({ spec: AN_HOUR })
    const { world } = one
    await world.pass(minutes(30))
    world.clock.shiftWall(ms)
    await world.pass(minutes(40))
    world.clock.shiftWall(-ms)
    await world.pass(FOUND)
    for (const name of ['payments', 'orders']) {
      expect(leafOf(world, name)?.notBefore).toBeLessThanOrEqual(world.clock.now())
      expect([name, readyOf(world, name), renewAt(world, name) > world.clock.now()]).toEqual([name, 'Current', true])
    }
    expect(caCount(world)).toBe(1)
    await one.oracles.comesToRest()
    expect(one.oracles.broken.filter((breach) => !breach.startsWith('O1'))).toEqual([])
  })

  it('of one operator alone, which is replaced by one with a right clock', async () => {
    const one = await shop({ spec: AN_HOUR })
    const { world } = one
    world.clock.shiftWall(ms)
    await world.pass(minutes(1))
    world.processes[0]?.kill()
    world.clock.shiftWall(-ms)
    await world.start()
    await world.pass(minutes(1))
    // A new process looks at everything at once.
    for (const name of ['payments', 'orders']) expect(leafOf(world, name)?.notBefore).toBeLessThanOrEqual(world.clock.now() + minutes(1))
    await world.pass(hours(1))
    await allIsWell(one, 'payments', 'orders')
  })
})

describe('an etcd from a backup', () => {
  it.each<[string, (world: World) => Promise<unknown>]>([
    ['taken before the first certificate', async (world) => world.settle()],
    [
      'taken after the first certificates',
      async (world) => {
        for (const name of ['payments', 'orders']) await identity(world, name, AN_HOUR)
        await world.settle()
      },
    ],
    [
      'taken after a renewal',
      async (world) => {
        for (const name of ['payments', 'orders']) await identity(world, name, AN_HOUR)
        await world.pass(minutes(40))
      },
    ],
  ])('%s: the former CA goes on, everybody is served', async (_when, before) => {
    const one = await shop({ names: [] })
    const { world } = one
    await before(world)
    const backup = world.api.snapshot()
    const ca = file(caSecret(world), 'tls.crt')
    if (!secretOf(world, 'payments-mtls')) for (const name of ['payments', 'orders']) await identity(world, name, AN_HOUR)
    await world.pass(minutes(45))
    world.api.restore(backup)
    world.api.breakWatches()
    for (const name of ['payments', 'orders']) if (readyOf(world, name) === undefined) await identity(world, name, AN_HOUR)
    await world.pass(LONGEST_RETRY)
    for (const name of ['payments', 'orders'])
      expect([name, readyOf(world, name), renewAt(world, name) > world.clock.now()]).toEqual([name, 'Current', true])
    expect([file(caSecret(world), 'tls.crt'), caCount(world)]).toEqual([ca, 1])
    await world.pass(hours(1))
    await allIsWell(one, 'payments', 'orders')
  })

  it('in which nothing of the operator was: all is made anew, as on the first day', async () => {
    const world = createWorld()
    await openShop(world)
    const backup = world.api.snapshot()
    await world.start()
    await identity(world, 'payments')
    await world.settle()
    world.api.restore(backup)
    world.api.breakWatches()
    await world.pass(minutes(1))
    // Its own Deployment was not there either: the authority `default` is made when an operator starts, and a person may delete it.
    world.processes[0]?.kill()
    await world.start()
    const oracles = watchOver(world)
    await identity(world, 'payments')
    await world.pass(LONGEST_RETRY)
    await allIsWell({ world, oracles }, 'payments')
    expect(caCount(world)).toBe(1)
  })

  it('while no operator runs is what the next one finds', async () => {
    const one = await shop({ spec: AN_HOUR })
    const { world } = one
    const backup = world.api.snapshot()
    await world.pass(minutes(40))
    await world.processes[0]?.stop()
    world.api.restore(backup)
    await world.start()
    await world.pass(minutes(1))
    await allIsWell(one, 'payments', 'orders')
  })
})

it('a thousand passes over what is as it should be write nothing, and leave nothing behind', async () => {
  const one = await shop()
  const { world } = one
  await world.pass(seconds(1))
  const measure = () => [
    operatorWrites(world).length,
    serial(world, 'payments'),
    world.api.openWatches,
    Object.values(world.processes[0]?.stores ?? {}).map((store) => store.size),
    world.processes[0]?.busy,
  ]
  const before = [world.clock.pending, world.lines.length, world.api.requests.length]
  const state = measure()
  for (let pass = 0; pass < 1000; pass++) {
    world.processes[0]?.resync()
    await world.settle()
  }
  expect(measure()).toEqual(state)
  // No timer, no line, no request for any of them.
  expect([world.clock.pending, world.lines.length, world.api.requests.length]).toEqual(before)
  await allIsWell(one, 'payments', 'orders')
})
