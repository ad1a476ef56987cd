// Into which namespaces the copies of a bundle go, by the policy of its authority; what becomes of them when the policy is narrowed; and how
// the published bundle counts. Passes run for exactly the keys that the triggers name, so that a missing trigger is a missing copy.

import { beforeEach, describe, expect, it } from '@jest/globals'
import { authorityOfKey } from '../../../../src/api/names.ts'
import { publishedBundle } from '../../../../src/api/stored/bundle.ts'
import { hours } from '../../../../src/base/duration.ts'
import { copiesOfAuthority, copiesOfIdentity, copiesOfNamespace } from '../../../../src/controllers/bundle/triggers.ts'
import { configMaps, type RawObject, secrets } from '../../../../src/k8s/resource.ts'
import { makeBundle, parseBundle } from '../../../../src/pki/bundle.ts'
import {
  authorityObject,
  bundleMap,
  bundleOf,
  caSecret,
  identityObject,
  makeCA,
  NOW,
  namespaceObject,
  OPERATOR_NAMESPACE,
} from '../../../support/material.ts'
import { type Passes, passes } from '../../../support/passes.ts'

const [first, second, short, shorter] = await Promise.all([
  makeCA(),
  makeCA({ generation: 2 }),
  makeCA({ generation: 3, lifetime: hours(48) }),
  makeCA({ generation: 4, lifetime: hours(36) }),
])
const BUNDLE = bundleOf(first)
const DEFAULT = authorityOfKey('default')

let world: Passes
beforeEach(() => {
  world = passes()
  for (const name of ['shop', 'bank', 'attic', OPERATOR_NAMESPACE]) namespace(name)
  world.seen('bundleRecords', bundleMap(BUNDLE))
})

/** A namespace is there, or its labels become these. */
function namespace(name: string, labels: Record<string, string> = {}, more: object = {}): void {
  world.seen('namespaces', namespaceObject(name, { labels, metadata: more }))
}
async function run(keys: Iterable<string>): Promise<void> {
  for (const key of new Set(keys)) {
    const [place = '', authority = ''] = key.split('/')
    await world.bundle(place, authority)
  }
}
/** The authority's spec is or becomes this. */
async function authority(namespaces?: object, name = 'default'): Promise<void> {
  world.seen('authorities', authorityObject(namespaces ? { trustBundle: { namespaces } } : {}, { metadata: { name } }))
  await run(copiesOfAuthority(authorityOfKey(name), world.stores))
}
async function identity(place: string, spec: object = {}): Promise<void> {
  const raw = world.seen('identities', identityObject(spec, { metadata: { namespace: place, uid: `uid-${place}` } }))
  const stored = world.stores.identities.get(place, raw.metadata.name)
  await run(stored ? copiesOfIdentity(stored) : [])
}
async function labelled(name: string, labels: Record<string, string>): Promise<void> {
  namespace(name, labels)
  await run(copiesOfNamespace(name, world.stores))
}
/** Where copies are, apart from the record. */
const copies = (authorityName = 'default'): string[] =>
  world.api
    .all()
    .filter(
      ({ kind, metadata }) =>
        kind === 'ConfigMap' && metadata.namespace !== OPERATOR_NAMESPACE && metadata.name === `${authorityName}-trust-bundle`,
    )
    .map(({ metadata }) => metadata.namespace ?? '')
    .sort()
const dataOf = (place: string): Record<string, string> | undefined =>
  world.api.at(configMaps, { namespace: place, name: 'default-trust-bundle' })?.data as Record<string, string> | undefined
const published = (bundle = BUNDLE) => ({ 'ca.crt': bundle.text, 'bundle.json': bundle.json })

