// What else happens to an operator: watches that lie or stop, clocks that jump, an etcd from yesterday, people who edit what is ours, two operators at
// once. Oracles judge, nobody steps in.

import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../src/api/kinds.ts'
import { hours, minutes, seconds } from '../../src/base/duration.ts'
import { configMaps, namespaces, type RawObject, secrets } from '../../src/k8s/resource.ts'
import { OPERATOR_NAMESPACE } from '../support/material.ts'
import { authorityReadyOf, file, identity, openShop, readyOf, respec, SHOP, secretOf } from '../support/scenario/cast.ts'
import { type Oracles, operatorWrites, watchOver } from '../support/scenario/oracles.ts'
import { createWorld, type World } from '../support/scenario/world.ts'

interface Shop {
  readonly world: World
  readonly oracles: Oracles
}

/** A shop in which an operator runs; with `names`, identities that are served. */
async function shop(...names: string[]): Promise<Shop> {
  const world = createWorld()
  await openShop(world)
  const oracles = watchOver(world)
  await world.start()
  for (const name of names) await identity(world, name)
  await world.settle()
  for (const name of names) expect(readyOf(world, name)).toBe('Current')
  return { world, oracles }
}

async function allIsWell({ world, oracles }: Shop, ...names: string[]): Promise<void> {
  for (const name of names) expect(readyOf(world, name)).toBe('Current')
  await oracles.comesToRest()
  expect(oracles.finish()).toEqual([])
}

const serial = (world: World, name: string): string | undefined =>
  secretOf(world, `${name}-mtls`)?.metadata.annotations?.['mutualidentity.io/serial-number']

describe('watches', () => {
  it.each<[string, (world: World) => void, (world: World) => void]>([
    ['that bring everything twice', ({ api }) => Object.assign(api.delivery, { duplicated: true }), () => undefined],
    ['that bring objects out of order', ({ api }) => Object.assign(api.delivery, { reordered: true }), () => undefined],
    ['that say nothing any more', ({ api }) => api.silenceWatches(), () => undefined],
    ['that break', ({ api }) => api.breakWatches(), ({ api }) => api.breakWatches()],
    ['that end', ({ api }) => api.endWatches(), ({ api }) => api.endWatches()],
    [
      'whose versions are forgotten',
      ({ api }) => {
        api.compact()
        api.breakWatches()
      },
      ({ api }) => api.compact(),
    ],
    ['that lag behind until later', ({ api }) => Object.assign(api.delivery, { held: true }), ({ api }) => api.releaseEvents()],
  ])('%s cost time, not correctness', async (_what, begin, later) => {
    const one = await shop('payments')
    const { world } = one
    begin(world)
    await identity(world, 'orders')
    await respec(world, 'payments', { certificate: { keyType: 'ED25519' } })
    await world.pass(seconds(20))
    later(world)
    await respec(world, 'payments', { certificate: { keyType: 'ECDSAP384' } })
    await world.pass(minutes(6))
    await world.pass(hours(14))
    expect(world.processes[0]?.stores.leafSecrets.get(SHOP, 'payments-mtls')?.leaf?.keyType).toBe('ECDSAP384')
    await allIsWell(one, 'payments', 'orders')
  })

  it('that end each second for a minute cost a bounded number of requests', async () => {
    const one = await shop('payments')
    const before = one.world.api.requests.length
    for (let second = 0; second < 60; second++) {
      one.world.api.endWatches()
      await one.world.pass(seconds(1))
    }
    expect(one.world.api.requests.length - before).toBeLessThan(1200)
    await one.world.pass(minutes(2))
    await allIsWell(one, 'payments')
  })

  it('that skip a bad state in between make nothing of it', async () => {
    const one = await shop('payments')
    const before = serial(one.world, 'payments')
    one.world.api.delivery.held = true
    await respec(one.world, 'payments', { certificate: { lifetime: '8760h' } })
    await respec(one.world, 'payments', { certificate: { lifetime: null } })
    one.world.api.releaseEvents()
    await one.world.pass(minutes(1))
    expect(serial(one.world, 'payments')).toBe(before)
    await allIsWell(one, 'payments')
  })

  it('that skip a delete and a create under one name serve the new one', async () => {
    const one = await shop('payments')
    one.world.api.delivery.held = true
    await one.world.person.delete(mutualIdentities, { namespace: SHOP, name: 'payments' }, {})
    await one.world.pass(seconds(2))
    await identity(one.world, 'payments')
    one.world.api.releaseEvents()
    await one.world.pass(minutes(1))
    await allIsWell(one, 'payments')
  })
})

