// What other people do to the Secrets and ConfigMaps of the operator, on a real API server, and how they are put right. Their own objects and their own
// keys in ours are left alone.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../../src/api/kinds.ts'
import { configMaps, type RawObject, secrets } from '../../../src/k8s/resource.ts'
import { eventually, throughout } from '../../support/cluster-eventually.ts'
import { fitsTogether, type Material, materialOf } from '../../support/cluster-material.ts'
import { bundleTextOf, createPlace, type Labels, type Place, trustBundle } from '../../support/cluster-objects.ts'
import { startCluster, type TestCluster } from '../../support/cluster-operator.ts'

let cluster: TestCluster
let shop: Place

beforeAll(async () => {
  cluster = await startCluster()
  await cluster.start()
  shop = await createPlace(cluster.client, 'shop')
  await shop.identity('other')
  await shop.ready('other')
})

afterAll(async () => {
  await cluster?.close()
})

const base64 = (text: string): string => Buffer.from(text).toString('base64')

describe('a Secret', () => {
  let count = 0
  let name: string
  let secretName: string
  let before: RawObject
  let material: Material

  beforeEach(async () => {
    name = `web-${++count}`
    secretName = `${name}-mtls`
    await shop.identity(name)
    await shop.ready(name)
    before = await shop.secret(name)
    material = materialOf(before)
    // The event is the last that the first pass does.
    await shop.told(name, ['Issued'])
  })

  /** Resolves with the Secret once it is as the operator makes it, and Ready and the last event say so. */
  async function asItShouldBe(lastEvent: string): Promise<RawObject> {
    return eventually(async () => {
      const identity = await shop.ready(name)
      const secret = await shop.secret(name)
      expect(secret.type).toBe('kubernetes.io/tls')
      expect(secret.immutable).toBeUndefined()
      expect(secret.metadata.labels).toMatchObject(before.metadata.labels as Labels)
      expect(secret.metadata.ownerReferences).toEqual(before.metadata.ownerReferences)
      const now = materialOf(secret)
      expect(fitsTogether(now)).toBe(true)
      expect(now.names).toEqual(material.names)
      expect(now.ca).toBe(material.ca)
      expect(secret.metadata.annotations).toMatchObject({ 'mutualidentity.io/serial-number': now.serialNumber })
      expect(identity.status).toMatchObject({ certificate: { serialNumber: now.serialNumber } })
      expect((await shop.eventsOf(name)).at(-1)).toBe(lastEvent)
      return secret
    })
  }

  const patch = (change: object): Promise<RawObject> => shop.patch(secrets, secretName, change)

  it('that is deleted is made again, with a new key', async () => {
    await shop.delete(secrets, secretName)
    const after = materialOf(await asItShouldBe('Issued'))
    expect(after.privateKey).not.toBe(material.privateKey)
  })

  it('that lost its key gets a new pair', async () => {
    // The API server demands the field, though it may be empty.
    await patch({ data: { 'tls.key': '' } })
    expect(materialOf(await asItShouldBe('Reissued')).serialNumber).not.toBe(material.serialNumber)
  })

  it('with the certificate of another identity gets a new pair', async () => {
    await patch({ data: { 'tls.crt': base64(materialOf(await shop.secret('other')).chain) } })
    expect(materialOf(await asItShouldBe('Reissued')).serialNumber).not.toBe(material.serialNumber)
  })

  it('with certificate and key of another identity gets a new pair of its own', async () => {
    await shop.identity(`${name}-elsewhere`, { serviceAccountName: 'elsewhere' })
    await shop.ready(`${name}-elsewhere`)
    const { data } = await shop.secret(`${name}-elsewhere`)
    await patch({ data })
    expect(materialOf(await asItShouldBe('Reissued')).serialNumber).not.toBe(material.serialNumber)
  })

  it('with garbage for a certificate gets a new pair', async () => {
    await patch({ data: { 'tls.crt': base64('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n') } })
    expect(materialOf(await asItShouldBe('Reissued')).serialNumber).not.toBe(material.serialNumber)
  })

  it.each<[string, string | null]>([
    ['edited', base64('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')],
    ['emptied', ''],
    ['removed', null],
  ])('whose ca.crt was %s gets the trust bundle back, and its key stays', async (_what, text) => {
    await patch({ data: { 'ca.crt': text } })
    expect(materialOf(await asItShouldBe('Repaired')).privateKey).toBe(material.privateKey)
  })

  it('that lost its owner gets it back, and its key stays', async () => {
    await patch({ metadata: { ownerReferences: null } })
    expect(materialOf(await asItShouldBe('Repaired')).privateKey).toBe(material.privateKey)
  })

  it('that lost the label of its identity gets it back, and its key stays', async () => {
    await patch({ metadata: { labels: { 'mutualidentity.io/identity': null } } })
    expect(materialOf(await asItShouldBe('Repaired')).privateKey).toBe(material.privateKey)
  })

  it.each(['app.kubernetes.io/managed-by', 'mutualidentity.io/role'])(
    'that lost the label %s, by which it is watched, is found by its owner and put right',
    async (label) => {
      await patch({ metadata: { labels: { [label]: null } } })
      await asItShouldBe('Issued')
    },
  )

  it('that lost all labels and annotations is found by its owner and put right', async () => {
    await patch({ metadata: { labels: null, annotations: null } })
    await asItShouldBe('Issued')
  })

  it('whose instant of renewal was edited is renewed as drawn all the same', async () => {
    await patch({ metadata: { annotations: { 'mutualidentity.io/renew-at': '2020-01-01T00:00:00Z' } } })
    const after = await asItShouldBe('Repaired')
    expect(materialOf(after).privateKey).toBe(material.privateKey)
  })

  it('that was made immutable works on, and is made again as soon as something must change', async () => {
    await patch({ immutable: true })
    await shop.patch(mutualIdentities, name, {
      metadata: { annotations: { 'mutualidentity.io/renew-requested-at': '2030-01-01T00:00:00Z' } },
    })
    const after = await asItShouldBe('Issued')
    expect(materialOf(after).privateKey).not.toBe(material.privateKey)
    expect(after.metadata.uid).not.toBe(before.metadata.uid)
  })

  it('that was made immutable without its labels is made again', async () => {
    await patch({ immutable: true, metadata: { labels: null } })
    expect((await asItShouldBe('Issued')).metadata.uid).not.toBe(before.metadata.uid)
  })

  it('that somebody made again as Opaque, with our labels and owner, is made again with its type', async () => {
    const { labels, annotations, ownerReferences } = before.metadata as { labels: object; annotations: object; ownerReferences: object[] }
    const opaque = { metadata: { name: secretName, labels, annotations, ownerReferences }, type: 'Opaque', data: before.data } as RawObject
    // The operator makes it again as soon as it is gone, so it may take some tries to be faster.
    await cluster.client.delete(secrets, { namespace: 'shop', name: secretName }, {})
    const made = await eventually(async () => {
      const taken = await shop.find(secrets, secretName)
      if (taken) await shop.delete(secrets, secretName)
      return shop.create(secrets, opaque)
    })
    expect((await asItShouldBe('Issued')).metadata.uid).not.toBe(made.metadata.uid)
  })

  it('keeps the keys, labels and annotations that others put into it', async () => {
    const extra = { data: { 'notes.txt': base64('ours') }, metadata: { labels: { team: 'red' }, annotations: { team: 'red' } } }
    await patch(extra)
    await patch({ data: { 'tls.key': '' } })
    const after = await asItShouldBe('Reissued')
    expect(after).toMatchObject(extra)
  })

  it('is not touched while nothing of ours in it changes', async () => {
    const { metadata } = await patch({ metadata: { labels: { team: 'red' } } })
    await throughout(async () => expect((await shop.secret(name)).metadata.resourceVersion).toBe(metadata.resourceVersion), 1_000)
  })
})

