// Whole passes over a copy of a trust bundle, and which copies a change concerns.

import { beforeEach, describe, expect, it } from '@jest/globals'
import { authorityOfKey, labels } from '../../../../src/api/names.ts'
import { copiesOfAuthority, copiesOfIdentity, copiesOfNamespace } from '../../../../src/controllers/bundle/triggers.ts'
import { configMaps, type RawObject } from '../../../../src/k8s/resource.ts'
import { authorityObject, bundleMap, bundleOf, filledStores, identityObject, makeCA, namespaceObject } from '../../../support/material.ts'
import { type Passes, passes } from '../../../support/passes.ts'
import { apiFailure } from '../../../support/recording-client.ts'

const REF = { namespace: 'shop', name: 'default-trust-bundle' }
const ca = await makeCA()
const bundle = bundleOf(ca)
let one: Passes
beforeEach(() => {
  one = passes()
  one.seen('authorities', authorityObject())
  one.seen('namespaces', namespaceObject('shop'))
  one.seen('identities', identityObject())
  one.seen('bundleRecords', bundleMap(bundle))
})
const written = () => one.api.writes.map(({ verb, path }) => `${verb} ${path}`)
const text = () => (one.api.at(configMaps, REF)?.['data'] as Record<string, string> | undefined)?.['ca.crt']

