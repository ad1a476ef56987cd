// The CA of an authority, on a real API server: what happens to it, by mistake or not, never brings a second CA, never takes trust away, and is healed
// by putting back what was there. At the end an operator with nothing to do, which writes nothing.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { ControllerProcess } from '../../../scripts/install/controller-process.ts'
import { clusterMutualAuthorities, mutualIdentities } from '../../../src/api/kinds.ts'
import { configMaps, type RawObject, secrets } from '../../../src/k8s/resource.ts'
import { eventually } from '../../support/cluster-eventually.ts'
import { fitsTogether, materialOf, rootsIn } from '../../support/cluster-material.ts'
import {
  authorityStands,
  bundleTextOf,
  condition,
  createPlace,
  findObject,
  type Labels,
  listAll,
  type Place,
  placeIn,
  statusOf,
  trustBundle,
} from '../../support/cluster-objects.ts'
import { OPERATOR, OPERATOR_NAMESPACE, startCluster, type TestCluster } from '../../support/cluster-operator.ts'

const CA = 'own-ca-1'
const RECORD = 'own-trust-bundle'
const FLAGS = { flags: ['--resync-minutes', '1'] }

let cluster: TestCluster
let controller: ControllerProcess
let operator: Place
let shop: Place
/** The CA Secret as it was made. */
let backup: RawObject

const authority = (name: string, trustDomain: string): Promise<RawObject> =>
  cluster.client.create(clusterMutualAuthorities, { metadata: { name }, spec: { trustDomain } })
const stands = (name: string, reason: string): Promise<RawObject> => authorityStands(cluster.client, name, reason)

beforeAll(async () => {
  cluster = await startCluster()
  operator = placeIn(cluster.client, OPERATOR_NAMESPACE)
  shop = await createPlace(cluster.client, 'shop')
  await authority('own', 'own.test')
  controller = await cluster.start(FLAGS)
  for (let number = 0; number < 8; number++) await shop.identity(`web-${number}`, { authority: 'own' })
  for (let number = 0; number < 8; number++) await shop.ready(`web-${number}`)
  await eventually(() => trustBundle(shop, 'own'))
  await stands('own', 'Current')
  backup = await operator.get(secrets, CA)
})

afterAll(async () => {
  await cluster?.close()
})

/** As `kubectl apply` of a saved file would. */
const restored = ({ metadata: { name, labels, annotations }, type, data }: RawObject): RawObject => ({
  metadata: { name, labels: labels as Labels, annotations: annotations as Labels },
  type,
  data,
})

/** The CA and everything that was issued are what they were. */
async function nothingLost(): Promise<void> {
  const authorities = await listAll(cluster.client, secrets, OPERATOR_NAMESPACE)
  expect(authorities.map(({ metadata }) => metadata.name).filter((name) => name.startsWith('own-'))).toEqual([CA])
  expect((await operator.get(secrets, CA)).data).toEqual(backup.data)
  const root = Buffer.from((backup.data as Record<string, string>)['tls.crt'] ?? '', 'base64').toString()
  expect(bundleTextOf(await operator.get(configMaps, RECORD))).toBe(root)
  expect(bundleTextOf(await trustBundle(shop, 'own'))).toBe(root)
  for (const secret of await listAll(cluster.client, secrets, 'shop')) expect(fitsTogether(materialOf(secret))).toBe(true)
}

interface Kept {
  readonly secret: RawObject
  readonly copy: RawObject
  readonly record: RawObject
}

async function kept(): Promise<Kept> {
  return { secret: await shop.secret('web-0'), copy: await trustBundle(shop, 'own'), record: await operator.get(configMaps, RECORD) }
}

let count = 0

/** Asks for a certificate, first or next, while there is nobody to sign: nothing is minted, and what was issued stays. */
async function nothingMinted(before: Kept): Promise<string> {
  const name = `late-${++count}`
  await shop.identity(name, { authority: 'own' })
  const waiting = await shop.stopped(name, 'AuthorityNotReady')
  expect(condition(waiting)?.message).toMatch(/ClusterMutualAuthority own cannot sign/)
  await shop.stopped('web-0', 'AuthorityNotReady')
  expect(await shop.find(secrets, `${name}-mtls`)).toBeUndefined()
  expect(await kept()).toEqual(before)
  return name
}

/** Once the CA is back everything goes on under it. */
async function goesOn(name: string): Promise<void> {
  await stands('own', 'Current')
  await shop.ready(name)
  await shop.ready('web-0')
  await nothingLost()
}

it('the default authority is made only where there is none', async () => {
  expect(await findObject(cluster.client, clusterMutualAuthorities, { namespace: '', name: 'default' })).toBeUndefined()
  expect(
    cluster.audit.writes(OPERATOR).filter(({ resource, verb }) => resource === 'clustermutualauthorities' && verb === 'create'),
  ).toEqual([])
})

