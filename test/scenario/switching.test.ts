// An identity that goes over to another authority while something happens to its Secret: its peers must accept it at every step all the same.

import { describe, expect, it } from '@jest/globals'
import { clusterMutualAuthorities } from '../../src/api/kinds.ts'
import { hours, minutes } from '../../src/base/duration.ts'
import { type RawObject, secrets } from '../../src/k8s/resource.ts'
import { OPERATOR_NAMESPACE } from '../support/material.ts'
import { authority, file, identity, openShop, readyOf, respec, SHOP, secretOf } from '../support/scenario/cast.ts'
import { watchOver } from '../support/scenario/oracles.ts'
import { AN_HOUR, allIsWell, type Shop } from '../support/scenario/shop.ts'
import { createWorld, type StartOptions, type World } from '../support/scenario/world.ts'

const NEXT = { name: 'next' }
const ACCEPTS_NEXT = { trust: { additionalAuthorities: [{ ...NEXT, pooled: true }] } }
const LEAF = { namespace: SHOP, name: 'payments-mtls' }

/** payments and orders live by `default`, and there is an authority `next`. */
async function twoAuthorities(options: StartOptions = {}): Promise<Shop> {
  const world = createWorld()
  await openShop(world)
  await authority(world, 'default', { trustDomain: 'old.test' })
  await authority(world, 'next', { trustDomain: 'next.test' })
  const oracles = watchOver(world)
  await world.start(options)
  for (const name of ['payments', 'orders']) await identity(world, name)
  await world.pass(minutes(1))
  return { world, oracles }
}

const signerOf = (world: World, secret = LEAF.name): string | undefined =>
  secretOf(world, secret)?.metadata.labels?.['mutualidentity.io/authority']
const rootsIn = (world: World, secret = LEAF.name): number => (file(secretOf(world, secret), 'ca.crt').match(/BEGIN/g) ?? []).length
const edit = (world: World, patch: object): Promise<unknown> => world.person.mergePatch(secrets, LEAF, patch)

/** What the Secret says of its authorities goes, or all of it. */
const MISHAPS: readonly [string, (world: World) => Promise<unknown>][] = [
  ['is deleted', (world) => world.person.delete(secrets, LEAF, {})],
  ['is made immutable and spoilt', (world) => edit(world, { immutable: true, data: { 'tls.key': 'eA==' } })],
  ['loses all labels', (world) => edit(world, { metadata: { labels: null } })],
  ['loses the label of its role', (world) => edit(world, { metadata: { labels: { 'mutualidentity.io/role': null } } })],
  ['loses the label of its authority', (world) => edit(world, { metadata: { labels: { 'mutualidentity.io/authority': null } } })],
  ['loses all annotations', (world) => edit(world, { metadata: { annotations: null } })],
  ['loses its certificate', (world) => edit(world, { data: { 'tls.crt': '' } })],
]

describe('an identity that waits for its peers', () => {
  it.each([...MISHAPS, ['is made immutable', (world: World) => edit(world, { immutable: true })] as const])(
    'goes on waiting when its Secret %s',
    async (_what, happens) => {
      const one = await twoAuthorities()
      const { world } = one
      await respec(world, 'payments', { authorityRef: NEXT })
      await world.pass(minutes(2))
      await happens(world)
      await world.pass(minutes(7))
      expect([readyOf(world, 'payments'), signerOf(world)]).toEqual(['PeersNotReady', 'default'])
      await respec(world, 'orders', ACCEPTS_NEXT)
      await world.pass(minutes(20))
      expect([signerOf(world), rootsIn(world)]).toEqual(['next', 2])
      await allIsWell(one, 'payments', 'orders')
    },
  )

  it('waits also where its Secret was immutable before and must be made again for that', async () => {
    const one = await twoAuthorities()
    const { world } = one
    await edit(world, { immutable: true })
    await respec(world, 'payments', { authorityRef: NEXT })
    await world.pass(minutes(7))
    expect([readyOf(world, 'payments'), signerOf(world)]).toEqual(['PeersNotReady', 'default'])
    await one.oracles.comesToRest()
    expect(one.oracles.finish()).toEqual([])
  })
})

describe('the authority that an identity waits to leave', () => {
  const CA = { namespace: OPERATOR_NAMESPACE, name: 'default-ca-1' }
  it.each<[string, (world: World) => Promise<unknown>, (world: World, backup: RawObject) => Promise<unknown>]>([
    [
      'is deleted and made again',
      (world) => world.person.delete(clusterMutualAuthorities, { namespace: '', name: 'default' }, {}),
      (world) => authority(world, 'default', { trustDomain: 'old.test' }),
    ],
    [
      'cannot sign for a while',
      (world) => world.person.mergePatch(secrets, CA, { data: { 'tls.key': 'eA==' } }),
      (world, { data }) => world.person.mergePatch(secrets, CA, { data }),
    ],
  ])('%s: its certificate stays, and it goes on', async (_what, harm, repair) => {
    const one = await twoAuthorities()
    const { world } = one
    for (const name of ['payments', 'orders']) await respec(world, name, AN_HOUR)
    const backup = world.api.object(secrets, CA) as RawObject
    await respec(world, 'payments', { authorityRef: NEXT })
    await world.pass(minutes(2))
    await harm(world)
    await world.pass(minutes(10))
    expect([readyOf(world, 'payments'), signerOf(world)]).toEqual(['PeersNotReady', 'default'])
    await repair(world, backup)
    await world.pass(minutes(40))
    expect([readyOf(world, 'payments'), signerOf(world)]).toEqual(['PeersNotReady', 'default'])
    await respec(world, 'orders', ACCEPTS_NEXT)
    await world.pass(minutes(20))
    expect(signerOf(world)).toBe('next')
    await allIsWell(one, 'payments', 'orders')
  })
})

