// Which change wakes whom: real stores, controllers that only note their keys.

import { describe, expect, it } from '@jest/globals'
import type { RawObject } from '../../src/k8s/resource.ts'
import type { Controller } from '../../src/runtime/controller.ts'
import type { WatchedCache } from '../../src/stores.ts'
import { connectTriggers } from '../../src/wiring.ts'
import {
  authorityObject,
  bundleMap,
  bundleOf,
  caSecret,
  changed,
  filledStores,
  identityObject,
  leafSecret,
  makeCA,
  namespaceObject,
  podObject,
  serviceObject,
  workloadObject,
} from '../support/material.ts'

const ca = await makeCA()
const leaf = await leafSecret(ca)
const STRANGER = workloadObject('stranger', { template: { app: 'stranger' } })
const ANOTHER_AUTHORITY = authorityObject({}, { metadata: { name: 'other' } })

type Name = WatchedCache
const ASKS = { restart: { onRenewal: true } }
const CERTIFICATE = { serialNumber: '0a', notAfter: '2030-01-01T00:00:00Z', renewAt: '2029-01-01T00:00:00Z', issuedBy: 'x' }
/** `restarting`: workloads may be restarted; `asking`: the identity asks for it. */
function world({ restarting = false, asking = restarting }: { restarting?: boolean; asking?: boolean } = {}) {
  const objects = {
    identities: [identityObject(asking ? ASKS : {})],
    authorities: [authorityObject(), ANOTHER_AUTHORITY],
    namespacedAuthorities: [authorityObject({}, { metadata: { namespace: 'shop', name: 'internal' } })],
    caSecrets: [caSecret(ca)],
    bundleRecords: [bundleMap(bundleOf(ca))],
    bundleCopies: [bundleMap(bundleOf(ca), { namespace: 'shop' })],
    leafSecrets: [leaf],
    pods: [podObject('a')],
    services: [serviceObject('payments')],
    namespaces: [namespaceObject('shop')],
    deployments: [workloadObject()],
    statefulSets: [workloadObject()],
    daemonSets: [workloadObject()],
  } satisfies Record<Name, RawObject[]>
  const stores = filledStores(objects)
  const woken: Record<string, Set<string>> = { authority: new Set(), identity: new Set(), bundle: new Set() }
  if (restarting) woken['restart'] = new Set()
  const soon: [string, number][] = []
  const noting = (name: string) =>
    ({
      enqueue: (key: string) => void woken[name]?.add(key),
      enqueueWithin: (key: string, ms: number) => void soon.push([key, ms]),
    }) as unknown as Controller
  const standing = { authority: noting('authority'), identity: noting('identity'), bundle: noting('bundle') }
  const disconnect = connectTriggers(stores, restarting ? { ...standing, restart: noting('restart') } : standing)
  const result = () => Object.fromEntries(Object.entries(woken).map(([name, keys]) => [name, [...keys].sort()]))
  const event = (name: Name, type: 'MODIFIED' | 'DELETED', change: Parameters<typeof changed>[1] = {}) => {
    const object = changed(objects[name][0] as RawObject, { ...change, metadata: { resourceVersion: '900000', ...change.metadata } })
    stores[name].apply({ type, object })
    return result()
  }
  return { stores, event, result, soon, objects, disconnect }
}
const ALL = ['default', 'other', 'shop.internal']
const NOBODY = { authority: [], identity: [], bundle: [] }