describe('a CA Secret', () => {
  beforeEach(async () => {
    await stands('own', 'Current')
  })

  it('that was deleted while nobody looked is not replaced by a new CA after a start', async () => {
    await controller.stop()
    await operator.delete(secrets, CA)
    controller = await cluster.start(FLAGS)
    const before = await kept()
    await stands('own', 'CAKeyMissing')
    const name = await nothingMinted(before)
    await operator.create(secrets, restored(backup))
    await goesOn(name)
  })

  it('that is deleted is not replaced: the authority says CAKeyMissing and how to go on, and does once it is restored', async () => {
    const before = await kept()
    await operator.delete(secrets, CA)
    const missing = condition(await stands('own', 'CAKeyMissing'))
    expect(missing).toMatchObject({
      status: 'False',
      message: expect.stringMatching(/CA Secret own-ca-1 is gone from namespace mutual-identity-system, .*: restore it from a backup/),
    })
    const name = await nothingMinted(before)
    await sleep(1_000)
    expect(await operator.find(secrets, CA)).toBeUndefined()
    await operator.create(secrets, restored(backup))
    await goesOn(name)
  })

  it.each<[string, Record<string, string>]>([
    ['the certificate', { 'tls.crt': 'Z2FyYmFnZQ==' }],
    ['the key', { 'tls.key': 'Z2FyYmFnZQ==' }],
    ['both', { 'tls.crt': '', 'tls.key': '' }],
  ])('of which %s is edited into garbage stops the authority with CAKeyInvalid until it is restored', async (_what, data) => {
    const before = await kept()
    await operator.patch(secrets, CA, { data })
    const invalid = condition(await stands('own', 'CAKeyInvalid'))
    expect(invalid).toMatchObject({
      status: 'False',
      message: expect.stringMatching(/CA Secret own-ca-1 cannot be used: .*Restore it from a backup/),
    })
    const name = await nothingMinted(before)
    await operator.patch(secrets, CA, { data: backup.data })
    await goesOn(name)
  })

  it('that holds another CA does not sign', async () => {
    await authority('other', 'other.test')
    await stands('other', 'Current')
    const before = await kept()
    await operator.patch(secrets, CA, { data: (await operator.get(secrets, 'other-ca-1')).data })
    const invalid = condition(await stands('own', 'CAKeyInvalid'))
    expect(invalid?.message).toMatch(/another certificate than the root that was published/)
    const name = await nothingMinted(before)
    await operator.patch(secrets, CA, { data: backup.data })
    await goesOn(name)
  })

  it.each<[string, object]>([
    ['all its labels', { labels: null }],
    ['the label by which it is watched', { labels: { 'app.kubernetes.io/managed-by': null } }],
    ['the label of its authority', { labels: { 'mutualidentity.io/authority': null } }],
    ['the mark that it signs', { annotations: { 'mutualidentity.io/activated-at': null } }],
  ])('that lost %s is found again', async (_what, metadata) => {
    await operator.patch(secrets, CA, { metadata })
    await eventually(async () => {
      const found = await operator.get(secrets, CA)
      expect(found.metadata.labels).toEqual(backup.metadata.labels)
      expect(Object.keys(found.metadata.annotations ?? {}).sort()).toEqual(Object.keys(backup.metadata.annotations ?? {}).sort())
    })
    const name = `late-${++count}`
    await shop.identity(name, { authority: 'own' })
    await goesOn(name)
  })
})

/** Where the count was lost it goes on from the time. */
const sequenceOf = ({ data }: RawObject): number => JSON.parse((data as Record<string, string>)['bundle.json'] ?? '{}').spiffe_sequence
const uncounted = ({ data, metadata }: RawObject): unknown[] => {
  const { 'bundle.json': json = '{}', ...rest } = data as Record<string, string>
  const { 'mutualidentity.io/bundle-sequence': _count, ...said } = metadata.annotations ?? {}
  return [rest, { ...JSON.parse(json), spiffe_sequence: 0 }, said]
}