describe('a spec that is bad for a while', () => {
  it('is told, costs nothing, and the former one needs no new certificate', async () => {
    const one = await shop('payments')
    const before = serial(one.world, 'payments')
    await respec(one.world, 'payments', { certificate: { lifetime: '8760h' } })
    await one.world.pass(minutes(1))
    expect([readyOf(one.world, 'payments'), serial(one.world, 'payments')]).toEqual(['LifetimeOutOfBounds', before])
    await respec(one.world, 'payments', { certificate: { lifetime: null } })
    await one.world.pass(minutes(1))
    expect(serial(one.world, 'payments')).toBe(before)
    await allIsWell(one, 'payments')
  })
})

describe('a clock', () => {
  it.each([
    ['an hour back', -hours(1)],
    ['an hour ahead', hours(1)],
  ])('that jumps %s and back later costs no outage', async (_what, ms) => {
    const one = await shop('payments', 'orders')
    one.world.clock.shiftWall(ms)
    await one.world.pass(hours(3))
    one.world.clock.shiftWall(-ms)
    await one.world.pass(hours(14))
    await allIsWell(one, 'payments', 'orders')
  })

  it('that jumps back triggers nothing at all', async () => {
    const one = await shop('payments', 'orders')
    const before = operatorWrites(one.world).length
    one.world.clock.shiftWall(-hours(1))
    await one.world.pass(hours(2))
    expect(operatorWrites(one.world)).toHaveLength(before)
    await allIsWell(one, 'payments', 'orders')
  })

  it('that jumps 40 days ahead and back finds its way back', async () => {
    const one = await shop('payments', 'orders')
    one.world.clock.shiftWall(hours(960))
    await one.world.pass(minutes(10))
    expect([readyOf(one.world, 'payments'), readyOf(one.world, 'orders')]).toEqual(['Current', 'Current'])
    one.world.clock.shiftWall(-hours(960))
    // A clock that goes back triggers nothing by itself: what was issued in the future, and is of no use now, is found by the hourly look at everything.
    await one.world.pass(hours(2) + minutes(10))
    for (const name of ['payments', 'orders']) {
      const leaf = one.world.processes[0]?.stores.leafSecrets.get(SHOP, `${name}-mtls`)?.leaf
      expect(leaf?.notBefore).toBeLessThanOrEqual(one.world.clock.now())
      expect(readyOf(one.world, name)).toBe('Current')
    }
  })

  it('is followed beyond what a timer of the machine can count (2^31 ms)', async () => {
    const world = createWorld()
    await openShop(world)
    const oracles = watchOver(world)
    await world.person.create(
      {
        group: 'mutualidentity.io',
        version: 'v1alpha1',
        plural: 'clustermutualauthorities',
        kind: 'ClusterMutualAuthority',
        namespaced: false,
      },
      { metadata: { name: 'default' }, spec: { selfManaged: { rootLifetime: '87600h' }, leaf: { lifetime: '1440h' } } },
    )
    await world.start()
    await identity(world, 'payments')
    await world.settle()
    const before = serial(world, 'payments')
    await world.pass(hours(700))
    expect(serial(world, 'payments')).toBe(before)
    await world.pass(hours(150))
    expect(serial(world, 'payments')).not.toBe(before)
    await allIsWell({ world, oracles }, 'payments')
  }, 60_000)
})

