// Authorities of namespaces on a real API server, tried by tenants: users with rights on their own namespace only. What they make works for them,
// and nothing of what they try lets them speak for the cluster or for each other.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Cluster, connectCluster } from '../../../scripts/install/cluster.ts'
import type { ControllerProcess } from '../../../scripts/install/controller-process.ts'
import { resourceOf } from '../../../scripts/install/kinds.ts'
import { clusterMutualAuthorities, mutualAuthorities, mutualIdentities } from '../../../src/api/kinds.ts'
import type { Client } from '../../../src/k8s/client.ts'
import { isForbidden } from '../../../src/k8s/errors.ts'
import { configMaps, type RawObject, secrets } from '../../../src/k8s/resource.ts'
import { eventually } from '../../support/cluster-eventually.ts'
import { fitsTogether, materialOf, opensslVerify } from '../../support/cluster-material.ts'
import {
  authorityStands,
  bundleTextOf,
  type Condition,
  condition,
  createPlace,
  listAll,
  type Place,
  placeIn,
  statusOf,
} from '../../support/cluster-objects.ts'
import { OPERATOR_NAMESPACE, startCluster, type TestCluster } from '../../support/cluster-operator.ts'

const FLAGS = ['--namespaced-trust-domains', 'mallory=pay.test']
const NAMESPACES = ['shop', 'bank', 'mallory'] as const
type Tenant = (typeof NAMESPACES)[number]

let cluster: TestCluster
let controller: ControllerProcess
let operator: Place
/** What each tenant may, with its own client. */
const clients = new Map<Tenant, Cluster>()
const places = new Map<Tenant, Place>()
const client = (tenant: Tenant): Client => (clients.get(tenant) as Cluster).client
const place = (tenant: Tenant): Place => places.get(tenant) as Place

const RBAC = 'rbac.authorization.k8s.io'

/** A user who may do everything with these kinds in the namespace of the same name, and nothing elsewhere. */
async function admit(tenant: Tenant): Promise<void> {
  const owned = await createPlace(cluster.client, tenant)
  const verbs = ['get', 'list', 'watch', 'create', 'patch', 'update', 'delete']
  const role: RawObject = {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata: { name: 'owner' },
    rules: [
      { apiGroups: ['mutualidentity.io'], resources: ['mutualidentities', 'mutualauthorities'], verbs },
      { apiGroups: [''], resources: ['pods', 'services', 'secrets', 'configmaps', 'serviceaccounts'], verbs },
      { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['list'] },
    ],
  }
  const binding: RawObject = {
    apiVersion: `${RBAC}/v1`,
    kind: 'RoleBinding',
    metadata: { name: 'owner' },
    roleRef: { apiGroup: RBAC, kind: 'Role', name: 'owner' },
    subjects: [{ apiGroup: RBAC, kind: 'User', name: tenant }],
  }
  for (const object of [role, binding]) await owned.create(resourceOf(object), object)
  const connected = await connectCluster(await cluster.plane.clientKubeconfig(tenant, []), 'cluster-test')
  clients.set(tenant, connected)
  places.set(tenant, placeIn(connected.client, tenant))
  await eventually(() => listAll(connected.client, mutualAuthorities, tenant))
}

const authority = (tenant: Tenant, name: string, spec: object = {}): Promise<RawObject> =>
  place(tenant).create(mutualAuthorities, { metadata: { name }, spec })
const stands = (tenant: Tenant, name: string, ...reasons: string[]): Promise<Condition> =>
  eventually(async () => {
    const found = await place(tenant).get(mutualAuthorities, name)
    const ready = condition(found)
    if (!ready || !reasons.includes(ready.reason))
      throw new Error(`${tenant}/${name} does not say ${reasons}: ${JSON.stringify(found.status)}`)
    return ready
  })
const identity = (tenant: Tenant, name: string, spec: object): Promise<RawObject> =>
  place(tenant).create(mutualIdentities, {
    metadata: { name },
    spec: { podSelector: { matchLabels: { app: name } }, serviceAccountName: 'default', ...spec },
  })
