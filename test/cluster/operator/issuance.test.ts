// The first certificate of an identity, on a real API server, by a controller that has the rights of its own account: what is in the Secret, what
// is told about it, what it cost; then every key type, Services that come and go, changed specs, and renewal.

import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { clusterMutualAuthorities, mutualIdentities } from '../../../src/api/kinds.ts'
import { namespaces, type RawObject, secrets, services } from '../../../src/k8s/resource.ts'
import { KEY_TYPES } from '../../../src/pki/key-type.ts'
import { inShort } from '../../support/cluster-audit.ts'
import { eventually } from '../../support/cluster-eventually.ts'
import { fitsTogether, handshake, type Material, materialOf, opensslVerify, rootsIn } from '../../support/cluster-material.ts'
import {
  bundleTextOf,
  condition,
  createPlace,
  findObject,
  listAll,
  OBSERVED,
  type Place,
  statusOf,
  trustBundle,
} from '../../support/cluster-objects.ts'
import { OPERATOR, startCluster, type TestCluster } from '../../support/cluster-operator.ts'

let cluster: TestCluster
let shop: Place
let hasty: Place
/** The first certificate of an identity whose certificates last a minute. */
let brief: Material
let briefRenewAt: string

const MINUTE = 60_000

beforeAll(async () => {
  cluster = await startCluster()
  await cluster.start()
  // It is made only while there is no authority at all, and after the lease is acquired.
  await cluster.defaultAuthority()
  shop = await createPlace(cluster.client, 'shop')
  await cluster.client.create(clusterMutualAuthorities, {
    metadata: { name: 'brief' },
    spec: { trustDomain: 'brief.test', leaf: { lifetime: '1m', minLifetime: '1m' } },
  })
  // In a namespace of its own, so that its renewals do not count where writes are counted.
  hasty = await createPlace(cluster.client, 'hasty')
  await hasty.identity('brief', { authority: 'brief' })
  briefRenewAt = statusOf(await hasty.ready('brief')).certificate?.renewAt ?? ''
  brief = materialOf(await hasty.secret('brief'))
})

afterAll(async () => {
  await cluster?.close()
})

/** Resolves with the material once the Secret holds another certificate than `before`, and the identity is Ready. */
async function replaced(place: Place, name: string, before: Material): Promise<Material> {
  return eventually(async () => {
    const material = materialOf(await place.secret(name))
    if (material.serialNumber === before.serialNumber) throw new Error(`${name} still has certificate ${before.serialNumber}`)
    const identity = await place.ready(name)
    expect(statusOf(identity).certificate?.serialNumber).toBe(material.serialNumber)
    return material
  })
}

async function issued(place: Place, name: string): Promise<Material> {
  await place.ready(name)
  return materialOf(await place.secret(name))
}

