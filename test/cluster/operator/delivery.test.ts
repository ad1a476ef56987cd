// What one identity with every wish of delivery and trust gets, on a real API server, by a controller that has the rights of its own account: files of all
// formats, read by openssl and keytool; a template; extra names; a second authority; another name for the Secret; counts of pods.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { clusterMutualAuthorities, mutualIdentities } from '../../../src/api/kinds.ts'
import { FORMATS } from '../../../src/api/mutual-identity.ts'
import { pods, type RawObject, secrets } from '../../../src/k8s/resource.ts'
import { eventually, throughout } from '../../support/cluster-eventually.ts'
import { fitsTogether, handshake, type Material, materialOf, opensslVerify, rootsIn } from '../../support/cluster-material.ts'
import { authorityStands, bundleTextOf, condition, createPlace, type Place, statusOf, trustBundle } from '../../support/cluster-objects.ts'
import { startCluster, type TestCluster } from '../../support/cluster-operator.ts'
import { itWithJava, javaEntries, javaKey, opensslKey, readJks } from '../../support/keystore-readers.ts'

const PASSWORD = 'twenty-random-letters'
const FILES = [
  'ca.crt',
  'credential-bundle.private-key.x509.pem',
  'delivery.test.spiffe-trust-bundle.x509.pem',
  'key.der',
  'keystore.jks',
  'keystore.p12',
  'partner.test.spiffe-trust-bundle.x509.pem',
  'tls-combined.pem',
  'tls.crt',
  'tls.key',
  'truststore.jks',
  'truststore.p12',
]
const TEMPLATE = { labels: { team: 'red' }, annotations: { 'reloader.example.com/match': 'true' } }
const SPEC = {
  podSelector: { matchLabels: { app: 'web' } },
  serviceAccountName: 'web',
  authorityRef: { name: 'delivery' },
  certificate: { dnsNames: ['web.example.com'] },
  delivery: { formats: [...FORMATS], keystorePasswordRef: { name: 'java', key: 'password' }, secretTemplate: TEMPLATE },
  trust: { additionalAuthorities: [{ name: 'partner', pooled: true }] },
}

let cluster: TestCluster
let shop: Place
let partners: Place
let secret: RawObject
let material: Material

beforeAll(async () => {
  cluster = await startCluster()
  await cluster.start()
  await cluster.defaultAuthority()
  const authority = (name: string, spec: object) => cluster.client.create(clusterMutualAuthorities, { metadata: { name }, spec })
  await authority('delivery', { trustDomain: 'delivery.test', policy: { allowedDNSNames: ['*.example.com'] } })
  await authority('partner', { trustDomain: 'partner.test' })
  for (const name of ['delivery', 'partner']) await authorityStands(cluster.client, name, 'Current')
  shop = await createPlace(cluster.client, 'shop')
  partners = await createPlace(cluster.client, 'partners')
  await partners.identity('caller', { authority: 'partner' })
  await partners.ready('caller')
  await shop.create(secrets, {
    metadata: { name: 'java' },
    data: { password: Buffer.from(PASSWORD).toString('base64') },
  } as unknown as RawObject)
  await shop.account('web')
  await shop.service('web')
  for (const name of ['web-1', 'web-2']) await shop.pod(name, { labels: { app: 'web' }, account: 'web' })
  await shop.pod('stray', { labels: { app: 'web' } })
  await shop.create(mutualIdentities, { metadata: { name: 'web' }, spec: SPEC })
  await shop.ready('web')
  secret = await shop.secret('web')
  material = materialOf(secret)
})

afterAll(async () => {
  await cluster?.close()
})

const fileOf = (name: string, of = secret): Buffer => Buffer.from((of.data as Record<string, string>)[name] ?? '', 'base64')
const certificatesOf = (text: string): Buffer[] => rootsIn(text).map(({ raw }) => Buffer.from(raw))
const pkcs8Of = (key: ReturnType<typeof createPrivateKey> | undefined) => key?.export({ format: 'der', type: 'pkcs8' })