describe('policy WithIdentities, which is the default', () => {
  it.each([undefined, { policy: 'WithIdentities' }])('copies into the namespaces of identities only (%j)', async (policy) => {
    await authority(policy)
    expect(copies()).toEqual([])
    await identity('shop')
    expect(copies()).toEqual(['shop'])
  })

  it('counts identities that only accept the authority beside their own', async () => {
    await authority()
    await identity('bank', { authorityRef: { name: 'other' }, trust: { additionalAuthorities: [{ name: 'default' }] } })
    expect(copies()).toEqual(['bank'])
  })

  it('counts them also where their own authority is not there', async () => {
    await identity('bank', { authorityRef: { name: 'nobody' }, trust: { additionalAuthorities: [{ name: 'default' }] } })
    await authority()
    expect(copies()).toEqual(['bank'])
  })

  it('does not count an identity of another authority', async () => {
    await authority()
    await identity('bank', { authorityRef: { name: 'other' } })
    expect(copies()).toEqual([])
  })

  it('keeps the copy current when the last identity has gone', async () => {
    await authority()
    await identity('shop')
    const gone = world.stores.identities.get('shop', 'payments')
    world.stores.identities.removed({ namespace: 'shop', name: 'payments' }, gone?.uid ?? '')
    const next = bundleOf(second, first)
    world.seen('bundleRecords', bundleMap(next))
    await run(copiesOfAuthority(DEFAULT, world.stores))
    expect(dataOf('shop')).toEqual(published(next))
  })
})

describe('policy All', () => {
  it('copies into every namespace but the operator’s, which holds the record', async () => {
    await authority({ policy: 'All' })
    expect(copies()).toEqual(['attic', 'bank', 'shop'])
    expect([dataOf('attic'), dataOf('bank'), dataOf('shop')]).toEqual([published(), published(), published()])
  })

  it('copies into a namespace that is made later', async () => {
    await authority({ policy: 'All' })
    await labelled('fresh', {})
    expect(copies()).toEqual(['attic', 'bank', 'fresh', 'shop'])
  })

  it('does not copy into one that is going', async () => {
    namespace('attic', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' })
    await authority({ policy: 'All' })
    expect(copies()).toEqual(['bank', 'shop'])
  })

  it('makes a copy again that was deleted, though no identity needs it', async () => {
    await authority({ policy: 'All' })
    const ref = { namespace: 'attic', name: 'default-trust-bundle' }
    const { uid = '' } = (world.api.at(configMaps, ref) as RawObject).metadata
    await world.api.client.delete(configMaps, ref, {})
    world.stores.bundleCopies.removed(ref, uid)
    await run(['attic/default'])
    expect(dataOf('attic')).toEqual(published())
  })

  it('is no business of another authority', async () => {
    await authority({ policy: 'All' }, 'other')
    await authority()
    expect([copies(), copies('other')]).toEqual([[], []])
  })

  it('copies nothing before a bundle was published, and then everywhere', async () => {
    world = passes()
    for (const name of ['shop', 'bank']) namespace(name)
    await authority({ policy: 'All' })
    expect(copies()).toEqual([])
    world.seen('bundleRecords', bundleMap(BUNDLE))
    await run(copiesOfAuthority(DEFAULT, world.stores))
    expect(copies()).toEqual(['bank', 'shop'])
  })

  it('of an authority that is going is asked for no more', async () => {
    world.seen(
      'authorities',
      authorityObject({ trustBundle: { namespaces: { policy: 'All' } } }, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
    )
    await run(copiesOfAuthority(DEFAULT, world.stores))
    expect(copies()).toEqual([])
  })
})

describe('policy Selector', () => {
  const SELECTOR = { policy: 'Selector', selector: { matchLabels: { mesh: 'yes' } } }

  it('copies into the namespaces that match, and where identities are', async () => {
    namespace('bank', { mesh: 'yes' })
    await authority(SELECTOR)
    await identity('shop')
    expect(copies()).toEqual(['bank', 'shop'])
  })

  it('copies into a namespace that gets the label later', async () => {
    await authority(SELECTOR)
    expect(copies()).toEqual([])
    await labelled('bank', { mesh: 'yes' })
    expect(copies()).toEqual(['bank'])
  })

  it('heeds expressions', async () => {
    namespace('bank', { tier: 'front' })
    namespace('attic', { tier: 'back' })
    await authority({ policy: 'Selector', selector: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['back'] }] } })
    expect(copies()).toEqual(['bank', 'shop'])
  })

  it('that selects everything is as All', async () => {
    await authority({ policy: 'Selector', selector: {} })
    expect(copies()).toEqual(['attic', 'bank', 'shop'])
  })

  it.each([
    ['without a selector', { policy: 'Selector' }],
    ['that cannot be read', { policy: 'Selector', selector: { matchExpressions: [{ key: 'a', operator: 'Like', values: ['x'] }] } }],
    ['of another name', { policy: 'Everything' }],
  ])('%s, stored before the schema refused it, selects nothing', async (_what, policy) => {
    await authority(policy)
    expect(copies()).toEqual([])
  })
})