describe('the first certificate', () => {
  let identity: RawObject
  let secret: RawObject
  let material: Material
  let writes: readonly string[]

  beforeAll(async () => {
    await shop.account('payments')
    await shop.service('payments')
    await shop.service('ledger', { selector: { app: 'payments' }, headless: true })
    await shop.service('orders')
    await shop.identity('orders')
    await shop.ready('orders')
    await shop.pod('payments', { account: 'payments' })
    await eventually(() => trustBundle(shop))
    await eventually(async () => (await shop.eventsOf('orders')).length > 0)
    const before = cluster.audit.writes(OPERATOR, { namespace: 'shop' }).length
    await shop.identity('payments', { serviceAccountName: OBSERVED })
    identity = await shop.ready('payments')
    // The event and the status are written side by side, after the Secret.
    await eventually(async () => (await shop.eventsOf('payments')).length > 0)
    writes = cluster.audit.writes(OPERATOR, { namespace: 'shop' }).slice(before).map(inShort)
    secret = await shop.secret('payments')
    material = materialOf(secret)
  })

  it('costs exactly three writes: first the Secret, then the status and the event side by side', () => {
    expect(writes[0]).toBe('create secrets')
    expect(writes.slice(1).sort()).toEqual(['create events', 'update mutualidentities/status'])
  })

  it('is in a Secret of type kubernetes.io/tls whose key, certificate and bundle fit together', () => {
    expect(secret.type).toBe('kubernetes.io/tls')
    expect(Object.keys(secret.data as object).sort()).toEqual(['ca.crt', 'tls.crt', 'tls.key'])
    expect(material.privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
    expect(fitsTogether(material)).toBe(true)
  })

  it('holds no root in tls.crt', () => {
    expect(rootsIn(material.chain)).toHaveLength(1)
    expect(material.leaf.ca).toBe(false)
  })

  it('satisfies openssl verify -x509_strict for servers and for clients', () => {
    expect(opensslVerify(material)).toBe('tls.crt: OK\ntls.crt: OK\n')
  })

  it('is for the service account of the selected pods, by the names of the Services that cover them, headless ones with their pods', () => {
    const names = ['payments.shop', 'payments.shop.svc', 'payments.shop.svc.cluster.local']
    const headless = [
      'ledger.shop',
      'ledger.shop.svc',
      'ledger.shop.svc.cluster.local',
      '*.ledger.shop.svc',
      '*.ledger.shop.svc.cluster.local',
    ]
    expect([...material.names].sort()).toEqual(
      ['URI:spiffe://cluster.local/ns/shop/sa/payments', ...[...names, ...headless].map((name) => `DNS:${name}`)].sort(),
    )
  })

  it('has labels that say whose it is, and is owned by the identity', () => {
    expect(secret.metadata.labels).toEqual({
      'app.kubernetes.io/managed-by': 'mutual-identity',
      'mutualidentity.io/role': 'leaf',
      'mutualidentity.io/identity': 'payments',
      'mutualidentity.io/authority': 'default',
      'mutualidentity.io/authority-kind': 'ClusterMutualAuthority',
    })
    const owner = { apiVersion: 'mutualidentity.io/v1alpha1', kind: 'MutualIdentity', name: 'payments', uid: identity.metadata.uid }
    expect(secret.metadata.ownerReferences).toEqual([expect.objectContaining({ ...owner, controller: true })])
  })

  it('is reported in the status: serial, end, instant of renewal, SPIFFE ID, issuer', () => {
    const { observedGeneration, spiffeID, certificate } = statusOf(identity)
    expect({ observedGeneration, spiffeID }).toEqual({ observedGeneration: 1, spiffeID: 'spiffe://cluster.local/ns/shop/sa/payments' })
    expect(certificate).toMatchObject({ serialNumber: material.serialNumber, issuedBy: 'ClusterMutualAuthority/default/1' })
    expect(Date.parse(certificate?.notAfter ?? '')).toBe(material.leaf.validToDate.getTime())
    const lifetime = material.leaf.validToDate.getTime() - material.leaf.validFromDate.getTime()
    expect(lifetime).toBe(24 * 3_600_000)
    // It begins five minutes before it was made, to the second; the instant is drawn from 0.5 to 0.6 of what is left.
    const madeAt = material.leaf.validFromDate.getTime() + 5 * MINUTE
    const renewAt = Date.parse(certificate?.renewAt ?? '')
    expect(renewAt).toBeGreaterThanOrEqual(madeAt + 0.5 * (lifetime - 5 * MINUTE))
    expect(renewAt).toBeLessThanOrEqual(madeAt + 1_000 + 0.6 * (lifetime - 5 * MINUTE))
  })

  it('makes the condition Ready true, and no other', () => {
    expect(statusOf(identity).conditions).toEqual([
      expect.objectContaining({ type: 'Ready', status: 'True', reason: 'Current', observedGeneration: 1 }),
    ])
  })

  it('is announced by one event, Issued', async () => {
    await shop.told('payments', ['Issued'])
  })

  it('comes with the trust bundle in ConfigMap default-trust-bundle of the namespace', async () => {
    const copy = await trustBundle(shop)
    expect(bundleTextOf(copy)).toBe(material.ca)
    expect(copy.metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'mutual-identity', 'mutualidentity.io/role': 'bundle' })
    // Nobody who deletes an identity or an authority takes trust away with it.
    expect(copy.metadata.ownerReferences).toBeUndefined()
  })

  it('lets two identities authenticate each other in TLS, by the name of the Service', async () => {
    const orders = materialOf(await shop.secret('orders'))
    expect(await handshake(material, orders, 'payments.shop.svc')).toEqual({
      server: 'spiffe://cluster.local/ns/shop/sa/payments',
      client: 'spiffe://cluster.local/ns/shop/sa/default',
    })
    expect(await handshake(material, orders, 'ledger-0.ledger.shop.svc')).toMatchObject({
      server: 'spiffe://cluster.local/ns/shop/sa/payments',
    })
    await expect(handshake(material, orders, 'orders.shop.svc')).rejects.toThrow('orders.shop.svc')
  })
})

it.each(KEY_TYPES)('a key of type %s is issued when asked for, and openssl accepts it', async (keyType) => {
  const name = `key-${keyType.toLowerCase()}`
  await shop.identity(name, { certificate: { keyType } })
  const material = await issued(shop, name)
  expect(kindOf(material)).toBe(keyType)
  expect(fitsTogether(material)).toBe(true)
  expect(opensslVerify(material)).toBe('tls.crt: OK\ntls.crt: OK\n')
})

