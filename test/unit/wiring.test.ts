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
} from '../support/material.ts'

const ca = await makeCA()
const leaf = await leafSecret(ca)
const ANOTHER_AUTHORITY = authorityObject({}, { metadata: { name: 'other' } })

type Name = WatchedCache
function world() {
  const objects = {
    identities: [identityObject()],
    authorities: [authorityObject(), ANOTHER_AUTHORITY],
    namespacedAuthorities: [authorityObject({}, { metadata: { namespace: 'shop', name: 'internal' } })],
    caSecrets: [caSecret(ca)],
    bundleRecords: [bundleMap(bundleOf(ca))],
    bundleCopies: [bundleMap(bundleOf(ca), { namespace: 'shop' })],
    leafSecrets: [leaf],
    pods: [podObject('a')],
    services: [serviceObject('payments')],
    namespaces: [namespaceObject('shop')],
  } satisfies Record<Name, RawObject[]>
  const stores = filledStores(objects)
  const woken: Record<string, Set<string>> = { authority: new Set(), identity: new Set(), bundle: new Set() }
  const noting = (name: string) => ({ enqueue: (key: string) => void woken[name]?.add(key) }) as unknown as Controller
  const disconnect = connectTriggers(stores, { authority: noting('authority'), identity: noting('identity'), bundle: noting('bundle') })
  const result = () => Object.fromEntries(Object.entries(woken).map(([name, keys]) => [name, [...keys].sort()]))
  const event = (name: Name, type: 'MODIFIED' | 'DELETED', change: Parameters<typeof changed>[1] = {}) => {
    const object = changed(objects[name][0] as RawObject, { ...change, metadata: { resourceVersion: '900000', ...change.metadata } })
    stores[name].apply({ type, object })
    return result()
  }
  return { stores, event, result, objects, disconnect }
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
