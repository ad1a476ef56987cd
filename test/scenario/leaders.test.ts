// Two operators at once, without a lease between them: what one of them writes late, twice or on stale knowledge never harms. One CA key, pairs that fit.

import { describe, expect, it } from '@jest/globals'
import { hours, minutes, seconds } from '../../src/base/duration.ts'
import type { Fault, FaultHook } from '../support/memory-api/faults.ts'
import { authority, identity, openShop, respec, tenantAuthority } from '../support/scenario/cast.ts'
import { watchOver } from '../support/scenario/oracles.ts'
import { AN_HOUR, allIsWell, caCount, type Shop } from '../support/scenario/shop.ts'
import { createWorld } from '../support/scenario/world.ts'
import { isWriteVerb } from '../support/scenario/write-verbs.ts'

/** Two operators; `hook` is asked of the requests of the first one. */
async function two(hook?: FaultHook): Promise<Shop> {
  const world = createWorld()
  await openShop(world)
  await authority(world, 'default')
  await authority(world, 'edge', { trustDomain: 'edge.test' })
  await tenantAuthority(world, 'internal')
  const oracles = watchOver(world)
  await Promise.all([world.start(hook ? { hook } : {}), world.start()])
  return { world, oracles }
}

/** The first one is told to stop, and the other goes on alone. */
async function oneIsLeft(one: Shop, ...names: string[]): Promise<void> {
  await one.world.processes[0]?.stop()
  await one.world.pass(minutes(6))
  // Three authorities, three keys.
  expect(caCount(one.world)).toBe(3)
  await allIsWell(one, ...names)
}

describe('two operators without a lease', () => {
  it.each<[string, FaultHook | undefined]>([
    ['side by side', undefined],
    ['of which one hears of its writes half a second late', ({ verb }) => (isWriteVerb(verb) ? { kind: 'delay', ms: 500 } : undefined)],
    ['of which one reads late', ({ verb }) => (verb === 'get' || verb === 'list' ? { kind: 'delay', ms: 2000 } : undefined)],
    ['of which one loses every other reply', ({ verb, number }) => (isWriteVerb(verb) && number % 2 ? { kind: 'breakAfter' } : undefined)],
    ['of which one is refused whenever it writes', ({ verb }) => (isWriteVerb(verb) ? { kind: 'refuse', status: 409 } : undefined)],
  ])('%s: first certificates, a change and a renewal', async (_how, hook) => {
    const one = await two(hook)
    const { world } = one
    for (const name of ['payments', 'orders']) await identity(world, name, AN_HOUR)
    await world.pass(minutes(1))
    await respec(world, 'payments', { certificate: { keyType: 'ED25519' } })
    await world.pass(minutes(1))
    await world.pass(minutes(45))
    await oneIsLeft(one, 'payments', 'orders')
  })

  it('that start in the same moment over and over make one CA each time', async () => {
    for (let round = 0; round < 5; round++) {
      const one = await two()
      await identity(one.world, 'payments', AN_HOUR)
      await one.world.pass(seconds(5))
      await oneIsLeft(one, 'payments')
    }
  })

  it('come to rest while both go on', async () => {
    const one = await two()
    const { world } = one
    for (const name of ['payments', 'orders']) await identity(world, name, AN_HOUR)
    await world.pass(minutes(40))
    await allIsWell(one, 'payments', 'orders')
  })
})

describe('an operator whose write is under way when another takes over', () => {
  it.each<[string, Fault, (verb: string, resource: string, name: string) => boolean]>([
    [
      'a CA that was made and not told',
      { kind: 'hangAfter' },
      (verb, resource, name) => verb === 'create' && resource === 'secrets' && name === 'edge-ca-1',
    ],
    [
      'a CA that was not made',
      { kind: 'hangBefore' },
      (verb, resource, name) => verb === 'create' && resource === 'secrets' && name === 'edge-ca-1',
    ],
    [
      'a bundle',
      { kind: 'hangAfter' },
      (verb, resource, name) => verb === 'create' && resource === 'configmaps' && name === 'edge-trust-bundle',
    ],
    [
      'a certificate',
      { kind: 'hangAfter' },
      (verb, resource, name) => verb === 'create' && resource === 'secrets' && name === 'payments-mtls',
    ],
    [
      'a certificate that was not written',
      { kind: 'hangBefore' },
      (verb, resource, name) => verb === 'create' && resource === 'secrets' && name === 'payments-mtls',
    ],
    ['a renewal', { kind: 'hangAfter' }, (verb, resource) => verb === 'patch' && resource === 'secrets'],
  ])('%s', async (_what, fault, strikes) => {
    const world = createWorld()
    await openShop(world)
    await authority(world, 'default')
    await authority(world, 'edge', { trustDomain: 'edge.test' })
    await tenantAuthority(world, 'internal')
    const oracles = watchOver(world)
    let struck = false
    const first = world.start({
      hook: ({ verb, resource, name }) => {
        if (struck || !strikes(verb, resource, name)) return undefined
        struck = true
        return fault
      },
    })
    await first
    for (const name of ['payments', 'orders']) await identity(world, name, AN_HOUR)
    await world.pass(seconds(2))
    if (!struck) await world.pass(minutes(31))
    expect(struck).toBe(true)
    await world.start()
    await world.pass(minutes(2))
    await oneIsLeft({ world, oracles }, 'payments', 'orders')
    await world.pass(hours(1))
    await allIsWell({ world, oracles }, 'payments', 'orders')
  })
})