/** As podCertificate volumes spell it. */
function kindOf({ key }: Material): string {
  const { namedCurve = '', modulusLength } = key.asymmetricKeyDetails ?? {}
  const curves: Readonly<Record<string, string>> = { prime256v1: 'ECDSAP256', secp384r1: 'ECDSAP384', secp521r1: 'ECDSAP521' }
  return curves[namedCurve] ?? (key.asymmetricKeyType === 'rsa' ? `RSA${modulusLength}` : `${key.asymmetricKeyType}`.toUpperCase())
}

describe('a Service', () => {
  it('that is added puts its names into a new certificate at once', async () => {
    await shop.identity('added')
    const before = await issued(shop, 'added')
    expect(before.names).toEqual(['URI:spiffe://cluster.local/ns/shop/sa/default'])
    await shop.service('added')
    const after = await replaced(shop, 'added', before)
    expect(after.names).toContain('DNS:added.shop.svc.cluster.local')
    expect(after.privateKey).not.toBe(before.privateKey)
    await shop.told('added', ['Issued', 'Reissued'])
  })

  it('that goes leaves its names in the certificate until the next renewal', async () => {
    await shop.service('gone')
    await shop.identity('gone')
    const before = await issued(shop, 'gone')
    await shop.delete(services, 'gone')
    // A later change of the same namespace has been worked on, so that one has been looked at too.
    await shop.service('added-later', { selector: { app: 'added' } })
    await eventually(async () => expect(materialOf(await shop.secret('added')).names).toContain('DNS:added-later.shop.svc'))
    expect(materialOf(await shop.secret('gone')).serialNumber).toBe(before.serialNumber)
    await askForRenewal('gone', '2030-01-01T00:00:00Z')
    expect((await replaced(shop, 'gone', before)).names).toEqual(['URI:spiffe://cluster.local/ns/shop/sa/default'])
  })

  it('is of no concern to an identity with serviceNames None', async () => {
    await shop.service('nameless')
    await shop.identity('nameless')
    const before = await issued(shop, 'nameless')
    expect(before.names).toContain('DNS:nameless.shop.svc')
    await shop.patch(mutualIdentities, 'nameless', { spec: { certificate: { serviceNames: 'None' } } })
    expect((await replaced(shop, 'nameless', before)).names).toEqual(['URI:spiffe://cluster.local/ns/shop/sa/default'])
  })
})

describe('a changed spec', () => {
  it.each<[string, object, (material: Material) => unknown, unknown]>([
    ['key type', { certificate: { keyType: 'ED25519' } }, kindOf, 'ED25519'],
    [
      'lifetime',
      { certificate: { lifetime: '2h' } },
      ({ leaf }) => leaf.validToDate.getTime() - leaf.validFromDate.getTime(),
      2 * 3_600_000,
    ],
    ['service account', { serviceAccountName: 'someone' }, ({ names }) => names[0], 'URI:spiffe://cluster.local/ns/shop/sa/someone'],
  ])('of %s brings a new certificate', async (what, spec, found, wanted) => {
    const name = `changed-${what.replace(' ', '-')}`
    await shop.identity(name)
    const before = await issued(shop, name)
    await shop.patch(mutualIdentities, name, { spec })
    const after = await replaced(shop, name, before)
    expect(found(after)).toEqual(wanted)
    expect(fitsTogether(after)).toBe(true)
    expect(statusOf(await shop.ready(name))).toMatchObject({ observedGeneration: 2 })
  })
})

const askForRenewal = (name: string, value: string): Promise<RawObject> =>
  shop.patch(mutualIdentities, name, { metadata: { annotations: { 'mutualidentity.io/renew-requested-at': value } } })

describe('a renewal', () => {
  it('is made once for each value that asks for it, with a new key', async () => {
    await shop.identity('asked')
    const first = await issued(shop, 'asked')
    await askForRenewal('asked', '2030-01-01T00:00:00Z')
    const second = await replaced(shop, 'asked', first)
    expect(second.privateKey).not.toBe(first.privateKey)
    await askForRenewal('asked', '2030-01-02T00:00:00Z')
    const third = await replaced(shop, 'asked', second)
    // The same value again, beside a change that shows that it was looked at.
    await shop.patch(mutualIdentities, 'asked', { spec: { podSelector: { matchLabels: { app: 'asked-again' } } } })
    await eventually(async () => expect(statusOf(await shop.get(mutualIdentities, 'asked')).observedGeneration).toBe(2))
    expect(materialOf(await shop.secret('asked')).serialNumber).toBe(third.serialNumber)
    await shop.told('asked', ['Issued', 'Renewed', 'Renewed'])
  })

  it('is not made for a value that is no time, and the condition says so', async () => {
    await shop.identity('asked-badly')
    const before = await issued(shop, 'asked-badly')
    await askForRenewal('asked-badly', 'tomorrow')
    await eventually(async () => {
      const ready = condition(await shop.get(mutualIdentities, 'asked-badly'))
      expect(ready).toMatchObject({ status: 'True', message: expect.stringMatching(/renew-requested-at "tomorrow" is ignored.*RFC 3339/) })
    })
    expect(materialOf(await shop.secret('asked-badly')).serialNumber).toBe(before.serialNumber)
  })
})