describe('an identity that went over to another authority', () => {
  it.each([
    ...MISHAPS,
    [
      'is immutable and gets another format',
      async (world: World) => {
        await edit(world, { immutable: true })
        await respec(world, 'payments', { delivery: { formats: ['DER'] } })
      },
    ] as const,
    ['is renamed', (world: World) => respec(world, 'payments', { delivery: { secretName: 'payments-tls' } })] as const,
  ])('goes on accepting peers of the former one when its Secret %s', async (_what, happens) => {
    const one = await twoAuthorities()
    const { world } = one
    await respec(world, 'orders', ACCEPTS_NEXT)
    await respec(world, 'payments', { authorityRef: NEXT })
    await world.pass(minutes(25))
    expect([signerOf(world), rootsIn(world)]).toEqual(['next', 2])
    await happens(world)
    await world.pass(minutes(7))
    const present = secretOf(world, 'payments-tls') ? 'payments-tls' : LEAF.name
    expect([signerOf(world, present), rootsIn(world, present)]).toEqual(['next', 2])
    expect(readyOf(world, 'payments')).toBe('Current')
    await one.oracles.comesToRest()
    expect(one.oracles.finish()).toEqual([])
  })
})

describe('a peer that accepts the new authority', () => {
  it('counts as one that does not until its Secret under a former name, which pods may still mount, has gone', async () => {
    const one = await twoAuthorities()
    const { world } = one
    for (const name of ['payments', 'orders']) await respec(world, name, AN_HOUR)
    await respec(world, 'orders', { delivery: { secretName: 'orders-tls' }, ...ACCEPTS_NEXT })
    await respec(world, 'payments', { authorityRef: NEXT })
    await world.pass(minutes(30))
    expect([readyOf(world, 'payments'), signerOf(world)]).toEqual(['PeersNotReady', 'default'])
    expect(one.oracles.finish()).toEqual([])
    // Until its certificate has ended.
    await world.pass(minutes(50))
    expect([signerOf(world), secretOf(world, 'orders-mtls')]).toEqual(['next', undefined])
    await one.oracles.comesToRest()
    // Who has read nothing but the former Secret has no certificate that lasts.
    expect(one.oracles.finish().filter((breach) => !/secrets shop\/orders-mtls would refuse .* against former/.test(breach))).toEqual([])
  })

  it('counts as one that does not while its Secret is gone and cannot be made again', async () => {
    let refused = false
    const one = await twoAuthorities({
      hook: ({ verb, resource }) => (refused && verb === 'create' && resource === 'secrets' ? { kind: 'refuse', status: 403 } : undefined),
    })
    const { world } = one
    await respec(world, 'payments', { authorityRef: NEXT })
    await world.pass(minutes(1))
    refused = true
    await world.person.delete(secrets, { namespace: SHOP, name: 'orders-mtls' }, {})
    await respec(world, 'orders', ACCEPTS_NEXT)
    await world.pass(minutes(5))
    expect([readyOf(world, 'payments'), signerOf(world)]).toEqual(['PeersNotReady', 'default'])
    refused = false
    await world.pass(minutes(30))
    expect(signerOf(world)).toBe('next')
    await allIsWell(one, 'payments', 'orders')
  })
})

describe('a peer whose anchors came', () => {
  it('while a clock was hours ahead is waited for as long as any other', async () => {
    const one = await twoAuthorities()
    const { world } = one
    await respec(world, 'payments', { authorityRef: NEXT })
    world.clock.shiftWall(hours(10))
    await respec(world, 'orders', ACCEPTS_NEXT)
    await world.pass(minutes(2))
    world.clock.shiftWall(-hours(10))
    // Found when all is looked at again.
    await world.pass(hours(2) + minutes(12))
    expect([readyOf(world, 'payments'), signerOf(world)]).toEqual(['Current', 'next'])
    await one.oracles.comesToRest()
    // What was replaced in the future is in use for ever to whoever counts by this clock.
    expect(one.oracles.finish().filter((breach) => !breach.startsWith('O1'))).toEqual([])
  })

  it.each<[string, (world: World) => Promise<unknown>]>([
    ['deleted', (world) => world.person.delete(secrets, { namespace: SHOP, name: 'orders-mtls' }, {})],
    ['hidden', (world) => world.person.mergePatch(secrets, { namespace: SHOP, name: 'orders-mtls' }, { metadata: { labels: null } })],
  ])('within the second in which its Secret was %s has all of the ten minutes', async (_what, happens) => {
    const one = await twoAuthorities()
    const { world } = one
    await respec(world, 'payments', { authorityRef: NEXT })
    await world.pass(minutes(2))
    await happens(world)
    await respec(world, 'orders', ACCEPTS_NEXT)
    await world.pass(minutes(20))
    expect(signerOf(world)).toBe('next')
    await allIsWell(one, 'payments', 'orders')
  })
})
