// An operator that is told which namespaces to watch: it serves those, and neither reads nor writes anything anywhere else.

import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../src/api/kinds.ts'
import { minutes } from '../../src/base/duration.ts'
import { configMaps, namespaces, secrets } from '../../src/k8s/resource.ts'
import { OPERATOR_NAMESPACE } from '../support/material.ts'
import { authority, authorityReadyOf, identity, openShop, readyOf, SHOP, service, tenantAuthority } from '../support/scenario/cast.ts'
import { watchOver } from '../support/scenario/oracles.ts'
import { createWorld, type World } from '../support/scenario/world.ts'

const CLUSTER_SCOPED = ['clustermutualauthorities']

async function twoNamespaces(): Promise<World> {
  const world = createWorld()
  await openShop(world)
  await world.person.create(namespaces, { metadata: { name: 'bank' } })
  for (const namespace of [SHOP, 'bank']) {
    await world.person.create(mutualIdentities, {
      metadata: { namespace, name: 'web' },
      spec: { podSelector: { matchLabels: { app: 'web' } }, serviceAccountName: 'web' },
    })
  }
  return world
}

/** Where the operator was, by its requests; events of cluster-scoped objects are in `default`. */
const places = (world: World): string[] => [
  ...new Set(
    world.api.requests
      .filter(({ user, resource }) => user === 'operator' && !CLUSTER_SCOPED.includes(resource))
      .map(({ namespace, resource, name }) =>
        resource === 'namespaces' ? `the Namespace ${name || 'by its name'}` : namespace || `all ${resource}`,
      ),
  ),
]

describe('an operator that watches one namespace', () => {
  it('serves it, and asks for nothing elsewhere', async () => {
    const world = await twoNamespaces()
    const oracles = watchOver(world)
    await authority(world, 'default', { trustBundle: { namespaces: { policy: 'All' } } })
    await world.start({ flags: ['--watch-namespaces', SHOP] })
    await world.pass(minutes(10))
    expect(readyOf(world, 'web')).toBe('Current')
    expect(world.api.object(mutualIdentities, { namespace: 'bank', name: 'web' })?.['status']).toBeUndefined()
    expect(places(world).sort()).toEqual(['default', OPERATOR_NAMESPACE, SHOP, 'the Namespace by its name'].sort())
    expect(world.api.object(configMaps, { namespace: SHOP, name: 'default-trust-bundle' })).toBeDefined()
    expect(world.api.object(configMaps, { namespace: 'bank', name: 'default-trust-bundle' })).toBeUndefined()
    await oracles.comesToRest()
    expect(oracles.finish()).toEqual([])
  })

  it('follows what changes there: pods, Services, an authority, a Secret that is edited, the end of the namespace', async () => {
    const world = await twoNamespaces()
    const { stores } = await world.start({ flags: ['--watch-namespaces', SHOP] })
    await identity(world, 'orders')
    await service(world, 'ledger', 'orders')
    await tenantAuthority(world, 'internal')
    await world.pass(minutes(2))
    expect([readyOf(world, 'orders'), readyOf(world, 'web')]).toEqual(['Current', 'Current'])
    const leaf = () => stores.leafSecrets.get(SHOP, 'orders-mtls')?.leaf
    expect(leaf()?.dnsNames).toContain('ledger.shop.svc')
    const before = leaf()?.serialNumber
    await world.person.mergePatch(secrets, { namespace: SHOP, name: 'orders-mtls' }, { data: { 'tls.key': 'eA==' } })
    await world.pass(minutes(1))
    expect(leaf()?.serialNumber).not.toBe(before)
    await world.person.delete(namespaces, { namespace: '', name: SHOP }, {})
    await world.pass(minutes(1))
    expect([stores.identities.size, stores.pods.size, stores.namespaces.size]).toEqual([0, 0, 0])
  })

  it('waits for a namespace that does not exist yet', async () => {
    const world = createWorld()
    await world.person.create(namespaces, { metadata: { name: OPERATOR_NAMESPACE } })
    await world.start({ flags: ['--watch-namespaces', `bank,${SHOP}`] })
    await world.pass(minutes(1))
    expect(authorityReadyOf(world, 'default')).toBe('Current')
    await world.person.create(namespaces, { metadata: { name: SHOP } })
    await identity(world, 'web', { podSelector: {}, serviceAccountName: 'web' })
    await world.pass(minutes(1))
    expect(readyOf(world, 'web')).toBe('Current')
  })
})
