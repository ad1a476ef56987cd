// Watches that stop, break, forget, repeat, swap or hold back what they should bring, during a first issuance, a renewal, and a spec that goes from good
// to bad and back; and objects that change their identity between two looks. They cost time, never correctness.

import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../src/api/kinds.ts'
import { hours, minutes, seconds } from '../../src/base/duration.ts'
import { pods, services } from '../../src/k8s/resource.ts'
import { authorityReadyOf, identity, pod, readyOf, respec, SHOP, service } from '../support/scenario/cast.ts'
import { operatorWrites } from '../support/scenario/oracles.ts'
import { AN_HOUR, allIsWell, expectCurrent, LONGEST_RETRY, type Shop, serial, shop } from '../support/scenario/shop.ts'
import type { World } from '../support/scenario/world.ts'

/** Something goes wrong with all watches for a minute, in which the story happens. */
interface Trouble {
  begin?(world: World): void
  /** Each second. */
  again?(world: World): void
  end?(world: World): void
}

const TROUBLES: Readonly<Record<string, Trouble>> = {
  'that say nothing any more': { begin: ({ api }) => api.silenceWatches() },
  'that end each second': { again: ({ api }) => api.endWatches() },
  'that break each second': { again: ({ api }) => api.breakWatches() },
  'whose versions are forgotten': {
    begin({ api }) {
      api.compact()
      api.breakWatches()
    },
    end: ({ api }) => api.compact(),
  },
  'whose versions are forgotten each second': {
    again({ api }) {
      api.compact()
      api.breakWatches()
    },
  },
  'that bring everything twice': {
    begin: ({ api }) => Object.assign(api.delivery, { duplicated: true }),
    end: ({ api }) => Object.assign(api.delivery, { duplicated: false }),
  },
  'that bring objects out of order': {
    begin: ({ api }) => Object.assign(api.delivery, { reordered: true }),
    end: ({ api }) => Object.assign(api.delivery, { reordered: false }),
  },
  'that lag a minute behind': { begin: ({ api }) => Object.assign(api.delivery, { held: true }), end: ({ api }) => api.releaseEvents() },
  'that lag and bring all at once, twice and out of order': {
    begin: ({ api }) => Object.assign(api.delivery, { held: true }),
    end({ api }) {
      Object.assign(api.delivery, { duplicated: true, reordered: true })
      api.releaseEvents()
    },
  },
  'that lag and then break': {
    begin: ({ api }) => Object.assign(api.delivery, { held: true }),
    end({ api }) {
      api.breakWatches()
      api.releaseEvents()
    },
  },
}

async function minuteOf({ again }: Trouble, world: World, step: (second: number) => Promise<unknown>): Promise<void> {
  for (let second = 0; second < 60; second++) {
    again?.(world)
    await step(second)
    await world.pass(seconds(1))
  }
}

describe.each(Object.entries(TROUBLES))('watches %s', (_name, trouble) => {
  it('during a first issuance', async () => {
    const one = await shop({ names: [] })
    const { world } = one
    trouble.begin?.(world)
    await minuteOf(trouble, world, async (second) => {
      if (second === 3) await identity(world, 'payments')
      if (second === 20) await identity(world, 'orders')
    })
    trouble.end?.(world)
    await world.pass(LONGEST_RETRY)
    // One Secret each, and no certificate for nothing.
    for (const name of ['payments', 'orders']) expect(one.oracles.changes[`MODIFIED secrets shop/${name}-mtls`]).toBeUndefined()
    await allIsWell(one, 'payments', 'orders')
  })

  it('during a renewal', async () => {
    const one = await shop({ spec: AN_HOUR })
    const { world } = one
    // Due after 30 minutes and a quarter.
    await world.pass(minutes(29) + seconds(30))
    const before = [serial(world, 'payments'), serial(world, 'orders')]
    trouble.begin?.(world)
    await minuteOf(trouble, world, async () => undefined)
    trouble.end?.(world)
    await world.pass(minutes(5))
    for (const [index, name] of ['payments', 'orders'].entries()) {
      expect(serial(world, name)).not.toBe(before[index])
      expect(one.oracles.changes[`MODIFIED secrets shop/${name}-mtls`]).toBe(1)
    }
    await allIsWell(one, 'payments', 'orders')
  })

  it('during a spec that goes from good to bad and back, and one that changes for good', async () => {
    const one = await shop({ spec: AN_HOUR })
    const { world } = one
    const before = serial(world, 'payments')
    trouble.begin?.(world)
    await minuteOf(trouble, world, async (second) => {
      if (second === 2) await respec(world, 'payments', { certificate: { lifetime: '8760h' } })
      if (second === 25) await respec(world, 'payments', { certificate: { lifetime: '1h' } })
      if (second === 30) await respec(world, 'orders', { certificate: { keyType: 'ED25519' } })
    })
    trouble.end?.(world)
    await world.pass(LONGEST_RETRY)
    expect(serial(world, 'payments')).toBe(before)
    expect(one.oracles.changes['MODIFIED secrets shop/orders-mtls']).toBe(1)
    expect(world.processes[0]?.stores.leafSecrets.get(SHOP, 'orders-mtls')?.leaf?.keyType).toBe('ED25519')
    await allIsWell(one, 'payments', 'orders')
  })
})