describe('an etcd from yesterday', () => {
  it.each(['before the first certificate', 'before a renewal'])(
    'from %s: what is missing is made again, under the same CA',
    async (when) => {
      const one = await shop(...(when === 'before a renewal' ? ['payments'] : []))
      const { world } = one
      const backup = world.api.snapshot()
      if (when === 'before a renewal') await world.pass(hours(14))
      else await identity(world, 'payments')
      await world.settle()
      const ca = file(world.api.object(secrets, { namespace: OPERATOR_NAMESPACE, name: 'default-ca-1' }), 'tls.crt')
      world.api.restore(backup)
      world.api.breakWatches()
      if (when !== 'before a renewal') await identity(world, 'payments')
      await world.pass(minutes(10))
      await world.pass(hours(2))
      expect(readyOf(world, 'payments')).toBe('Current')
      expect(file(world.api.object(secrets, { namespace: OPERATOR_NAMESPACE, name: 'default-ca-1' }), 'tls.crt')).toBe(ca)
      await one.oracles.comesToRest()
      expect(one.oracles.broken.filter((breach) => breach.startsWith('O4') || breach.startsWith('O2'))).toEqual([])
    },
  )
})

const dataOf = (secret: RawObject | undefined): Record<string, string> => (secret?.['data'] ?? {}) as Record<string, string>

describe('people who edit what is ours', () => {
  const LEAF = { namespace: SHOP, name: 'payments-mtls' }
  it.each<[string, (world: World) => Promise<unknown>]>([
    [
      'take the certificate for that of another',
      (world) =>
        world.person.mergePatch(secrets, LEAF, {
          data: { 'tls.crt': dataOf(secretOf(world, 'orders-mtls'))['tls.crt'] },
        }),
    ],
    [
      'take certificate and key for those of another',
      (world) => world.person.mergePatch(secrets, LEAF, { data: secretOf(world, 'orders-mtls')?.['data'] }),
    ],
    ['put garbage into the key', (world) => world.person.mergePatch(secrets, LEAF, { data: { 'tls.key': 'eA==' } })],
    ['empty the anchors', (world) => world.person.mergePatch(secrets, LEAF, { data: { 'ca.crt': null } })],
    ['take all labels away', (world) => world.person.mergePatch(secrets, LEAF, { metadata: { labels: null } })],
    ['take all annotations away', (world) => world.person.mergePatch(secrets, LEAF, { metadata: { annotations: null } })],
    ['take the owner away', (world) => world.person.mergePatch(secrets, LEAF, { metadata: { ownerReferences: null } })],
    [
      'make it immutable and useless',
      async (world) => {
        await world.person.mergePatch(secrets, LEAF, { immutable: true, data: { 'tls.key': 'eA==' } })
      },
    ],
    [
      'put the renewal off for years',
      (world) =>
        world.person.mergePatch(secrets, LEAF, { metadata: { annotations: { 'mutualidentity.io/renew-at': '2099-01-01T00:00:00Z' } } }),
    ],
    ['delete it', (world) => world.person.delete(secrets, LEAF, {})],
    ['delete the copy of the bundle', (world) => world.person.delete(configMaps, { namespace: SHOP, name: 'default-trust-bundle' }, {})],
    [
      'edit the published record',
      (world) =>
        world.person.mergePatch(
          configMaps,
          { namespace: OPERATOR_NAMESPACE, name: 'default-trust-bundle' },
          { data: { 'ca.crt': 'mine' } },
        ),
    ],
    [
      'delete the published record',
      (world) => world.person.delete(configMaps, { namespace: OPERATOR_NAMESPACE, name: 'default-trust-bundle' }, {}),
    ],
  ])('and %s: it is put right', async (_what, edit) => {
    const one = await shop('payments', 'orders')
    await edit(one.world)
    await one.world.pass(minutes(6))
    const stored = one.world.processes[0]?.stores.leafSecrets.get(SHOP, 'payments-mtls')
    expect(stored?.leaf?.uris).toEqual(['spiffe://cluster.local/ns/shop/sa/payments'])
    expect(stored?.problem).toBeUndefined()
    await one.world.pass(hours(15))
    await allIsWell(one, 'payments', 'orders')
  })

  it.each<[string, string, (world: World) => Promise<unknown>]>([
    ['is gone', 'CAKeyMissing', (world) => world.person.delete(secrets, { namespace: OPERATOR_NAMESPACE, name: 'default-ca-1' }, {})],
    [
      'is garbage',
      'CAKeyInvalid',
      (world) => world.person.mergePatch(secrets, { namespace: OPERATOR_NAMESPACE, name: 'default-ca-1' }, { data: { 'tls.crt': 'eA==' } }),
    ],
  ])('a CA Secret that %s is never replaced; what was issued stays, and all goes on once it is restored', async (_what, reason, harm) => {
    const one = await shop('payments', 'orders')
    const { world } = one
    const backup = world.api.object(secrets, { namespace: OPERATOR_NAMESPACE, name: 'default-ca-1' })
    const before = [serial(world, 'payments'), file(secretOf(world, 'payments-mtls'), 'ca.crt')]
    await harm(world)
    await world.pass(hours(1))
    expect(authorityReadyOf(world, 'default')).toBe(reason)
    expect([serial(world, 'payments'), file(secretOf(world, 'payments-mtls'), 'ca.crt')]).toEqual(before)
    const { labels, annotations } = backup?.metadata ?? {}
    const restored = {
      type: 'kubernetes.io/tls',
      data: backup?.['data'],
      metadata: {
        namespace: OPERATOR_NAMESPACE,
        name: 'default-ca-1',
        ...(labels ? { labels } : {}),
        ...(annotations ? { annotations } : {}),
      },
    }
    if (reason === 'CAKeyMissing') await world.person.create(secrets, restored)
    else await world.person.mergePatch(secrets, { namespace: OPERATOR_NAMESPACE, name: 'default-ca-1' }, { data: backup?.['data'] })
    await world.pass(hours(14))
    await allIsWell(one, 'payments', 'orders')
  })
})