describe('the Secret of an identity with all formats', () => {
  it('holds all files, and no others', () => {
    expect(Object.keys(secret.data as object).sort()).toEqual(FILES)
  })

  it('holds a pair that fits, for the account, the Service and the extra name', () => {
    expect(fitsTogether(material)).toBe(true)
    expect(material.names).toEqual([
      'URI:spiffe://delivery.test/ns/shop/sa/web',
      'DNS:web.example.com',
      'DNS:web.shop',
      'DNS:web.shop.svc',
      'DNS:web.shop.svc.cluster.local',
    ])
    expect(opensslVerify(material)).toBe('tls.crt: OK\ntls.crt: OK\n')
  })

  it('holds the same pair in the PEM and DER formats', () => {
    expect(fileOf('tls-combined.pem').toString()).toBe(material.chain + material.privateKey)
    expect(fileOf('credential-bundle.private-key.x509.pem').toString()).toBe(material.privateKey + material.chain)
    expect(pkcs8Of(createPrivateKey({ key: fileOf('key.der'), format: 'der', type: 'pkcs8' }))).toEqual(pkcs8Of(material.key))
  })

  it('holds it in the PKCS#12 store, with the password that was asked for, by openssl', async () => {
    const { key, certificates } = await opensslKey(fileOf('keystore.p12'), PASSWORD)
    expect([pkcs8Of(key), certificates]).toEqual([pkcs8Of(material.key), certificatesOf(material.chain)])
    await expect(opensslKey(fileOf('keystore.p12'), 'changeit')).rejects.toThrow(/invalid password/)
    expect((await opensslKey(fileOf('truststore.p12'), PASSWORD)).certificates).toEqual(certificatesOf(material.ca))
  })

  it('holds it in the JKS store too', () => {
    expect(readJks(fileOf('keystore.jks'), PASSWORD)).toMatchObject([{ alias: 'web', key: pkcs8Of(material.key) }])
    expect(readJks(fileOf('truststore.jks'), PASSWORD).flatMap(({ certificates }) => certificates)).toEqual(certificatesOf(material.ca))
  })

  itWithJava.each(['PKCS12', 'JKS'] as const)('holds it in the %s stores, by keytool', async (format) => {
    const suffix = format === 'JKS' ? 'jks' : 'p12'
    const { key, certificates } = await javaKey(fileOf(`keystore.${suffix}`), format, PASSWORD)
    expect([pkcs8Of(key), certificates]).toEqual([pkcs8Of(material.key), certificatesOf(material.chain)])
    const anchors = await javaEntries(fileOf(`truststore.${suffix}`), format, PASSWORD)
    expect(anchors.map(({ type }) => type)).toEqual(['trustedCertEntry', 'trustedCertEntry'])
    expect(anchors.flatMap((entry) => entry.certificates)).toEqual(certificatesOf(material.ca))
  })

  it('holds the anchors of both authorities: each in its file, the own ones first in ca.crt', async () => {
    const own = bundleTextOf(await eventually(() => trustBundle(shop, 'delivery'))) ?? ''
    const other = bundleTextOf(await eventually(() => trustBundle(partners, 'partner'))) ?? ''
    expect(fileOf('delivery.test.spiffe-trust-bundle.x509.pem').toString()).toBe(own)
    expect(fileOf('partner.test.spiffe-trust-bundle.x509.pem').toString()).toBe(other)
    expect(material.ca).toBe(own + other)
  })

  it('lets a member of the other authority in, who lets it in when it pools the anchors too', async () => {
    await partners.patch(mutualIdentities, 'caller', { spec: { trust: { additionalAuthorities: [{ name: 'delivery', pooled: true }] } } })
    const caller = await eventually(async () => {
      const found = materialOf(await partners.secret('caller'))
      expect(rootsIn(found.ca)).toHaveLength(2)
      return found
    })
    expect(await handshake(material, caller, 'web.example.com')).toEqual({
      server: 'spiffe://delivery.test/ns/shop/sa/web',
      client: 'spiffe://partner.test/ns/partners/sa/default',
    })
  })

  it('carries the labels and annotations of the template beside ours', () => {
    expect(secret.metadata).toMatchObject(TEMPLATE)
    expect(secret.metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'mutual-identity', 'mutualidentity.io/identity': 'web' })
  })

  it('is left alone when nothing changes', async () => {
    const { resourceVersion } = (await shop.secret('web')).metadata
    await throughout(async () => expect((await shop.secret('web')).metadata.resourceVersion).toBe(resourceVersion), 1_500)
  })
})

describe('the status', () => {
  const podsOf = async () => (statusOf(await shop.get(mutualIdentities, 'web')) as { pods?: object }).pods

  it('counts the selected pods, and those under another account', async () => {
    await eventually(async () => expect(await podsOf()).toEqual({ selected: 3, mismatched: 1 }))
  })

  it('counts them anew within half a minute', async () => {
    await shop.delete(pods, 'stray')
    await eventually(async () => expect(await podsOf()).toEqual({ selected: 2, mismatched: 0 }))
  })
})

