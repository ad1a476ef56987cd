import { describe, expect, it } from '@jest/globals'
import { silentLog } from '../../src/base/log.ts'
import type { Client, ListOptions, Page } from '../../src/k8s/client.ts'
import type { Resource } from '../../src/k8s/resource.ts'
import { createStores, restartWatchers, scopes, storeWatchers } from '../../src/stores.ts'
import {
  b64,
  bundleMap,
  bundleOf,
  caSecret,
  filledStores,
  identityObject,
  leafSecret,
  makeCA,
  OPERATOR_NAMESPACE,
  podObject,
  steadyRandom,
  workloadObject,
} from '../support/material.ts'
import { virtualClock } from '../support/virtual-clock.ts'

const ca = await makeCA()
const OURS = 'app.kubernetes.io/managed-by=mutual-identity'

describe('what is read of the cluster', () => {
  it.each<[keyof typeof scopes, string]>([
    ['leafSecrets', `${OURS},mutualidentity.io/role=leaf`],
    ['caSecrets', `${OURS},mutualidentity.io/role=ca`],
    ['bundleCopies', `${OURS},mutualidentity.io/role=bundle`],
    ['bundleRecords', `${OURS},mutualidentity.io/role=bundle`],
  ])('%s by our own labels only', (name, labelSelector) => {
    expect(scopes[name]).toMatchObject({ labelSelector })
  })

  it('all Secrets and ConfigMaps by some label', () => {
    const unlabelled = Object.values(scopes).filter(
      (scope) => ['secrets', 'configmaps'].includes(scope.resource.plural) && !('labelSelector' in scope),
    )
    expect(unlabelled).toEqual([])
  })

  it('CA keys and records in the operator’s namespace alone', async () => {
    const asked: string[] = []
    async function* listPages(resource: Resource, options: ListOptions = {}): AsyncIterable<Page> {
      asked.push(`${resource.plural} ${options.namespace ?? '*'} ${options.labelSelector?.split('=').at(-1) ?? '*'}`)
      yield { items: [], resourceVersion: '1' }
    }
    async function* watch(): AsyncIterable<never> {}
    const client = { listPages, watch } as unknown as Client
    const watchers = storeWatchers(
      createStores(() => {}),
      { client, clock: virtualClock(), random: steadyRandom, log: silentLog, operatorNamespace: OPERATOR_NAMESPACE },
    )
    const all = Object.values(watchers).flat()
    await Promise.all(all.map((watcher) => watcher.start()))
    await Promise.all(all.map((watcher) => watcher.stop()))
    expect(asked.sort()).toEqual([
      'clustermutualauthorities * *',
      'configmaps * bundle',
      `configmaps ${OPERATOR_NAMESPACE} bundle`,
      'mutualauthorities * *',
      'mutualidentities * *',
      'namespaces * *',
      'pods * *',
      'secrets * leaf',
      `secrets ${OPERATOR_NAMESPACE} ca`,
      'services * *',
    ])
  })
})

describe('workloads', () => {
  const client = { listPages: async function* () {}, watch: async function* () {} } as unknown as Client
  const deps = { client, clock: virtualClock(), random: steadyRandom, log: silentLog, operatorNamespace: OPERATOR_NAMESPACE }

  it('are not watched unless asked for', () => {
    expect(Object.keys(storeWatchers(filledStores(), deps)).filter((name) => /deployment|set/i.test(name))).toEqual([])
  })

  it('are unknown, not absent, until they were listed', () => {
    const stores = createStores(() => {})
    expect([stores.deployments.readable, Object.keys(restartWatchers(stores, deps)), stores.deployments.readable]).toEqual([
      true,
      ['deployments', 'statefulSets', 'daemonSets'],
      false,
    ])
  })

  it('are found by the labels of their pods where they opted in, and else not at all', () => {
    const shy = workloadObject('shy', { annotations: { 'mutualidentity.io/restart-on-renewal': undefined } })
    const { deployments } = filledStores({ deployments: [workloadObject('web', { template: { app: 'web', tier: 'front' } }), shy] })
    const found = ['shop/app=web', 'shop/tier=front', 'shop/*', 'shop/app=payments'].map((pair) => deployments.by('optedIn', pair))
    expect(found.map((list) => list.map(({ name }) => name))).toEqual([['web'], ['web'], ['web'], []])
  })
})

describe('the stores', () => {
  it('keep an object that cannot be understood, with its problem', async () => {
    const broken = await leafSecret(ca, { data: { 'tls.key': b64('x') } })
    const stores = filledStores({
      leafSecrets: [broken],
      identities: [identityObject({ podSelector: 5 })],
      caSecrets: [caSecret(ca, { data: { 'tls.crt': undefined } })],
    })
    expect(stores.leafSecrets.get('shop', 'payments-mtls')?.problem?.reason).toBe('KeyInvalid')
    expect(stores.identities.get('shop', 'payments')?.problem).toBeDefined()
    expect([...stores.caSecrets.all()][0]?.problem).toBeDefined()
  })

  it('find pods by label, CA Secrets and bundles by authority, identities by authority and namespace', () => {
    const stores = filledStores({
      pods: [podObject('a')],
      caSecrets: [caSecret(ca)],
      bundleCopies: [bundleMap(bundleOf(ca), { namespace: 'shop' })],
      identities: [identityObject()],
    })
    const found = [
      stores.pods.by('label', 'shop/app=payments'),
      stores.caSecrets.by('authority', 'default'),
      stores.bundleCopies.by('authority', 'default'),
      stores.identities.by('trustsInNamespace', 'default/shop'),
    ]
    expect(found.map(({ length }) => length)).toEqual([1, 1, 1, 1])
  })

  it('tell of an object that breaks a projection, and go on without it', () => {
    const problems: string[] = []
    const stores = createStores(({ name, part }) => problems.push(`${part} ${name}`))
    stores.pods.wrote({
      ...podObject('a'),
      metadata: { ...podObject('a').metadata, labels: null as never },
      get spec(): never {
        throw new Error('odd')
      },
    } as never)
    expect([problems, stores.pods.size]).toEqual([['projection a'], 0])
  })
})