describe('what changes between two looks', () => {
  async function unseen(one: Shop, change: (world: World) => Promise<unknown>): Promise<void> {
    one.world.api.delivery.held = true
    await change(one.world)
    await one.world.pass(seconds(5))
    // What happened in between is forgotten: only the list tells.
    one.world.api.compact()
    one.world.api.breakWatches()
    one.world.api.releaseEvents()
    await one.world.pass(LONGEST_RETRY)
  }

  it('an identity that is another one by now gets a certificate of its own', async () => {
    const one = await shop({ spec: AN_HOUR })
    const before = serial(one.world, 'payments')
    await unseen(one, async (world) => {
      await world.person.delete(mutualIdentities, { namespace: SHOP, name: 'payments' }, {})
      await world.pass(seconds(1))
      await identity(world, 'payments', {
        serviceAccountName: 'another',
        podSelector: { matchLabels: { app: 'another' } },
        certificate: { lifetime: '1h' },
      })
    })
    expect(serial(one.world, 'payments')).not.toBe(before)
    expect(one.world.processes[0]?.stores.leafSecrets.get(SHOP, 'payments-mtls')?.leaf?.uris).toEqual([
      'spiffe://cluster.local/ns/shop/sa/another',
    ])
    await allIsWell(one, 'payments', 'orders')
  })

  it('a spec that was bad for a moment costs nothing', async () => {
    const one = await shop({ spec: AN_HOUR })
    const before = [serial(one.world, 'payments'), operatorWrites(one.world).filter(({ resource }) => resource === 'secrets').length]
    await unseen(one, async (world) => {
      await respec(world, 'payments', { authorityRef: { name: 'none' } })
      await respec(world, 'payments', { authorityRef: { name: 'default' } })
    })
    expect([serial(one.world, 'payments'), operatorWrites(one.world).filter(({ resource }) => resource === 'secrets').length]).toEqual(
      before,
    )
    await allIsWell(one, 'payments', 'orders')
  })

  it('a pod that is another one with another account by now: the certificate follows', async () => {
    const one = await shop({ spec: AN_HOUR })
    await unseen(one, async (world) => {
      await world.person.delete(pods, { namespace: SHOP, name: 'payments-1' }, {})
      await pod(world, 'payments-1', 'payments', 'billing')
    })
    expect(one.world.processes[0]?.stores.leafSecrets.get(SHOP, 'payments-mtls')?.leaf?.uris).toEqual([
      'spiffe://cluster.local/ns/shop/sa/billing',
    ])
    await allIsWell(one, 'payments', 'orders')
  })

  it('a Service that came and went leaves no name and no certificate', async () => {
    const one = await shop({ spec: AN_HOUR })
    const before = serial(one.world, 'orders')
    await unseen(one, async (world) => {
      await service(world, 'ledger', 'orders')
      await world.person.delete(services, { namespace: SHOP, name: 'ledger' }, {})
    })
    expect(serial(one.world, 'orders')).toBe(before)
    await allIsWell(one, 'payments', 'orders')
  })

  it('events that are held back for an hour stop neither renewals nor repairs for longer', async () => {
    const one = await shop({ spec: AN_HOUR })
    const { world } = one
    world.api.delivery.held = true
    await identity(world, 'ledger', { serviceAccountName: 'ledger' })
    await world.pass(hours(1))
    // Watches without a line are given up after 150 s, and the list shows what they did not.
    expectCurrent(world, 'payments', 'orders', 'ledger')
    world.api.releaseEvents()
    await world.pass(minutes(2))
    expect([authorityReadyOf(world, 'default'), readyOf(world, 'ledger')]).toEqual(['Current', 'Current'])
    await allIsWell(one, 'payments', 'orders', 'ledger')
  })
})
