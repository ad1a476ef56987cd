// An authority over a CA that a company keeps, on a real API server: root and intermediate are made by openssl, programs of two identities speak
// mutual TLS, and a CA that was replaced, spoiled or deleted waits while the copy goes on signing.

import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { clusterMutualAuthorities } from '../../../src/api/kinds.ts'
import { configMaps, events, type RawObject, secrets } from '../../../src/k8s/resource.ts'
import { eventually } from '../../support/cluster-eventually.ts'
import { handshake, materialOf, opensslVerify, rootsIn } from '../../support/cluster-material.ts'
import { bundleTextOf, condition, createPlace, listAll, type Place, placeIn, trustBundle } from '../../support/cluster-objects.ts'
import { OPERATOR_NAMESPACE, startCluster, type TestCluster } from '../../support/cluster-operator.ts'

let cluster: TestCluster
let operator: Place
let shop: Place

beforeAll(async () => {
  cluster = await startCluster()
  operator = placeIn(cluster.client, OPERATOR_NAMESPACE)
  shop = await createPlace(cluster.client, 'shop')
  await cluster.start()
  await cluster.defaultAuthority()
})

afterAll(async () => {
  await cluster?.close()
})

interface Company {
  readonly root: string
  readonly certificate: string
  readonly key: string
}

/** A root and an issuing CA below it, as an administrator makes them. */
function company(name: string): Company {
  const folder = mkdtempSync(join(tmpdir(), 'company-'))
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8')
  const key = (file: string): string[] => ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file]
  try {
    const usage = 'keyUsage=critical,keyCertSign,cRLSign'
    openssl('req', '-x509', ...key('root.key'), '-days', '60', '-subj', `/O=${name}/CN=${name} Root`, '-addext', usage, '-out', 'root.crt')
    openssl('req', ...key('ca.key'), '-subj', `/O=${name}/CN=${name} Issuing CA`, '-out', 'ca.csr')
    const extensions = ['basicConstraints=critical,CA:TRUE,pathlen:0', usage, 'subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid']
    writeFileSync(join(folder, 'ca.ext'), `${extensions.join('\n')}\n`)
    const signer = ['-CA', 'root.crt', '-CAkey', 'root.key', '-CAcreateserial']
    openssl('x509', '-req', '-in', 'ca.csr', ...signer, '-days', '30', '-extfile', 'ca.ext', '-out', 'ca.crt')
    return { root: read('root.crt'), certificate: read('ca.crt'), key: read('ca.key') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const acme = company('Acme')
const other = company('Other')
const encoded = (files: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString('base64')]))
const dataOf = ({ root, certificate, key }: Company) => encoded({ 'tls.crt': certificate, 'tls.key': key, 'ca.crt': root })
const keep = (name: string, data: Record<string, string>): Promise<RawObject> =>
  operator.create(secrets, { metadata: { name }, type: 'kubernetes.io/tls', data })
const authority = (name: string): Promise<RawObject> =>
  cluster.client.create(clusterMutualAuthorities, {
    metadata: { name },
    spec: { trustDomain: `${name}.test`, caSecret: { name: `${name}-ca` } },
  })
let looks = 0
/** A Secret of others is looked at once a minute, and when the spec changes: what does not need to wait does not. */
async function lookAgain(name: string): Promise<void> {
  const spec = { leaf: { minLifetime: `${10 + (++looks % 2)}m` } }
  await cluster.client.mergePatch(clusterMutualAuthorities, { namespace: '', name }, { spec })
}
const stands = (name: string, reason: string): Promise<RawObject> =>
  eventually(async () => {
    const found = await cluster.client.get(clusterMutualAuthorities, { namespace: '', name })
    if (condition(found)?.reason !== reason) throw new Error(`${name} does not say ${reason}: ${JSON.stringify(found.status)}`)
    return found
  }, 90_000)
const normalized = (pem: string): string => rootsIn(pem).join('')
/** Warnings about an authority. */
const warnings = async (name: string): Promise<string[]> =>
  (await listAll(cluster.client, events, 'default'))
    .filter(({ type, regarding }) => type === 'Warning' && (regarding as { name?: string }).name === name)
    .map(({ reason }) => String(reason))