describe('an identity that is deleted', () => {
  it('takes its Secret with it, and the trust bundle stays', async () => {
    const place = await createPlace(cluster.client, 'leaving')
    await place.identity('web')
    await place.ready('web')
    await eventually(() => trustBundle(place))
    await place.delete(mutualIdentities, 'web')
    await eventually(async () => (await place.find(secrets, 'web-mtls')) === undefined)
    expect(bundleTextOf(await trustBundle(place))).toMatch(/^-----BEGIN CERTIFICATE-----/)
  })

  it('and made again under the same name is served again', async () => {
    const place = await createPlace(cluster.client, 'returning')
    for (let round = 0; round < 3; round++) {
      const identity = await place.identity('web')
      await place.ready('web')
      await eventually(async () => {
        const secret = await place.secret('web')
        expect(secret.metadata.ownerReferences?.[0]?.uid).toBe(identity.metadata.uid)
        expect(fitsTogether(materialOf(secret))).toBe(true)
      })
      if (round < 2) await place.delete(mutualIdentities, 'web')
    }
    // The garbage collector has had its turn with what belonged to the earlier two.
    await eventually(async () => expect((await place.secret('web')).metadata.labels).toMatchObject({ 'mutualidentity.io/identity': 'web' }))
    expect(await listAll(cluster.client, secrets, 'returning')).toHaveLength(1)
  })

  it('with its namespace goes away, without an error, and may come back', async () => {
    const place = await createPlace(cluster.client, 'ending')
    for (const name of ['a', 'b', 'c']) await place.identity(name)
    for (const name of ['a', 'b', 'c']) await place.ready(name)
    const from = cluster.log.length
    await cluster.client.delete(namespaces, { namespace: '', name: 'ending' }, {})
    await eventually(async () => (await findObject(cluster.client, namespaces, { namespace: '', name: 'ending' })) === undefined)
    // Whoever looks again in a loop does it within some seconds.
    const requests = cluster.audit.requests().filter(({ namespace }) => namespace === 'ending').length
    await setTimeout(3_000)
    expect(cluster.audit.requests().filter(({ namespace }) => namespace === 'ending')).toHaveLength(requests)
    const complaints = cluster.log.slice(from).filter(({ fields }) => fields?.level === 'warn' || fields?.level === 'error')
    expect(complaints.map(({ line }) => line)).toEqual([])
    // And the next namespace of that name is served like any other.
    const next = await createPlace(cluster.client, 'ending')
    await next.identity('a')
    await next.ready('a')
    expect(fitsTogether(materialOf(await next.secret('a')))).toBe(true)
    await eventually(() => trustBundle(next))
  })
})

it('a renewal comes by itself at the drawn instant, between 0.5 and 0.6 of what is left of a life of a minute', async () => {
  const [from, to] = [brief.leaf.validFromDate.getTime(), brief.leaf.validToDate.getTime()]
  expect(to - from).toBe(MINUTE)
  // It begins a tenth of its life before it was made, to the second; the instant is drawn from what is left.
  const madeAt = from + MINUTE / 10
  const renewAt = Date.parse(briefRenewAt)
  expect(renewAt).toBeGreaterThanOrEqual(madeAt + 0.5 * (to - madeAt))
  expect(renewAt).toBeLessThanOrEqual(madeAt + 1_000 + 0.6 * (to - madeAt))
  const after = await replaced(hasty, 'brief', brief)
  const remadeAt = after.leaf.validFromDate.getTime() + MINUTE / 10
  expect(remadeAt).toBeGreaterThan(renewAt - 1_000)
  expect(remadeAt).toBeLessThan(to)
  expect((await hasty.eventsOf('brief')).slice(0, 2)).toEqual(['Issued', 'Renewed'])
})

it('no piece of a private key is in the log at level debug, in events, statuses and ConfigMaps', async () => {
  expect(cluster.keys.keys.size).toBeGreaterThan(20)
  const text = await cluster.visibleText()
  expect(text).toContain('certificate issued')
  expect(cluster.keys.piecesIn(text)).toBe(0)
  // And the search does find what is there.
  const [key = ''] = cluster.keys.keys
  expect(cluster.keys.piecesIn(`${text}${JSON.stringify({ key })}`)).toBeGreaterThan(0)
})