describe('a copy where the policy wants none any more', () => {
  const wide = { policy: 'Selector', selector: { matchLabels: { mesh: 'yes' } } }
  const narrowings: [string, () => Promise<void>][] = [
    ['the policy became WithIdentities', () => authority({ policy: 'WithIdentities' })],
    ['the policy was taken away', () => authority()],
    ['the selector became another', () => authority({ policy: 'Selector', selector: { matchLabels: { mesh: 'no' } } })],
    ['the namespace lost its label', () => labelled('bank', {})],
  ]

  it.each(narrowings)('because %s stays as it is', async (_what, narrow) => {
    namespace('bank', { mesh: 'yes' })
    await authority(wide)
    const writes = world.api.writes.length
    await narrow()
    expect([copies(), dataOf('bank'), world.api.writes.length]).toEqual([['bank'], published(), writes])
  })

  it.each(narrowings)('because %s is kept current all the same', async (_what, narrow) => {
    namespace('bank', { mesh: 'yes' })
    await authority(wide)
    await narrow()
    const next = bundleOf(second, first)
    world.seen('bundleRecords', bundleMap(next))
    await run(copiesOfAuthority(DEFAULT, world.stores))
    expect(dataOf('bank')).toEqual(published(next))
  })

  it('is not made again once somebody deleted it', async () => {
    namespace('bank', { mesh: 'yes' })
    await authority(wide)
    await authority()
    const ref = { namespace: 'bank', name: 'default-trust-bundle' }
    const { uid = '' } = (world.api.at(configMaps, ref) as RawObject).metadata
    await world.api.client.delete(configMaps, ref, {})
    world.stores.bundleCopies.removed(ref, uid)
    await run(['bank/default'])
    expect(copies()).toEqual([])
  })
})