describe('a company’s CA', () => {
  beforeAll(async () => {
    await keep('acme-ca', dataOf(acme))
    await authority('acme')
    await stands('acme', 'Current')
    await shop.service('web')
    for (const name of ['web', 'caller']) {
      await shop.account(name)
      await shop.pod(name, { account: name })
      await shop.identity(name, { authority: 'acme', serviceAccountName: name })
    }
    for (const name of ['web', 'caller']) await shop.ready(name)
    await eventually(() => trustBundle(shop, 'acme'))
  })

  it('is copied: the generation holds CA, key and root, and says where they came from', async () => {
    const copy = await operator.get(secrets, 'acme-ca-1')
    const text = (field: string): string => Buffer.from((copy.data as Record<string, string>)[field] ?? '', 'base64').toString()
    expect([normalized(text('tls.crt')), normalized(text('ca.crt'))]).toEqual([normalized(acme.certificate), normalized(acme.root)])
    expect(new X509Certificate(text('tls.crt')).checkPrivateKey(materialOf(copy).key)).toBe(true)
    expect(copy.metadata.annotations).toMatchObject({
      'mutualidentity.io/copied-from': 'acme-ca',
      'mutualidentity.io/trust-domain': 'acme.test',
    })
  })

  it('is published by its root alone, in the record and in the copy', async () => {
    for (const configMap of [await operator.get(configMaps, 'acme-trust-bundle'), await trustBundle(shop, 'acme')]) {
      expect(rootsIn(bundleTextOf(configMap) ?? '').map(({ fingerprint256 }) => fingerprint256)).toEqual([
        new X509Certificate(acme.root).fingerprint256,
      ])
    }
  })

  it.each(['web', 'caller'])('signs a leaf for %s that openssl verifies from the published root by its strictest rules', async (name) => {
    const { chain } = materialOf(await shop.secret(name))
    expect(rootsIn(chain).map(({ issuer }) => /CN=(.*)/.exec(issuer)?.[1])).toEqual(['Acme Issuing CA', 'Acme Root'])
    expect(opensslVerify({ chain, ca: bundleTextOf(await trustBundle(shop, 'acme')) ?? '' })).toMatch(/OK\n.*OK/s)
  })

  it('carries two programs through mutual TLS, each with the published bundle', async () => {
    const ca = bundleTextOf(await trustBundle(shop, 'acme')) ?? ''
    const [web, caller] = [materialOf(await shop.secret('web')), materialOf(await shop.secret('caller'))]
    expect(await handshake({ ...web, ca }, { ...caller, ca }, 'web.shop.svc')).toEqual({
      server: 'spiffe://acme.test/ns/shop/sa/web',
      client: 'spiffe://acme.test/ns/shop/sa/caller',
    })
  })

  it.each<[string, string, () => Promise<unknown>]>([
    ['replaced', 'RotationPending', () => operator.patch(secrets, 'acme-ca', { data: dataOf(other) })],
    ['spoiled', 'CASourceInvalid', () => operator.patch(secrets, 'acme-ca', { data: encoded({ 'tls.crt': 'garbage' }) })],
    ['deleted', 'CASourceNotFound', () => operator.delete(secrets, 'acme-ca')],
  ])(
    'that is %s waits (%s): the copy signs on, nothing of it changes, and one event tells',
    async (what, reason, change) => {
      const before = [
        await operator.get(secrets, 'acme-ca-1'),
        await operator.get(configMaps, 'acme-trust-bundle'),
        await shop.secret('web'),
      ]
      await change()
      await lookAgain('acme')
      expect(condition(await stands('acme', reason))).toMatchObject({ status: 'True', message: expect.stringMatching(/goes on signing/) })
      await shop.identity(`late-${what}`, { authority: 'acme' })
      await shop.ready(`late-${what}`)
      const { chain } = materialOf(await shop.secret(`late-${what}`))
      expect(rootsIn(chain)[1]?.fingerprint256).toBe(new X509Certificate(acme.certificate).fingerprint256)
      expect(opensslVerify({ chain, ca: acme.root })).toMatch(/OK/)
      expect([
        await operator.get(secrets, 'acme-ca-1'),
        await operator.get(configMaps, 'acme-trust-bundle'),
        await shop.secret('web'),
      ]).toEqual(before)
      await eventually(async () => expect((await warnings('acme')).filter((told) => told === reason)).toEqual([reason]))
    },
    150_000,
  )

  it('that is put back is the one that signs', async () => {
    await keep('acme-ca', dataOf(acme))
    await lookAgain('acme')
    expect(condition(await stands('acme', 'Current'))).toMatchObject({ status: 'True' })
  }, 150_000)
})

it('a Secret that is not there yet is waited for, a bad one is refused with a remedy, and a good one is taken by itself within a minute', async () => {
  await authority('late')
  expect(condition(await stands('late', 'CASourceNotFound'))).toMatchObject({
    status: 'False',
    message: expect.stringMatching(/there is no Secret late-ca in the operator's namespace: create it with tls.crt and tls.key/),
  })
  await keep('late-ca', { ...dataOf(other), ...encoded({ 'tls.key': acme.key }) })
  await lookAgain('late')
  expect(condition(await stands('late', 'CASourceInvalid'))?.message).toMatch(
    /Secret late-ca holds no CA that can sign: tls.key is not the key of the certificate in tls.crt/,
  )
  expect(await operator.find(secrets, 'late-ca-1')).toBeUndefined()
  await operator.patch(secrets, 'late-ca', { data: dataOf(other) })
  const since = Date.now()
  await stands('late', 'Current')
  expect(Date.now() - since).toBeLessThan(75_000)
}, 240_000)

it('the company’s own Secrets are never written, and no piece of a key is in what people see', async () => {
  const kept = await operator.get(secrets, 'acme-ca')
  expect(kept.metadata.labels).toBeUndefined()
  expect(kept.data).toEqual(dataOf(acme))
  expect(cluster.log.filter(({ fields }) => fields?.level === 'error').map(({ line }) => line)).toEqual([])
  expect(cluster.keys.piecesIn(await cluster.visibleText())).toBe(0)
})