describe('a deletion wakes', () => {
  it.each<[Name, Record<string, string[]>]>([
    ['identities', { authority: [], identity: ['shop/payments'], bundle: ['shop/default'] }],
    ['authorities', { authority: ['other', 'shop.internal'], identity: ['shop/payments'], bundle: ['shop/default'] }],
    ['namespacedAuthorities', { authority: ['default', 'other'], identity: [], bundle: [] }],
    ['caSecrets', { authority: ['default'], identity: ['shop/payments'], bundle: [] }],
    ['bundleRecords', { authority: ['default'], identity: ['shop/payments'], bundle: ['shop/default'] }],
    ['bundleCopies', { authority: [], identity: [], bundle: ['shop/default'] }],
    ['leafSecrets', { authority: [], identity: ['shop/payments'], bundle: [] }],
    ['pods', { authority: [], identity: ['shop/payments'], bundle: [] }],
    ['services', { authority: [], identity: ['shop/payments'], bundle: [] }],
    ['namespaces', { authority: [], identity: ['shop/payments'], bundle: ['shop/default'] }],
    ['deployments', NOBODY],
    ['statefulSets', NOBODY],
    ['daemonSets', NOBODY],
  ])('of %s: %j', (name, woken) => {
    expect(world().event(name, 'DELETED')).toEqual(woken)
  })
})

describe('a change wakes those whom the object concerned before and those whom it concerns now', () => {
  it('of the labels of a pod', () => {
    const one = world()
    one.stores.identities.apply({
      type: 'ADDED',
      object: identityObject({ podSelector: { matchLabels: { app: 'new' } } }, { metadata: { name: 'new', uid: 'n' } }),
    })
    expect(one.event('pods', 'MODIFIED', { labels: { app: 'new' } })['identity']).toEqual(['shop/new', 'shop/payments'])
  })

  it('of the authority of an identity', () => {
    const fields = { spec: { podSelector: {}, authorityRef: { name: 'other' } } }
    expect(world().event('identities', 'MODIFIED', { fields })['bundle']).toEqual(['shop/default', 'shop/other'])
  })
})

it('another pod of the same kind makes an identity count anew within five seconds, not at once', () => {
  const one = world()
  one.stores.pods.apply({ type: 'ADDED', object: podObject('b') })
  expect([one.result(), one.soon]).toEqual([NOBODY, [['shop/payments', 5000]]])
})

describe('nobody is woken', () => {
  it('by a version that says nothing new', () => {
    expect(world().event('pods', 'MODIFIED')).toEqual(NOBODY)
  })

  it('by the status of an authority', () => {
    expect(world().event('authorities', 'MODIFIED', { fields: { status: { observedGeneration: 7, conditions: [] } } })).toEqual(NOBODY)
  })

  it.each<Name>(['identities', 'leafSecrets', 'bundleCopies'])('among their own controllers by what they wrote themselves (%s)', (name) => {
    const one = world()
    const object = one.objects[name][0] as RawObject
    one.stores[name].wrote(
      changed(object, {
        metadata: { resourceVersion: '900000' },
        annotations: { 'mutualidentity.io/x': 'y', 'mutualidentity.io/renew-requested-at': 'now' },
        data: { 'ca.crt': 'x' },
      }),
    )
    expect(one.result()).toEqual(NOBODY)
  })
})

it('a leaf Secret that we deleted wakes those that name it: one of them may have waited for its name', () => {
  const one = world()
  const { metadata } = one.objects.leafSecrets[0] as RawObject
  one.stores.leafSecrets.removed({ namespace: 'shop', name: metadata.name }, metadata.uid ?? '')
  expect(one.result()).toEqual({ authority: [], identity: ['shop/payments'], bundle: [] })
})

describe('what one controller wrote wakes another', () => {
  it('a new CA Secret: the identities of the authority', () => {
    const one = world()
    one.stores.caSecrets.wrote(
      changed(one.objects.caSecrets[0] as RawObject, {
        metadata: { resourceVersion: '900000' },
        annotations: { 'mutualidentity.io/activated-at': undefined },
      }),
    )
    expect(one.result()).toEqual({ authority: [], identity: ['shop/payments'], bundle: [] })
  })

  it('a published bundle: its copies and the identities', () => {
    const one = world()
    one.stores.bundleRecords.wrote(
      changed(one.objects.bundleRecords[0] as RawObject, { metadata: { resourceVersion: '900000' }, data: { 'ca.crt': 'x' } }),
    )
    expect(one.result()).toEqual({ authority: [], identity: ['shop/payments'], bundle: ['shop/default'] })
  })
})