describe('two operators at once', () => {
  it('without a lease make one CA, pairs that fit, and come to rest', async () => {
    const world = createWorld()
    await openShop(world)
    const oracles = watchOver(world)
    await Promise.all([world.start(), world.start()])
    await identity(world, 'payments')
    await identity(world, 'orders')
    await world.pass(minutes(1))
    await respec(world, 'payments', { certificate: { keyType: 'ED25519' } })
    await world.pass(hours(14))
    await world.processes[0]?.stop()
    await world.pass(minutes(1))
    await allIsWell({ world, oracles }, 'payments', 'orders')
  })
})

it('an identity that is deleted and made again while its Secret is written gets nothing that is said of the former one', async () => {
  const world = createWorld()
  await openShop(world)
  const oracles = watchOver(world)
  let replaced = false
  const replace = ({ verb, resource, name }: { verb: string; resource: string; name: string }): undefined => {
    if (replaced || verb !== 'create' || resource !== 'secrets' || name !== 'payments-mtls') return
    replaced = true
    // Both are carried out at once, before the answer to the operator.
    void world.person.delete(mutualIdentities, { namespace: SHOP, name: 'payments' }, {})
    void identity(world, 'payments', { serviceAccountName: 'another', podSelector: { matchLabels: { app: 'another' } } })
  }
  const told: string[] = []
  world.api.listen(({ kind, object, by }) => {
    const { spiffeID } = (object['status'] ?? {}) as { spiffeID?: string }
    const { serviceAccountName } = (object['spec'] ?? {}) as { serviceAccountName?: string }
    if (kind.plural === 'mutualidentities' && by === 'operator' && serviceAccountName === 'another' && spiffeID) told.push(spiffeID)
  })
  await world.start({ hook: replace })
  await identity(world, 'payments')
  await world.pass(minutes(6))
  expect(replaced).toBe(true)
  expect(new Set(told)).toEqual(new Set(['spiffe://cluster.local/ns/shop/sa/another']))
  await allIsWell({ world, oracles }, 'payments')
})

describe('a namespace', () => {
  it('that goes away in the middle of an issuance leaves nothing and no complaint', async () => {
    const one = await shop()
    await identity(one.world, 'payments')
    await one.world.person.delete(namespaces, { namespace: '', name: SHOP }, {})
    await one.world.pass(minutes(2))
    expect(one.world.api.object(namespaces, { name: SHOP })).toBeUndefined()
    expect(one.world.lines.filter((line) => line.includes('"level":"error"'))).toEqual([])
    await allIsWell(one)
  })
})

it('a thousand passes over what is as it should be write nothing', async () => {
  const one = await shop('payments', 'orders')
  const before = operatorWrites(one.world).length
  for (let pass = 0; pass < 1000; pass++) {
    one.world.processes[0]?.resync()
    await one.world.settle()
  }
  expect(operatorWrites(one.world)).toHaveLength(before)
  await allIsWell(one, 'payments', 'orders')
})