const BY_TENANT = { authorityRef: { kind: 'MutualAuthority', name: 'internal' } }
const refusal = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'allowed',
    (error: unknown) => (isForbidden(error) ? 'Forbidden' : String((error as Error).message)),
  )
const text = ({ data }: RawObject, field: string): string => Buffer.from((data as Record<string, string>)[field] ?? '', 'base64').toString()

beforeAll(async () => {
  cluster = await startCluster()
  operator = placeIn(cluster.client, OPERATOR_NAMESPACE)
  for (const tenant of NAMESPACES) await admit(tenant)
  controller = await cluster.start({ flags: FLAGS })
  await authorityStands(cluster.client, 'default', 'Current')
  await authority('shop', 'internal')
  await place('shop').service('web')
  await identity('shop', 'web', BY_TENANT)
  await place('shop').ready('web')
  await stands('shop', 'internal', 'Current')
})

afterAll(async () => {
  for (const { close } of clients.values()) await close()
  await cluster?.close()
})

describe('a tenant’s authority', () => {
  it('signs for its namespace and its own trust domain, with short names of Services', async () => {
    const material = materialOf(await place('shop').secret('web'))
    expect(statusOf(await place('shop').get(mutualIdentities, 'web')).spiffeID).toBe('spiffe://shop.cluster.local/ns/shop/sa/default')
    expect([fitsTogether(material), opensslVerify(material)]).toEqual([true, expect.stringMatching(/OK\n.*OK/s)])
    expect(material.names).toEqual(expect.arrayContaining(['DNS:web', 'DNS:web.shop.svc']))
  })

  it('has its CA and its record where the tenant may not even look', async () => {
    expect((await operator.get(secrets, 'shop.internal-ca-1')).metadata.labels).toMatchObject({
      'mutualidentity.io/authority-namespace': 'shop',
    })
    const ref = (name: string) => ({ namespace: OPERATOR_NAMESPACE, name })
    expect(await refusal(client('shop').get(secrets, ref('shop.internal-ca-1')))).toBe('Forbidden')
    expect(await refusal(client('shop').get(configMaps, ref('shop.internal-trust-bundle')))).toBe('Forbidden')
  })

  it('has a copy of its bundle in its own namespace and in no other', async () => {
    const name = 'shop.internal-trust-bundle'
    const copy = await eventually(() => place('shop').get(configMaps, name))
    expect(bundleTextOf(copy)).toBe(bundleTextOf(await operator.get(configMaps, name)))
    const all = (await listAll(cluster.client, configMaps)).filter(({ metadata }) => metadata.name === name)
    expect(all.map(({ metadata }) => metadata.namespace).sort()).toEqual([OPERATOR_NAMESPACE, 'shop'])
  })

  it('has its copy repaired when the tenant edits it, and nobody believes the edit', async () => {
    const name = 'shop.internal-trust-bundle'
    const before = (await place('shop').get(configMaps, name)).data
    const foreign = bundleTextOf(await operator.get(configMaps, 'default-trust-bundle'))
    await place('shop').patch(configMaps, name, { data: { 'ca.crt': foreign, 'bundle.json': '{}' } })
    await eventually(async () => expect((await place('shop').get(configMaps, name)).data).toEqual(before))
    expect(materialOf(await place('shop').secret('web')).ca).toBe((before as Record<string, string>)['ca.crt'])
  })
})