describe('where workloads are restarted', () => {
  const restarts = (act: (one: ReturnType<typeof world>) => void): unknown => {
    const one = world({ restarting: true })
    act(one)
    return one.result()['restart']
  }
  const later = (object: RawObject, change: Parameters<typeof changed>[1]): RawObject =>
    changed(object, { ...change, metadata: { resourceVersion: '900000' } })
  const asksNoMore = { fields: { spec: { podSelector: { matchLabels: { app: 'payments' } } } } }
  const reported = { fields: { status: { certificate: CERTIFICATE } } }
  const unready = { fields: { status: { observedGeneration: 7, conditions: [] } } }

  it.each<[string, Parameters<typeof restarts>[0]]>([
    ['its spec', (one) => one.event('identities', 'MODIFIED', asksNoMore)],
    ['its deletion', (one) => one.event('identities', 'DELETED')],
    ['its own Secret, as somebody changes it', (one) => one.event('leafSecrets', 'DELETED')],
    ['its own Secret, as we write it', (one) => one.stores.leafSecrets.wrote(later(leaf, { data: { 'ca.crt': 'x' } }))],
    ['the certificate in its status, as we write it', (one) => one.stores.identities.wrote(later(identityObject(ASKS), reported))],
    ['a Deployment', (one) => one.event('deployments', 'MODIFIED', { annotations: { 'mutualidentity.io/restart-on-renewal': 'no' } })],
    ['a StatefulSet', (one) => one.event('statefulSets', 'DELETED')],
    ['a DaemonSet', (one) => one.event('daemonSets', 'DELETED')],
  ])('an identity that asks is woken by %s', (_what, act) => {
    expect(restarts(act)).toEqual(['shop/payments'])
  })

  it('a change of an identity that asks wakes the others that select the same pods: one of them may come first now', () => {
    const rival = identityObject({ podSelector: {}, ...ASKS }, { metadata: { name: 'rival', uid: 'uid-rival' } })
    const woken = restarts((one) => {
      one.stores.identities.wrote(rival)
      one.event('identities', 'DELETED')
    })
    expect(woken).toEqual(['shop/payments', 'shop/rival'])
  })

  it.each<[string, Parameters<typeof restarts>[0]]>([
    ['by the rest of its status', (one) => one.event('identities', 'MODIFIED', unready)],
    [
      'by the restart itself',
      (one) => one.stores.deployments.wrote(later(workloadObject('payments', { restartedFor: '0a 2026-11-24T12:00:00Z' }), {})),
    ],
    ['by a workload whose pods it does not select', (one) => one.stores.deployments.apply({ type: 'ADDED', object: STRANGER })],
    ['by pods and Services', (one) => [one.event('pods', 'DELETED'), one.event('services', 'DELETED')]],
  ])('nobody is woken %s', (_what, act) => {
    expect(restarts(act)).toEqual([])
  })

  it('nobody is woken who does not ask', () => {
    const one = world({ restarting: true, asking: false })
    for (const name of ['deployments', 'leafSecrets', 'identities'] as const) one.event(name, 'DELETED')
    expect(one.result()['restart']).toEqual([])
  })
})

it('an authority that is being deleted wakes its identities, and those that may have waited for its trust domain', () => {
  const woken = world().event('authorities', 'MODIFIED', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })
  expect(woken).toEqual({ authority: ALL, identity: ['shop/payments'], bundle: ['shop/default'] })
})

it('a changed spec of one authority wakes all: another may have waited for its trust domain', () => {
  expect(world().event('authorities', 'MODIFIED', { fields: { spec: { trustDomain: 'example.org' } } })).toEqual({
    authority: ALL,
    identity: ['shop/payments'],
    bundle: ['shop/default'],
  })
})

it('nobody is woken any more when the term of leadership has ended', () => {
  const one = world()
  one.disconnect()
  expect(Object.keys(one.objects).map((name) => one.event(name as Name, 'DELETED'))).toEqual(Object.keys(one.objects).map(() => NOBODY))
})