describe('bundle.json', () => {
  interface Jwks {
    readonly spiffe_sequence: number
    readonly spiffe_refresh_hint: number
    readonly keys: readonly { readonly use: string; readonly x5c: readonly string[] }[]
  }
  const RECORD = { namespace: OPERATOR_NAMESPACE, name: 'default-trust-bundle' }
  const CA = { namespace: OPERATOR_NAMESPACE, name: 'default-ca-1' }
  const record = (): RawObject => world.api.at(configMaps, RECORD) as RawObject
  const recordData = () => record().data as Record<string, string>
  const jwks = (): Jwks => JSON.parse(recordData()['bundle.json'] ?? '')
  const settle = async () => {
    for (let pass = 0; pass < 5; pass++) await world.authority()
  }
  /** A record of former roots beside the one that signs: they leave it when they expire, which changes what is published. */
  const formerRoots = async (sequence: number) => {
    const anchors = [first, short, shorter].map(({ certificate }) => certificate)
    world.seen('bundleRecords', bundleMap(publishedBundle(makeBundle(anchors, NOW), 'cluster.local', sequence)))
    await settle()
  }
  const x5c = () => jwks().keys.map((key) => key.x5c)
  const anchors = () => parseBundle(recordData()['ca.crt'] ?? '').anchors.map(({ der }) => [der.toString('base64')])

  beforeEach(async () => {
    world = passes()
    for (const name of ['shop', OPERATOR_NAMESPACE]) namespace(name)
    world.seen('authorities', authorityObject())
    world.seen('caSecrets', caSecret(first))
    await settle()
  })

  it('holds exactly the anchor of ca.crt where there is one', () => {
    expect([anchors().length, x5c()]).toEqual([1, anchors()])
    expect(jwks().keys.every(({ use }) => use === 'x509-svid')).toBe(true)
  })

  it('holds exactly the anchors of ca.crt, in their order, where there are several', async () => {
    await formerRoots(7)
    expect([anchors().length, x5c()]).toEqual([3, anchors()])
  })

  it('counts from the time, so that a lost count never goes back', () => {
    expect(jwks().spiffe_sequence).toBe(Math.floor(NOW / 1000))
  })

  it('counts on with each change that is published, also where the count is ahead of the time', async () => {
    await formerRoots(9_000_000_000)
    const counted = [[jwks().spiffe_sequence, anchors().length]]
    for (const later of [hours(12), hours(12)]) {
      await world.clock.advance(later)
      await settle()
      counted.push([jwks().spiffe_sequence, anchors().length])
    }
    expect(counted).toEqual([
      [9_000_000_000, 3],
      [9_000_000_001, 2],
      [9_000_000_002, 1],
    ])
  })

  it('counts on from a small count by the time', async () => {
    await formerRoots(7)
    expect(jwks().spiffe_sequence).toBe(7)
    await world.clock.advance(hours(12))
    await settle()
    expect(jwks().spiffe_sequence).toBe(Math.floor((NOW + hours(12)) / 1000))
  })

  it('never goes back when the clock does', async () => {
    await formerRoots(7)
    await world.clock.advance(hours(12))
    await settle()
    const before = jwks().spiffe_sequence
    world.clock.shiftWall(-hours(10))
    world.seen('bundleRecords', { ...record(), data: { ...recordData(), 'ca.crt': 'edited' } })
    await settle()
    expect(jwks().spiffe_sequence).toBeGreaterThanOrEqual(before)
  })

  it.each<[string, () => void | Promise<void>]>([
    ['time passes', () => world.clock.advance(hours(5))],
    ['the spec changes', () => void world.seen('authorities', authorityObject({ leaf: { lifetime: '1h' } }))],
    ['its policy changes', () => void world.seen('authorities', authorityObject({ trustBundle: { namespaces: { policy: 'All' } } }))],
    [
      'a CA Secret is labelled',
      () =>
        void world.seen('caSecrets', {
          ...(world.api.at(secrets, CA) as RawObject),
          metadata: {
            ...(world.api.at(secrets, CA) as RawObject).metadata,
            labels: { ...(world.api.at(secrets, CA) as RawObject).metadata.labels, team: 'red' },
          },
        }),
    ],
    [
      'ca.crt is edited and repaired',
      () => void world.seen('bundleRecords', { ...record(), data: { ...recordData(), 'ca.crt': 'edited' } }),
    ],
    [
      'bundle.json is edited and repaired',
      () => void world.seen('bundleRecords', { ...record(), data: { ...recordData(), 'bundle.json': '{"spiffe_sequence":1}' } }),
    ],
    [
      'bundle.json is taken away and put back',
      () => void world.seen('bundleRecords', { ...record(), data: { 'ca.crt': recordData()['ca.crt'] } }),
    ],
    [
      'a label is lost and put back',
      () =>
        void world.seen('bundleRecords', {
          ...record(),
          metadata: { ...record().metadata, labels: { ...record().metadata.labels, 'mutualidentity.io/authority': 'x' } },
        }),
    ],
  ])('stays to the letter when %s', async (_what, happen) => {
    const before = recordData()
    await happen()
    await settle()
    expect(recordData()).toEqual(before)
  })

  it('counts on from the time where the count was lost with the record', async () => {
    const before = jwks().spiffe_sequence
    const { uid = '' } = record().metadata
    await world.clock.advance(5_000)
    await world.api.client.delete(configMaps, RECORD, {})
    world.stores.bundleRecords.removed(RECORD, uid)
    await settle()
    expect(jwks().spiffe_sequence).toBe(before + 5)
  })

  it('is in each copy what it is in the record', async () => {
    await identity('shop')
    expect(dataOf('shop')).toEqual(recordData())
    await formerRoots(7)
    await run(copiesOfAuthority(DEFAULT, world.stores))
    expect(dataOf('shop')).toEqual(recordData())
    await world.clock.advance(hours(12))
    await settle()
    await run(copiesOfAuthority(DEFAULT, world.stores))
    expect(dataOf('shop')).toEqual(recordData())
    expect(anchors()).toHaveLength(2)
  })
})
