// Whole passes over an authority, and what its steps write.

import { beforeEach, describe, expect, it } from '@jest/globals'
import { clusterMutualAuthorities } from '../../../../src/api/kinds.ts'
import { annotations, labels } from '../../../../src/api/names.ts'
import { configMaps, type RawObject, secrets } from '../../../../src/k8s/resource.ts'
import { parseBundle } from '../../../../src/pki/bundle.ts'
import { readChain } from '../../../../src/pki/certificate.ts'
import { parsePrivateKey } from '../../../../src/pki/keys.ts'
import { checkSigningPair } from '../../../../src/pki/verify.ts'
import { authorityObject, NOW, OPERATOR_NAMESPACE } from '../../../support/material.ts'
import { type Passes, passes } from '../../../support/passes.ts'
import { apiFailure } from '../../../support/recording-client.ts'

const CA = { namespace: OPERATOR_NAMESPACE, name: 'default-ca-1' }
const RECORD = { namespace: OPERATOR_NAMESPACE, name: 'default-trust-bundle' }
let one: Passes
beforeEach(() => {
  one = passes()
  one.seen('authorities', authorityObject())
})
const written = () =>
  one.api.writes.map(({ verb, path }) => `${verb} ${path.replace(/ .*/, '')}`).filter((write) => !write.endsWith(' events'))
const ready = () => {
  const status = one.api.at(clusterMutualAuthorities, { namespace: '', name: 'default' })?.['status'] as {
    conditions: { type: string; reason: string; message: string }[]
  }
  return status.conditions.find(({ type }) => type === 'Ready')
}
async function settle(): Promise<void> {
  for (let pass = 0; pass < 6; pass++) await one.authority()
}
/** Takes an object out of the cache, as a label that is taken away does. */
function hide(cache: 'caSecrets' | 'bundleRecords', object: RawObject, label: string): void {
  const { [label]: _gone, ...rest } = object.metadata.labels ?? {}
  const { metadata } = one.api.put(cache === 'caSecrets' ? secrets : configMaps, {
    ...object,
    metadata: { ...object.metadata, labels: rest },
  })
  one.stores[cache].apply({ type: 'DELETED', object: { ...object, metadata: { ...object.metadata, ...metadata } } })
}
const at = (resource: typeof secrets, ref: { namespace: string; name: string }) => one.api.at(resource, ref) as RawObject

describe('a fresh authority', () => {
  it('gets a CA, publishes it and is ready, one write a pass', async () => {
    const steps: string[][] = []
    for (let pass = 0; pass < 4; pass++) {
      const before = written().length
      await one.authority()
      steps.push(written().slice(before))
    }
    expect(steps).toEqual([['create secrets'], ['create configmaps'], ['replaceStatus clustermutualauthorities'], []])
    expect(ready()).toMatchObject({ reason: 'Current' })
  })

  it('has a root that can sign, in a Secret that says what it is', async () => {
    await one.authority()
    const { data, metadata } = at(secrets, CA)
    const field = (name: string) => Buffer.from((data as Record<string, string>)[name] ?? '', 'base64')
    const [root] = readChain(field('tls.crt').toString())
    if (!root) throw new Error('there is no root')
    expect(checkSigningPair(root, parsePrivateKey(field('tls.key')), NOW)).toEqual({ ok: true })
    expect(metadata.annotations).toMatchObject({ [annotations.generation]: '1', [annotations.trustDomain]: 'cluster.local' })
  })

  it('publishes exactly that root', async () => {
    await settle()
    const text = (at(configMaps, RECORD)['data'] as Record<string, string>)['ca.crt'] ?? ''
    const crt = Buffer.from((at(secrets, CA)['data'] as Record<string, string>)['tls.crt'] ?? '', 'base64').toString()
    expect(parseBundle(text).text).toBe(crt)
  })

  it('never gets a second key: what is there under its name decides', async () => {
    await one.authority()
    const other = passes()
    other.seen('authorities', authorityObject())
    other.api.put(secrets, at(secrets, CA))
    await other.authority()
    expect(other.api.writes.filter(({ verb, path }) => verb === 'create' && path.startsWith('secrets'))).toEqual([])
    expect(other.api.at(secrets, CA)?.['data']).toEqual(at(secrets, CA)['data'])
  })
})

describe('a lost label', () => {
  it.each([labels.managedBy, labels.role])('of the CA Secret (%s) is given back, and no new CA is made', async (label) => {
    await settle()
    const before = at(secrets, CA)
    hide('caSecrets', before, label)
    await settle()
    expect(at(secrets, CA)['data']).toEqual(before['data'])
    expect(at(secrets, CA).metadata.labels).toEqual(before.metadata.labels)
    expect(ready()).toMatchObject({ reason: 'Current' })
  })

  it('of the record is given back', async () => {
    await settle()
    const before = at(configMaps, RECORD)
    hide('bundleRecords', before, labels.role)
    await settle()
    expect(at(configMaps, RECORD).metadata.labels).toEqual(before.metadata.labels)
  })

  it('of both does not bring a new CA either: the record is looked for by name first', async () => {
    await settle()
    const [secret, record] = [at(secrets, CA), at(configMaps, RECORD)]
    hide('caSecrets', secret, labels.managedBy)
    hide('bundleRecords', record, labels.managedBy)
    await settle()
    expect(at(secrets, CA)['data']).toEqual(secret['data'])
    expect(at(configMaps, RECORD)['data']).toEqual(record['data'])
  })
})

