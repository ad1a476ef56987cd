// renew in a cluster in memory, with an operator that really renews.

import { beforeEach, describe, expect, it } from '@jest/globals'
import { annotations } from '../../../../src/api/names.ts'
import { forbidding, type Ran, runInWorld } from '../../../support/cli-run.ts'
import { identity, openShop, respec, secretOf } from '../../../support/scenario/cast.ts'
import { createWorld, type World } from '../../../support/scenario/world.ts'

let world: World
const serial = (name: string): string | undefined => secretOf(world, `${name}-mtls`)?.metadata.annotations?.[annotations.serialNumber]

beforeEach(async () => {
  world = createWorld()
  await openShop(world)
  await world.start()
  await identity(world, 'payments')
  await identity(world, 'orders')
  await world.settle()
})

/** Runs it while time passes. */
async function during(seconds: number, args: readonly string[]): Promise<Ran> {
  const running = runInWorld(world, args)
  for (let second = 0; second < seconds; second++) await world.pass(1_000)
  return running
}

describe('without --wait', () => {
  it('asks, and does not wait', async () => {
    const before = serial('payments')
    const { out, code } = await runInWorld(world, ['renew', 'payments'])
    expect([code, out]).toEqual([0, 'shop/payments: renewal asked for at 2026-11-24T12:00:00.000Z\n'])
    await world.settle()
    expect(serial('payments')).not.toBe(before)
  })

  it('writes nothing but the annotation, and nothing where one of the names is not there', async () => {
    await runInWorld(world, ['renew', 'payments'])
    const { code } = await runInWorld(world, ['renew', 'orders', 'nobody'])
    expect(code).toBe(1)
    const writes = world.api.requests.filter(({ user, verb }) => user === 'viewer' && !['get', 'list', 'watch'].includes(verb))
    expect(writes.map(({ verb, resource, name, body }) => [verb, resource, name, Object.keys(JSON.parse(body ?? '{}'))])).toEqual([
      ['patch', 'mutualidentities', 'payments', ['metadata']],
    ])
  })

  it('says what is missing where it may not write', async () => {
    const { code, errors } = await runInWorld(world, ['renew', 'payments'], (arrival) =>
      arrival.verb === 'patch' ? forbidding('mutualidentities')(arrival) : undefined,
    )
    expect([code, errors]).toEqual([1, expect.stringContaining('cannot patch resource "mutualidentities"')])
    expect(errors).toContain('kubectl mutual check')
  })
})

describe('with --wait', () => {
  it('follows until the new certificate is there', async () => {
    const { out, code } = await during(5, ['renew', '--all', '--wait'])
    expect(out).toContain(`shop/payments: renewed: certificate ${serial('payments')}, until 2026-11-25T`)
    expect(out).toContain(`shop/orders: renewed: certificate ${serial('orders')}`)
    expect(code).toBe(0)
  })

  it('ends with 4 where it is refused, and says why', async () => {
    await respec(world, 'payments', { certificate: { lifetime: '2m' } })
    await world.settle()
    const { out, code } = await during(3, ['renew', 'payments', '--wait'])
    expect(out).toMatch(/payments: refused: LifetimeOutOfBounds: .*It is renewed once that is put right/)
    expect(code).toBe(4)
  })

  it('ends with 3 where nobody does it in time', async () => {
    for (const process of world.processes) process.kill()
    const { errors, code } = await during(12, ['renew', 'payments', '--wait', '--timeout', '10s'])
    expect(errors).toContain('not renewed after 10s; the request stands')
    expect(code).toBe(3)
  })
})

it.each([
  [[], 'or --all'],
  [['a', '--all'], 'leave the names out'],
  [['a', '--wait', '--timeout', '90d'], 'must be a duration'],
  [['a', '--timeout', '1m'], 'add --wait'],
])('%j are refused', async (args, words) => {
  const { code, errors } = await runInWorld(world, ['renew', ...args])
  expect([code, errors]).toEqual([2, expect.stringContaining(words)])
})