describe('a pass over a copy', () => {
  it('creates it, and says so in one line', async () => {
    expect(await one.bundle()).toEqual({ at: undefined })
    expect([written(), text()]).toEqual([['create configmaps shop/default-trust-bundle'], bundle.text])
    expect(one.lines.map((line) => JSON.parse(line))).toMatchObject([
      { message: 'trust bundle written', configMap: REF.name, fingerprint: bundle.fingerprint },
    ])
  })

  it('writes nothing and says nothing the next time', async () => {
    await one.bundle()
    await one.bundle()
    expect([written().length, one.lines.length]).toEqual([1, 1])
  })

  it('gives it no owner: deleting an authority must not take trust away', async () => {
    await one.bundle()
    expect(one.api.at(configMaps, REF)?.metadata.ownerReferences).toBeUndefined()
  })

  it('repairs an edited one and keeps what others added', async () => {
    await one.bundle()
    const present = one.api.at(configMaps, REF) as RawObject
    one.seen('bundleCopies', { ...present, data: { 'ca.crt': 'edited', other: 'x' } })
    await one.bundle()
    expect(one.api.at(configMaps, REF)?.['data']).toEqual({ 'ca.crt': bundle.text, 'bundle.json': bundle.json, other: 'x' })
  })

  it('repairs one that holds other anchors as bytes, which the API server would refuse beside ours', async () => {
    await one.bundle()
    const content = { data: { 'bundle.json': '{}', other: 'x' }, binaryData: { 'ca.crt': 'ZXZpbA==', more: 'eA==' } }
    one.seen('bundleCopies', { ...(one.api.at(configMaps, REF) as RawObject), ...content })
    await one.bundle()
    expect(one.api.at(configMaps, REF)).toMatchObject({
      data: { 'ca.crt': bundle.text, 'bundle.json': bundle.json, other: 'x' },
      binaryData: { more: 'eA==' },
    })
    expect(one.api.at(configMaps, REF)?.['binaryData']).not.toHaveProperty(['ca.crt'])
  })

  it('repairs one that others fill up, so that there is no room for ours: what fills it goes', async () => {
    await one.bundle()
    const content = { data: { 'ca.crt': 'x', filler: 'y'.repeat(1_000_000) }, binaryData: { filling: 'eQ==' } }
    one.seen('bundleCopies', { ...(one.api.at(configMaps, REF) as RawObject), ...content })
    await one.bundle()
    expect(one.api.at(configMaps, REF)).toMatchObject({ data: { 'ca.crt': bundle.text, 'bundle.json': bundle.json }, binaryData: {} })
    expect(JSON.stringify(one.api.at(configMaps, REF)).length).toBeLessThan(10_000)
  })

  it('makes an immutable one anew', async () => {
    await one.bundle()
    one.seen('bundleCopies', { ...(one.api.at(configMaps, REF) as RawObject), immutable: true, data: { 'ca.crt': 'edited' } })
    expect(await one.bundle()).toEqual({ at: 0 })
    await one.bundle()
    expect([
      written()
        .slice(1)
        .map((write) => write.split(' ')[0]),
      text(),
    ]).toEqual([['delete', 'create'], bundle.text])
  })

  it('gives a label back that hides it from the cache', async () => {
    await one.bundle()
    const present = one.api.at(configMaps, REF) as RawObject
    const { [labels.managedBy]: _gone, ...rest } = present.metadata.labels ?? {}
    one.api.put(configMaps, { ...present, metadata: { ...present.metadata, labels: rest } })
    one.stores.bundleCopies.removed(REF, present.metadata.uid ?? '')
    await one.bundle()
    expect(one.api.at(configMaps, REF)?.metadata.labels).toEqual(present.metadata.labels)
  })

  it('makes one anew that is hidden and immutable', async () => {
    await one.bundle()
    const present = one.api.at(configMaps, REF) as RawObject
    one.api.put(configMaps, { ...present, metadata: { ...present.metadata, labels: {} }, data: { 'ca.crt': 'edited' }, immutable: true })
    one.stores.bundleCopies.removed(REF, present.metadata.uid ?? '')
    await one.bundle()
    expect([text(), one.api.at(configMaps, REF)?.['immutable']]).toEqual([bundle.text, undefined])
  })

  it('does not touch somebody else’s, warns on the authority, and looks again later', async () => {
    const before = one.api.put(configMaps, { metadata: REF, data: { 'ca.crt': 'theirs' } })
    await expect(one.bundle()).rejects.toMatchObject({ reason: 'ConfigMapNotOwned', after: expect.any(Number) })
    expect(one.api.at(configMaps, REF)).toEqual(before)
    expect(one.api.writes).toMatchObject([
      {
        verb: 'create',
        body: { reason: 'ConfigMapNotOwned', type: 'Warning', regarding: { kind: 'ClusterMutualAuthority', name: 'default' } },
      },
    ])
  })

  it('ends quietly in a namespace that goes away', async () => {
    one.api.refuse = (verb) =>
      verb === 'create' ? apiFailure(403, 'Forbidden', 'it goes', { causes: [{ reason: 'NamespaceTerminating' }] }) : undefined
    expect([await one.bundle(), one.lines]).toEqual([{ at: undefined }, []])
  })

  it('leaves any other failure to the queue', async () => {
    one.api.refuse = (verb) => (verb === 'create' ? apiFailure(503, 'ServiceUnavailable') : undefined)
    await expect(one.bundle()).rejects.toMatchObject({ reason: 'ServerError' })
  })
})

describe('the copies that a change concerns', () => {
  const at = (namespace: string, name: string, authority = 'default') =>
    identityObject({ authorityRef: { name: authority } }, { metadata: { namespace, name } })
  const stores = filledStores({
    identities: [at('shop', 'a'), at('shop', 'b'), at('shop', 'c', 'other'), at('bank', 'd')],
    bundleCopies: [bundleMap(bundle, { namespace: 'attic' }), bundleMap(bundle, { namespace: 'shop' })],
  })
  it('of an identity: the one in its namespace', () => {
    const [identity] = filledStores({ identities: [at('shop', 'a', 'other')] }).identities.all()
    expect(identity && copiesOfIdentity(identity)).toEqual(['shop/other'])
  })
  it('of an authority: where identities are and where a copy is, each once', () => {
    expect(copiesOfAuthority(authorityOfKey('default'), stores).sort()).toEqual(['attic/default', 'bank/default', 'shop/default'])
  })
  it('of a namespace: what its identities need, each once', () => {
    expect(copiesOfNamespace('shop', stores).sort()).toEqual(['shop/default', 'shop/other'])
  })
})