describe('the API server refuses to a tenant', () => {
  it.each<[string, object, RegExp]>([
    ['a trustBundle', { trustBundle: { namespaces: { policy: 'All' } } }, /unknown field "spec\.trustBundle"/],
    ['other namespaces', { policy: { allowedNamespaces: ['bank'] } }, /unknown field "spec\.policy\.allowedNamespaces"/],
    ['two back ends', { selfManaged: {}, caSecret: { name: 'x' } }, /selfManaged and caSecret cannot both be given/],
    ['a Secret of no name', { caSecret: { name: '' } }, /spec\.caSecret\.name/],
    ['a Secret by a path', { caSecret: { name: '../kube-system/x' } }, /must be the name of a Secret/],
    ['a namespace of a Secret', { caSecret: { name: 'x', namespace: 'kube-system' } }, /unknown field "spec\.caSecret\.namespace"/],
    ['a trust domain that is none', { trustDomain: 'Shop.Example' }, /must be a trust domain/],
  ])('%s', async (_what, spec, message) => {
    expect(await refusal(authority('mallory', 'refused', spec))).toMatch(message)
  })

  it('a trust domain that is set later, or changed', async () => {
    const patch = { spec: { trustDomain: 'cluster.local' } }
    expect(await refusal(place('shop').patch(mutualAuthorities, 'internal', patch))).toMatch(/trustDomain is immutable/)
  })

  it.each(['a.b', 'x'.repeat(53)])('a name by which its objects could be another’s, or too long (%s)', async (name) => {
    expect(await refusal(authority('mallory', name))).not.toBe('allowed')
  })

  it('an authority of the cluster, objects in the operator’s namespace and in other tenants’', async () => {
    const mine = client('mallory')
    const tries = [
      mine.create(clusterMutualAuthorities, { metadata: { name: 'mine' }, spec: {} }),
      mine.create(secrets, { metadata: { namespace: OPERATOR_NAMESPACE, name: 'mine' } }),
      mine.create(mutualAuthorities, { metadata: { namespace: OPERATOR_NAMESPACE, name: 'mine' }, spec: {} }),
      mine.create(mutualAuthorities, { metadata: { namespace: 'shop', name: 'mine' }, spec: {} }),
      mine.get(secrets, { namespace: 'shop', name: 'web-mtls' }),
    ]
    expect(await Promise.all(tries.map(refusal))).toEqual(tries.map(() => 'Forbidden'))
  })
})