describe('the trust bundle of a namespace', () => {
  const NAME = 'default-trust-bundle'
  let before: RawObject

  beforeEach(async () => {
    before = await eventually(() => trustBundle(shop))
  })

  async function asItWas(): Promise<RawObject> {
    return eventually(async () => {
      const copy = await trustBundle(shop)
      expect(copy.immutable).toBeUndefined()
      expect(bundleTextOf(copy)).toBe(bundleTextOf(before))
      expect(copy.metadata.labels).toMatchObject(before.metadata.labels as Labels)
      expect(copy.metadata.annotations).toMatchObject(before.metadata.annotations as Labels)
      return copy
    })
  }

  it.each<[string, object]>([
    ['edited', { data: { 'ca.crt': 'mine' } }],
    ['emptied', { data: null }],
    ['left without the label of its authority', { metadata: { labels: { 'mutualidentity.io/authority': null } } }],
    ['left without the label by which it is watched', { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } }],
    ['left without any of our labels', { metadata: { labels: null } }],
    ['left without its annotation', { metadata: { annotations: null } }],
    ['edited and left without any of our labels', { data: { 'ca.crt': 'mine' }, metadata: { labels: null } }],
  ])('that was %s is put right', async (_what, change) => {
    const { metadata } = await shop.patch(configMaps, NAME, change)
    const after = await asItWas()
    expect(after.metadata.resourceVersion).not.toBe(metadata.resourceVersion)
    expect(after.metadata.uid).toBe(before.metadata.uid)
  })

  it('that was deleted is made again', async () => {
    await shop.delete(configMaps, NAME)
    await asItWas()
  })

  it.each<[string, object]>([
    ['edited and made immutable', { immutable: true, data: { 'ca.crt': 'mine' } }],
    ['edited, made immutable and left without our labels', { immutable: true, data: { 'ca.crt': 'mine' }, metadata: { labels: null } }],
  ])('that was %s is made again', async (_what, change) => {
    await shop.patch(configMaps, NAME, change)
    expect((await asItWas()).metadata.uid).not.toBe(before.metadata.uid)
  })

  it('keeps what others put into it', async () => {
    const extra = { data: { 'notes.txt': 'ours' }, metadata: { labels: { team: 'red' } } }
    await shop.patch(configMaps, NAME, extra)
    await shop.patch(configMaps, NAME, { data: { 'ca.crt': 'mine' } })
    expect(await asItWas()).toMatchObject(extra)
  })
})

it('no line of the log is an error', () => {
  expect(cluster.log.filter(({ fields }) => fields?.level === 'error').map(({ line }) => line)).toEqual([])
})