describe('a changed spec', () => {
  it('with another template changes the Secret, and the pair stays', async () => {
    await shop.patch(mutualIdentities, 'web', { spec: { delivery: { secretTemplate: { labels: { team: null, tier: 'back' } } } } })
    const after = await eventually(async () => {
      const found = await shop.secret('web')
      expect(found.metadata.labels).toMatchObject({ tier: 'back' })
      return found
    })
    expect(Object.keys(after.metadata.labels ?? {})).not.toContain('team')
    expect(materialOf(after).privateKey).toBe(material.privateKey)
  })

  it('with a name that the authority does not allow is refused, and nothing is lost', async () => {
    await shop.patch(mutualIdentities, 'web', { spec: { certificate: { dnsNames: ['web.example.com', 'web.example.org'] } } })
    const stopped = await shop.stopped('web', 'DNSNameNotAllowed')
    expect(condition(stopped)?.message).toMatch(/web\.example\.org.*\*\.example\.com.*The present certificate stays/)
    expect(materialOf(await shop.secret('web')).privateKey).toBe(material.privateKey)
    await shop.patch(mutualIdentities, 'web', { spec: { certificate: { dnsNames: ['web.example.com'] } } })
    await shop.ready('web')
    expect(materialOf(await shop.secret('web')).privateKey).toBe(material.privateKey)
  })

  it('with fewer formats takes their files away, in a Secret with a new pair', async () => {
    await shop.patch(mutualIdentities, 'web', { spec: { delivery: { formats: ['DER'], keystorePasswordRef: null } } })
    await eventually(async () =>
      expect(Object.keys((await shop.secret('web')).data as object).sort()).toEqual([
        'ca.crt',
        'key.der',
        'partner.test.spiffe-trust-bundle.x509.pem',
        'tls.crt',
        'tls.key',
      ]),
    )
    const after = await shop.secret('web')
    expect(pkcs8Of(createPrivateKey({ key: fileOf('key.der', after), format: 'der', type: 'pkcs8' }))).toEqual(
      pkcs8Of(materialOf(after).key),
    )
  })

  it('with another name for the Secret makes that one first; the old one stays as it is, and the status says until when', async () => {
    const before = await shop.secret('web')
    await shop.patch(mutualIdentities, 'web', { spec: { delivery: { secretName: 'web-tls' } } })
    const made = await eventually(() => shop.get(secrets, 'web-tls'))
    expect(fitsTogether(materialOf(made))).toBe(true)
    expect(materialOf(made).privateKey).not.toBe(materialOf(before).privateKey)
    const identity = await eventually(async () => {
      const found = await shop.ready('web')
      expect(condition(found)?.message).toContain('Secret web-mtls, its former one, goes at ')
      return found
    })
    const until = Date.parse(/goes at (\S+)/.exec(condition(identity)?.message ?? '')?.[1] ?? '')
    const [end, dayAfter] = [
      new X509Certificate(materialOf(before).chain).validToDate,
      Date.parse(made.metadata.creationTimestamp ?? '') + 24 * 3_600_000,
    ]
    expect(until).toBe(Math.min(end.getTime(), dayAfter))
    await throughout(async () => expect((await shop.secret('web')).metadata.resourceVersion).toBe(before.metadata.resourceVersion), 1_500)
  })

  it('with that of another identity is refused, and names it', async () => {
    await shop.identity('late', { serviceAccountName: 'web' })
    await shop.ready('late')
    await shop.patch(mutualIdentities, 'late', { spec: { delivery: { secretName: 'web-tls' } } })
    expect(condition(await shop.stopped('late', 'SecretNameTaken'))?.message).toContain('MutualIdentity web')
    expect((await shop.get(secrets, 'web-tls')).metadata.ownerReferences?.[0]?.name).toBe('web')
  })
})

it('a password that is missing stops a first certificate, and is taken once it is there', async () => {
  const delivery = { formats: ['JKS'], keystorePasswordRef: { name: 'later', key: 'password' } }
  await shop.create(mutualIdentities, {
    metadata: { name: 'patient' },
    spec: { podSelector: { matchLabels: { app: 'patient' } }, serviceAccountName: 'web', delivery },
  })
  await shop.stopped('patient', 'KeystorePasswordMissing')
  expect(await shop.find(secrets, 'patient-mtls')).toBeUndefined()
  await shop.create(secrets, {
    metadata: { name: 'later' },
    data: { password: Buffer.from(PASSWORD).toString('base64') },
  } as unknown as RawObject)
  await shop.ready('patient', 120_000)
  expect(readJks(fileOf('keystore.jks', await shop.secret('patient')), PASSWORD)).toHaveLength(1)
})

it('no piece of a private key, and no password, is in the log at level debug, in events, statuses and ConfigMaps', async () => {
  const text = await cluster.visibleText()
  expect(text.includes('KeystorePasswordMissing')).toBe(true)
  expect([cluster.keys.piecesIn(text), text.includes(PASSWORD), text.includes(Buffer.from(PASSWORD).toString('base64'))]).toEqual([
    0,
    false,
    false,
  ])
})

it('no line of the log is an error', () => {
  expect(cluster.log.filter(({ fields }) => fields?.level === 'error').map(({ line }) => line)).toEqual([])
})