describe('a tenant that wants to speak for others', () => {
  const NOT_MEANT =
    /^no Secret \S+ is meant for it: an administrator must annotate it mutualidentity.io\/allowed-authority: mallory\/try-\d+$/

  beforeAll(async () => {
    await operator.create(secrets, { metadata: { name: 'company-ca' }, data: (await operator.get(secrets, 'default-ca-1')).data })
    const annotations = { 'mutualidentity.io/allowed-authority': 'shop/internal' }
    await operator.create(secrets, {
      metadata: { name: 'for-shop', annotations },
      data: (await operator.get(secrets, 'default-ca-1')).data,
    })
  })

  let count = 0
  it.each<[string, object, string[], RegExp]>([
    ['the cluster’s trust domain', { trustDomain: 'cluster.local' }, ['TrustDomainNotAllowed'], /is not the namespace's/],
    ['another tenant’s trust domain', { trustDomain: 'shop.cluster.local' }, ['TrustDomainNotAllowed'], /is not the namespace's/],
    [
      'the trust domain of a tenant without authority',
      { trustDomain: 'bank.cluster.local' },
      ['TrustDomainNotAllowed'],
      /is not the namespace's/,
    ],
    [
      'a trust domain of its own invention',
      { trustDomain: 'example.org' },
      ['TrustDomainNotAllowed'],
      /leave it out \(then it is mallory\.cluster\.local\)/,
    ],
    ['the cluster’s CA Secret', { caSecret: { name: 'default-ca-1' } }, ['CASourceNotAllowed'], NOT_MEANT],
    ['another tenant’s CA Secret', { caSecret: { name: 'shop.internal-ca-1' } }, ['CASourceNotAllowed'], NOT_MEANT],
    ['a CA Secret meant for nobody', { caSecret: { name: 'company-ca' } }, ['CASourceNotAllowed'], NOT_MEANT],
    ['a CA Secret meant for another tenant', { caSecret: { name: 'for-shop' } }, ['CASourceNotAllowed'], NOT_MEANT],
    ['a Secret that is not there', { caSecret: { name: 'nowhere' } }, ['CASourceNotAllowed'], NOT_MEANT],
  ])('and names %s gets no CA, and stops nobody', async (_what, spec, reasons, message) => {
    const name = `try-${++count}`
    await authority('mallory', name, spec)
    expect(await stands('mallory', name, ...reasons)).toMatchObject({ status: 'False', message: expect.stringMatching(message) })
    expect(await operator.find(secrets, `mallory.${name}-ca-1`)).toBeUndefined()
    expect(await operator.find(configMaps, `mallory.${name}-trust-bundle`)).toBeUndefined()
    await identity('mallory', name, { authorityRef: { kind: 'MutualAuthority', name } })
    await place('mallory').stopped(name, 'AuthorityNotReady')
    expect(await place('mallory').find(secrets, `${name}-mtls`)).toBeUndefined()
    expect(condition(await authorityStands(cluster.client, 'default', 'Current'))).toMatchObject({ status: 'True' })
    await stands('shop', 'internal', 'Current')
    await place('mallory').delete(mutualIdentities, name)
    await place('mallory').delete(mutualAuthorities, name)
  })

  it('by claiming what the bank has not taken yet does not keep the bank from it', async () => {
    await authority('mallory', 'squatter', { trustDomain: 'bank.cluster.local' })
    await stands('mallory', 'squatter', 'TrustDomainNotAllowed')
    await authority('bank', 'internal')
    await stands('bank', 'internal', 'Current')
    await place('mallory').delete(mutualAuthorities, 'squatter')
    await place('bank').delete(mutualAuthorities, 'internal')
  })

  it('by the name of another’s authority means its own namespace', async () => {
    await identity('mallory', 'reader', BY_TENANT)
    await identity('mallory', 'pooler', { trust: { additionalAuthorities: [{ kind: 'MutualAuthority', name: 'internal', pooled: true }] } })
    const stopped = await place('mallory').stopped('reader', 'AuthorityNotFound')
    expect(condition(stopped)?.message).toMatch(/there is no MutualAuthority/)
    expect(await place('mallory').find(secrets, 'reader-mtls')).toBeUndefined()
    expect((await place('mallory').find(configMaps, 'shop.internal-trust-bundle')) === undefined).toBe(true)
    for (const name of ['reader', 'pooler']) await place('mallory').delete(mutualIdentities, name)
  })
})

describe('what a tenant forges in its own namespace', () => {
  /** A copy of the operator's own object of another authority, put under this name into the tenant's namespace with all its marks. */
  const forge = ({ metadata: { labels, annotations }, type, data }: RawObject, name: string): RawObject =>
    ({ metadata: { name, labels, annotations }, ...(type ? { type } : {}), data }) as RawObject

  it('as CA Secret or record of the cluster’s is not believed, and a copy of that name holds the true bundle', async () => {
    const before = [await operator.get(secrets, 'default-ca-1'), await operator.get(configMaps, 'default-trust-bundle')] as const
    const stranger = await operator.get(secrets, 'shop.internal-ca-1')
    const forged = { ...forge(before[0], 'default-ca-1'), data: stranger.data } as RawObject
    await place('bank').create(secrets, forged)
    const bundle = {
      ...forge(before[1], 'default-trust-bundle'),
      data: { 'ca.crt': text(stranger, 'tls.crt'), 'bundle.json': '{}' },
    } as RawObject
    await place('bank').create(configMaps, bundle)
    await eventually(async () => expect((await place('bank').get(configMaps, 'default-trust-bundle')).data).toEqual(before[1].data))
    expect([await operator.get(secrets, 'default-ca-1'), await operator.get(configMaps, 'default-trust-bundle')]).toEqual(before)
    expect((await place('bank').get(secrets, 'default-ca-1')).data).toEqual(stranger.data)
    await authorityStands(cluster.client, 'default', 'Current')
  })

  it('for an authority that it makes afterwards is not taken for its past', async () => {
    const [secret, record] = [
      await operator.get(secrets, 'shop.internal-ca-1'),
      await operator.get(configMaps, 'shop.internal-trust-bundle'),
    ]
    await place('mallory').create(secrets, forge(secret, 'mallory.fresh-ca-1'))
    await place('mallory').create(configMaps, forge(record, 'mallory.fresh-trust-bundle'))
    await authority('mallory', 'fresh')
    await stands('mallory', 'fresh', 'Current')
    const own = await operator.get(secrets, 'mallory.fresh-ca-1')
    expect(text(own, 'tls.crt')).not.toBe(text(secret, 'tls.crt'))
    expect(own.metadata.annotations).toMatchObject({ 'mutualidentity.io/trust-domain': 'mallory.cluster.local' })
    await eventually(async () =>
      expect(bundleTextOf(await place('mallory').get(configMaps, 'mallory.fresh-trust-bundle'))).toBe(text(own, 'tls.crt')),
    )
  })

  it('as a copy of another tenant’s bundle stays what it is: nothing of that one’s comes here', async () => {
    const record = await operator.get(configMaps, 'shop.internal-trust-bundle')
    await place('mallory').create(configMaps, { ...forge(record, 'shop.internal-trust-bundle'), data: { 'ca.crt': 'mine' } } as RawObject)
    await place('shop').patch(mutualAuthorities, 'internal', { spec: { leaf: { minLifetime: '11m' } } })
    await stands('shop', 'internal', 'Current')
    expect((await place('mallory').get(configMaps, 'shop.internal-trust-bundle')).data).toEqual({ 'ca.crt': 'mine' })
    expect(await operator.get(configMaps, 'shop.internal-trust-bundle')).toEqual(record)
  })
})

describe('a trust domain that the flags allow', () => {
  it('is had by the namespace that they name', async () => {
    await authority('mallory', 'pay', { trustDomain: 'pay.test' })
    await stands('mallory', 'pay', 'Current')
    await identity('mallory', 'pay', { authorityRef: { kind: 'MutualAuthority', name: 'pay' } })
    expect(statusOf(await place('mallory').ready('pay')).spiffeID).toBe('spiffe://pay.test/ns/mallory/sa/default')
  })

  it('is not had by another', async () => {
    await authority('bank', 'pay', { trustDomain: 'pay.test' })
    await stands('bank', 'pay', 'TrustDomainTaken', 'TrustDomainNotAllowed')
    expect(await operator.find(secrets, 'bank.pay-ca-1')).toBeUndefined()
  })

  it('stays when the operator is started without them', async () => {
    await controller.stop()
    controller = await cluster.start()
    await identity('mallory', 'later', { authorityRef: { kind: 'MutualAuthority', name: 'pay' } })
    expect(statusOf(await place('mallory').ready('later')).spiffeID).toBe('spiffe://pay.test/ns/mallory/sa/default')
    await stands('mallory', 'pay', 'Current')
  })
})

it('an administrator’s authority in the operator’s own namespace is refused', async () => {
  await operator.create(mutualAuthorities, { metadata: { name: 'misplaced' }, spec: {} })
  await eventually(async () => {
    expect(condition(await operator.get(mutualAuthorities, 'misplaced'))).toMatchObject({ status: 'False', reason: 'OperatorNamespace' })
  })
  expect(await operator.find(secrets, `${OPERATOR_NAMESPACE}.misplaced-ca-1`)).toBeUndefined()
})

it('no piece of a key is in what people see, no line of the log is an error, and no right was missing', async () => {
  expect(cluster.log.filter(({ fields }) => fields?.level === 'error').map(({ line }) => line)).toEqual([])
  expect(cluster.log.filter(({ line }) => /forbidden/i.test(line)).map(({ line }) => line)).toEqual([])
  expect(cluster.keys.piecesIn(await cluster.visibleText())).toBe(0)
})