describe('the record of the published bundle', () => {
  it.each<[string, object | undefined]>([
    ['was edited', { data: { 'ca.crt': 'mine' } }],
    ['holds the root of somebody else', { data: { 'ca.crt': 'other' } }],
    ['was emptied', { data: null }],
    ['was deleted', undefined],
    ['lost its labels', { metadata: { labels: null } }],
    ['lost its annotation', { metadata: { annotations: null } }],
    ['was edited and lost its labels', { data: { 'ca.crt': 'mine' }, metadata: { labels: null } }],
    ['was edited and made immutable', { immutable: true, data: { 'ca.crt': 'mine' } }],
    ['was edited, made immutable and lost its labels', { immutable: true, data: { 'ca.crt': 'mine' }, metadata: { labels: null } }],
  ])('that %s is made again from the CA Secret, and the anchors in the copies never change', async (what, change) => {
    const { record, copy, secret } = await kept()
    if (what.startsWith('holds')) {
      const other = bundleTextOf(await operator.get(configMaps, 'other-trust-bundle'))
      await operator.patch(configMaps, RECORD, { data: { 'ca.crt': other } })
    } else if (change) await operator.patch(configMaps, RECORD, change)
    else await operator.delete(configMaps, RECORD)
    await eventually(async () => {
      const now = await operator.get(configMaps, RECORD)
      expect([...uncounted(now), now.metadata.labels, now.immutable]).toEqual([...uncounted(record), record.metadata.labels, undefined])
      expect(sequenceOf(now)).toBeGreaterThanOrEqual(sequenceOf(record))
    })
    await stands('own', 'Current')
    await shop.ready('web-0')
    expect(bundleTextOf(await trustBundle(shop, 'own'))).toEqual(bundleTextOf(copy))
    expect(await shop.secret('web-0')).toEqual(secret)
    await nothingLost()
  })
})

describe('a second authority of the same trust domain', () => {
  it('does not sign, makes no CA, and says whose the trust domain is', async () => {
    await authority('twin', 'own.test')
    const taken = condition(await stands('twin', 'TrustDomainTaken'))
    expect(taken).toMatchObject({
      status: 'False',
      message: expect.stringMatching(/own.test belongs to ClusterMutualAuthority own, which comes first/),
    })
    await shop.identity('twin', { authority: 'twin' })
    const waiting = await shop.stopped('twin', 'AuthorityNotReady')
    expect(condition(waiting)?.message).toMatch(/belongs to ClusterMutualAuthority own/)
    expect(await operator.find(secrets, 'twin-ca-1')).toBeUndefined()
    expect(condition(await stands('own', 'Current'))).toMatchObject({ status: 'True' })
    await shop.delete(mutualIdentities, 'twin')
  })

  it('signs once the first has gone, with a CA of its own', async () => {
    await authority('first', 'shared.test')
    await stands('first', 'Current')
    // Of two that were made in the same second the smaller UID is the elder.
    await sleep(1_100)
    await authority('second', 'shared.test')
    await stands('second', 'TrustDomainTaken')
    await cluster.client.delete(clusterMutualAuthorities, { namespace: '', name: 'first' }, {})
    await stands('second', 'Current')
    expect(await operator.find(secrets, 'second-ca-1')).toBeDefined()
    expect(await operator.find(secrets, 'first-ca-1')).toBeDefined()
  })
})

it('a deleted authority takes neither certificates nor trust away', async () => {
  await authority('leaving', 'leaving.test')
  await shop.identity('left', { authority: 'leaving' })
  await shop.ready('left')
  await eventually(() => trustBundle(shop, 'leaving'))
  const before = [await shop.secret('left'), await trustBundle(shop, 'leaving'), await operator.get(secrets, 'leaving-ca-1')]
  await cluster.client.delete(clusterMutualAuthorities, { namespace: '', name: 'leaving' }, {})
  const stopped = await shop.stopped('left', 'AuthorityNotFound')
  expect(statusOf(stopped).certificate).toMatchObject({ serialNumber: materialOf(before[0] as RawObject).serialNumber })
  expect([await shop.secret('left'), await trustBundle(shop, 'leaving'), await operator.get(secrets, 'leaving-ca-1')]).toEqual(before)
  await authority('leaving', 'leaving.test')
  await shop.ready('left')
  expect(await operator.get(secrets, 'leaving-ca-1')).toMatchObject({ data: before[2]?.data })
})

it('no line of the log is an error, and no piece of a private key is in what people see', async () => {
  expect(cluster.log.filter(({ fields }) => fields?.level === 'error').map(({ line }) => line)).toEqual([])
  expect(cluster.keys.keys.size).toBeGreaterThan(10)
  expect(cluster.keys.piecesIn(await cluster.visibleText())).toBe(0)
})

it('an operator with nothing to do writes nothing but its Lease, though it looks at everything again', async () => {
  const passes = async (): Promise<number> => {
    const text = await (await fetch(`http://${controller.address}/metrics`)).text()
    return Number(/^mutual_identity_reconcile_duration_seconds_count\{controller="identity",outcome="ok"\} (\d+)$/m.exec(text)?.[1] ?? 0)
  }
  const from = Date.now()
  const before = await passes()
  await sleep(20_000)
  await eventually(async () => (await passes()) >= before + 5, 90_000)
  expect(cluster.audit.writes(OPERATOR, { after: from })).toEqual([])
  expect(rootsIn(bundleTextOf(await trustBundle(shop, 'own')) ?? '')).toHaveLength(1)
}, 150_000)