describe('a CA Secret that is gone', () => {
  it('is told as CAKeyMissing, quietly, and nothing is made', async () => {
    await settle()
    const secret = at(secrets, CA)
    await one.api.client.delete(secrets, CA, {})
    one.stores.caSecrets.removed(CA, secret.metadata.uid ?? '')
    await settle()
    const before = one.api.writes.length
    expect(await one.authority()).toEqual({ at: undefined })
    expect(ready()).toMatchObject({ reason: 'CAKeyMissing' })
    expect([one.api.writes.length, one.api.at(secrets, CA)]).toEqual([before, undefined])
  })
})

describe('a CA Secret that is gone, and a record that lost its label', () => {
  it('do not bring a new CA: the record is found by its name', async () => {
    await settle()
    const [secret, record] = [at(secrets, CA), at(configMaps, RECORD)]
    hide('bundleRecords', record, labels.managedBy)
    await one.api.client.delete(secrets, CA, {})
    one.stores.caSecrets.removed(CA, secret.metadata.uid ?? '')
    await settle()
    expect(one.api.at(secrets, CA)).toBeUndefined()
    expect(ready()).toMatchObject({ reason: 'CAKeyMissing' })
  })
})

describe('an object of our name that is somebody else’s', () => {
  it.each<[string, typeof secrets, { namespace: string; name: string }]>([
    ['Secret', secrets, CA],
    ['ConfigMap', configMaps, RECORD],
  ])('%s is not touched, and a person is told', async (_what, resource, ref) => {
    const before = one.api.put(resource, { apiVersion: 'v1', kind: resource.kind, metadata: ref, data: { mine: 'eA==' } })
    await settle()
    expect(one.api.at(resource, ref)).toEqual(before)
    expect(ready()).toMatchObject({ reason: 'NameTaken' })
  })
})

describe('an edited record', () => {
  it('is put right', async () => {
    await settle()
    const before = at(configMaps, RECORD)
    one.seen('bundleRecords', { ...before, data: { 'ca.crt': 'edited' } })
    await settle()
    expect(at(configMaps, RECORD)['data']).toEqual(before['data'])
  })

  it('that was made immutable is deleted and made again', async () => {
    await settle()
    const before = at(configMaps, RECORD)
    one.seen('bundleRecords', { ...before, immutable: true, data: { 'ca.crt': 'edited' } })
    await settle()
    expect(at(configMaps, RECORD)['data']).toEqual(before['data'])
    expect(at(configMaps, RECORD)['immutable']).toBeUndefined()
  })
})

describe('a step that fails', () => {
  it('stands in the status and is tried again at its time', async () => {
    one.api.refuse = (verb) => (verb === 'create' ? apiFailure(503, 'ServiceUnavailable') : undefined)
    expect(await one.authority()).toEqual({ at: NOW + 2000 })
    expect(ready()).toMatchObject({ reason: 'ServerError' })
    one.api.refuse = () => undefined
    await one.authority()
    expect(one.api.at(secrets, CA)).toBeUndefined()
    await one.clock.advance(2000)
    await settle()
    expect(ready()).toMatchObject({ reason: 'Current' })
  })
})

it('an authority that is gone, or going, is left alone', async () => {
  one.seen('authorities', authorityObject({}, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }))
  expect([await one.authority(), await one.authority('nobody')]).toEqual([{ at: undefined }, { at: undefined }])
  expect(written()).toEqual([])
})

describe('the default authority', () => {
  const DEFAULT = { namespace: '', name: 'default' }
  const fresh = () => {
    const other = passes()
    return { other, ensure: () => other.defaultAuthority() }
  }

  it('is made where there is none, and waits for the watch to be looked at', async () => {
    const { other, ensure } = fresh()
    expect(await ensure()).toEqual({ at: undefined })
    expect(other.api.writes.map(({ verb, path }) => `${verb} ${path}`)).toEqual(['create clustermutualauthorities default'])
    expect(other.stores.authorities.size).toBe(0)
  })
  it('is not made beside another one', async () => {
    const { other, ensure } = fresh()
    other.seen('authorities', authorityObject({}, { metadata: { name: 'other' } }))
    await ensure()
    expect(other.api.writes).toEqual([])
  })
  it('may have been made by somebody else meanwhile', async () => {
    const { other, ensure } = fresh()
    const before = other.api.put(clusterMutualAuthorities, authorityObject({ trustDomain: 'example.org' }))
    await ensure()
    expect(other.api.at(clusterMutualAuthorities, DEFAULT)).toEqual(before)
  })
  it('is tried again by the queue when the API server fails', async () => {
    const { other, ensure } = fresh()
    other.api.refuse = () => apiFailure(503, 'ServiceUnavailable')
    await expect(ensure()).rejects.toMatchObject({ consequence: 'retry' })
  })
})
