// An operator that may see one namespace alone, on a real API server: its account has rights there and in its own namespace, and nowhere else.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Cluster, connectCluster } from '../../../scripts/install/cluster.ts'
import { clusterMutualAuthorities, mutualIdentities } from '../../../src/api/kinds.ts'
import { isForbidden } from '../../../src/k8s/errors.ts'
import { configMaps, deployments, namespaces, pods, type Resource, secrets } from '../../../src/k8s/resource.ts'
import { eventually } from '../../support/cluster-eventually.ts'
import { condition, createPlace, type Place, placeIn } from '../../support/cluster-objects.ts'
import { startCluster, type TestCluster } from '../../support/cluster-operator.ts'

let cluster: TestCluster
let account: Cluster
let shop: Place
let bank: Place

beforeAll(async () => {
  cluster = await startCluster({ watchNamespaces: ['shop'] })
  account = await connectCluster(cluster.kubeconfig, 'cluster-test')
  shop = placeIn(cluster.client, 'shop')
  bank = await createPlace(cluster.client, 'bank')
  await cluster.start({ flags: ['--watch-namespaces', 'shop'] })
})

afterAll(async () => {
  await account?.close()
  await cluster?.close()
})

describe('an operator that watches one namespace', () => {
  it('serves the identities there, and says so where the authority is', async () => {
    await bank.identity('web')
    await shop.identity('web')
    await shop.ready('web')
    await eventually(async () =>
      expect(condition(await cluster.client.get(clusterMutualAuthorities, { namespace: '', name: 'default' }))?.reason).toBe('Current'),
    )
    expect((await bank.get(mutualIdentities, 'web'))['status']).toBeUndefined()
  })

  it('makes good there what somebody broke', async () => {
    await cluster.client.delete(secrets, { namespace: 'shop', name: 'web-mtls' }, {})
    await cluster.client.mergePatch(configMaps, { namespace: 'shop', name: 'default-trust-bundle' }, { data: { 'ca.crt': 'x' } })
    await eventually(async () => {
      expect((await shop.get(secrets, 'web-mtls')).type).toBe('kubernetes.io/tls')
      expect(JSON.stringify((await shop.get(configMaps, 'default-trust-bundle'))['data'])).toContain('BEGIN CERTIFICATE')
    })
  })

  it('was refused nothing, because it asked for nothing elsewhere', () => {
    expect(cluster.log.filter(({ fields }) => fields?.level === 'warn' || fields?.level === 'error').map(({ line }) => line)).toEqual([])
  })
})

describe('its account may not', () => {
  it.each<[string, Resource, string | undefined]>([
    ['list Secrets of another namespace', secrets, 'bank'],
    ['list all Secrets', secrets, undefined],
    ['list all ConfigMaps', configMaps, undefined],
    ['list pods of another namespace', pods, 'bank'],
    ['list all identities', mutualIdentities, undefined],
    ['list all namespaces', namespaces, undefined],
    ['see workloads', deployments, 'shop'],
  ])('%s', async (_what, resource, namespace) => {
    const list = async (): Promise<void> => {
      for await (const _page of account.client.listPages(resource, namespace === undefined ? {} : { namespace })) return
    }
    await expect(list().catch((error: unknown) => isForbidden(error))).resolves.toBe(true)
  })
})
