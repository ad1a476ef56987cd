// Performs real steps against objects in memory: real keys, real certificates, a recording client. What an issuer may get wrong is told
// field by field after the design: public key, names, CA flag, usages, lifetime, expiry, order of the chain, root in the published bundle.

import { describe, expect, it, jest } from '@jest/globals'
import 'reflect-metadata'
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { KeyUsageFlags } from '@peculiar/x509'
import { annotations, labels } from '../../../../src/api/names.ts'
import { projectLeafSecret } from '../../../../src/api/stored/leaf-secret.ts'
import { hours, minutes } from '../../../../src/base/duration.ts'
import { formatInstant } from '../../../../src/base/instant.ts'
import { askedFor } from '../../../../src/controllers/identity/asked.ts'
import type { IdentityFacts } from '../../../../src/controllers/identity/facts.ts'
import { observeIdentity } from '../../../../src/controllers/identity/observe.ts'
import { type Outcome, performIdentity } from '../../../../src/controllers/identity/perform.ts'
import { type IdentityStep, planIdentity } from '../../../../src/controllers/identity/plan.ts'
import type { IssueRequest, Issuer } from '../../../../src/issuers/issuer.ts'
import { type RawObject, secrets } from '../../../../src/k8s/resource.ts'
import { parseBundle } from '../../../../src/pki/bundle.ts'
import type { Certificate } from '../../../../src/pki/certificate.ts'
import { readChain } from '../../../../src/pki/certificate.ts'
import { signLeaf } from '../../../../src/pki/sign.ts'
import { verifyChain } from '../../../../src/pki/verify.ts'
import { keyOf, oddCertificate, type Recipe } from '../../../support/certificates.ts'
import {
  authorityObject,
  b64,
  bundleMap,
  bundleOf,
  caSecret,
  filledStores,
  identityObject,
  leafSecret,
  makeCA,
  NOW,
  OPERATOR_NAMESPACE,
  podObject,
  steadyRandom,
} from '../../../support/material.ts'
import { apiFailure, type RecordingClient, recordingClient } from '../../../support/recording-client.ts'
import { virtualClock } from '../../../support/virtual-clock.ts'

const REF = { namespace: 'shop', name: 'payments-mtls' }
const [ca, stranger] = await Promise.all([makeCA(), makeCA()])
const [other, forger] = await Promise.all([keyOf('ECDSAP256', 'other'), keyOf('ECDSAP256', 'forger')])
const signer = { certificate: ca.certificate, privateKey: ca.keyPair.privateKey }
const strangerSigner = { certificate: stranger.certificate, privateKey: stranger.keyPair.privateKey }
const honest: Issuer = {
  issue: async ({ profile, publicKey, now }) => ({ chain: [await signLeaf(profile, publicKey, signer, now, steadyRandom)] }),
}

function factsWith(secret?: RawObject): IdentityFacts {
  const stores = filledStores({
    identities: [identityObject()],
    authorities: [authorityObject()],
    caSecrets: [caSecret(ca)],
    bundleRecords: [bundleMap(bundleOf(ca))],
    pods: [podObject('a')],
    leafSecrets: secret ? [secret] : [],
  })
  const [identity] = stores.identities.all()
  if (!identity) throw new Error('the identity is not in its store')
  return observeIdentity(identity, stores, {
    operatorNamespace: OPERATOR_NAMESPACE,
    clusterDomain: 'cluster.local',
    restartWorkloads: true,
  })
}
const stepFor = (facts: IdentityFacts): IdentityStep => planIdentity(facts, NOW).step

interface Scene {
  readonly api: RecordingClient
  readonly wrote: RawObject[]
  readonly removed: string[]
  perform(facts: IdentityFacts, step?: IdentityStep): Promise<Outcome>
}
function scene(issuer: Issuer = honest): Scene {
  const api = recordingClient()
  const wrote: RawObject[] = []
  const removed: string[] = []
  const deps = {
    client: api.client,
    issuers: { generations: issuer },
    clock: virtualClock(NOW),
    random: steadyRandom,
    wroteSecret: (raw: RawObject) => void wrote.push(raw),
    holdSecret: () => () => undefined,
    removedSecret: (_ref: object, uid: string) => void removed.push(uid),
  }
  return { api, wrote, removed, perform: (facts, step = stepFor(facts)) => performIdentity(step, facts, deps) }
}
const written = (api: RecordingClient) => (api.at(secrets, REF)?.['data'] ?? {}) as Record<string, string>
const text = (api: RecordingClient, field: string) => Buffer.from(written(api)[field] ?? '', 'base64').toString()

describe('a first certificate', () => {
  it('is one create, and the cache is told what came back', async () => {
    const { api, wrote, perform } = scene()
    const outcome = await perform(factsWith())
    expect(outcome).toMatchObject({ kind: 'issued', created: true })
    expect(api.writes.map(({ verb, path }) => `${verb} ${path}`)).toEqual(['create secrets shop/payments-mtls'])
    expect(wrote).toEqual([api.at(secrets, REF)])
  })

  it('comes with a key, a chain and a bundle that fit together', async () => {
    const { api, perform } = scene()
    await perform(factsWith())
    const chain = readChain(text(api, 'tls.crt'))
    const key = createPrivateKey(text(api, 'tls.key'))
    expect(new X509Certificate(text(api, 'tls.crt')).checkPrivateKey(key)).toBe(true)
    expect(verifyChain(chain, parseBundle(text(api, 'ca.crt')).anchors, NOW)).toEqual({ ok: true })
  })

  it('is what the outcome and the annotations say it is', async () => {
    const { api, perform } = scene()
    const outcome = await perform(factsWith())
    const [leaf] = readChain(text(api, 'tls.crt')) as [Certificate]
    if (outcome.kind !== 'issued') throw new Error('nothing was issued')
    expect(outcome).toMatchObject({ serialNumber: leaf.serialNumber, notAfter: leaf.notAfter })
    expect(api.at(secrets, REF)?.metadata.annotations).toMatchObject({
      [annotations.serialNumber]: leaf.serialNumber,
      [annotations.renewAt]: formatInstant(outcome.renewAt),
      [annotations.bundleFingerprint]: bundleOf(ca).fingerprint,
    })
  })

  it('is not issued a second time by the next pass', async () => {
    const { api, perform } = scene()
    await perform(factsWith())
    expect(planIdentity(factsWith(api.at(secrets, REF)), NOW)).toMatchObject({ step: { kind: 'none' }, readiness: { reason: 'Current' } })
  })

  it('has a Secret that goes when the identity goes', async () => {
    const { api, perform } = scene()
    await perform(factsWith())
    expect(api.at(secrets, REF)?.metadata.ownerReferences).toMatchObject([
      { kind: 'MutualIdentity', name: 'payments', uid: 'uid-payments' },
    ])
  })

  it('has no key in the outcome', async () => {
    const { api, perform } = scene()
    const outcome = await perform(factsWith())
    expect(JSON.stringify(outcome)).not.toContain(text(api, 'tls.key').split('\n')[1])
  })
})

describe('a replacement', () => {
  it('is a patch of exactly the version that was planned from, with a new key', async () => {
    const { api, perform } = scene()
    const present = api.put(secrets, await leafSecret(ca))
    expect(await perform(factsWith(present))).toMatchObject({ kind: 'issued', created: false })
    const { uid, resourceVersion } = present.metadata
    expect(api.writes).toMatchObject([{ verb: 'mergePatch', body: { metadata: { uid, resourceVersion } } }])
    expect(written(api)['tls.key']).not.toBe((present['data'] as Record<string, string>)['tls.key'])
  })

  it('is a Conflict when somebody changed the Secret meanwhile, and nothing is written', async () => {
    const { api, perform } = scene()
    const facts = factsWith(api.put(secrets, await leafSecret(ca)))
    const since = api.put(secrets, await leafSecret(ca))
    await expect(perform(facts)).rejects.toMatchObject({ reason: 'Conflict' })
    expect(api.at(secrets, REF)).toEqual(since)
  })

  it('is a Conflict when the Secret was deleted and made again under its name', async () => {
    const { api, perform } = scene()
    const facts = factsWith(api.put(secrets, await leafSecret(ca)))
    const again = api.put(secrets, await leafSecret(ca, { metadata: { uid: 'another' } }))
    await expect(perform(facts)).rejects.toMatchObject({ reason: 'Conflict' })
    expect(api.at(secrets, REF)).toEqual(again)
  })
})

describe('a Secret of our name that the cache does not show', () => {
  const foreign = { apiVersion: 'v1', kind: 'Secret', metadata: REF, data: { password: 'c2VjcmV0' } }

  it('is never touched when it is foreign', async () => {
    const { api, perform, wrote } = scene()
    const before = api.put(secrets, foreign)
    await expect(perform(factsWith())).rejects.toMatchObject({ consequence: 'blocked', reason: 'SecretNotOwned' })
    expect([api.writes, wrote, api.at(secrets, REF)]).toEqual([[], [], before])
  })

  describe('and that was foreign at the last attempt', () => {
    const lastFailure = { reason: 'SecretNotOwned', message: '', at: '', attempts: 1, nextAttemptAt: '' }
    const again = (facts: IdentityFacts): IdentityFacts => ({
      ...facts,
      identity: { ...facts.identity, status: { ...facts.identity.status, lastFailure } },
    })

    it('is looked at before a key is made for nothing', async () => {
      const neverAsked: Issuer = { issue: () => Promise.reject(new Error('the issuer was asked')) }
      const { api, perform } = scene(neverAsked)
      api.put(secrets, foreign)
      await expect(perform(again(factsWith()), stepFor(factsWith()))).rejects.toMatchObject({ reason: 'SecretNotOwned' })
    })

    it('is made when it is gone', async () => {
      const { perform } = scene()
      expect(await perform(again(factsWith()), stepFor(factsWith()))).toMatchObject({ kind: 'issued', created: true })
    })
  })

  it.each<[string, object]>([
    ['a former identity of that name', { uid: 'older' }],
    ['an object of another kind with that uid', { kind: 'Deployment' }],
    ['an object of another group with that uid', { apiVersion: 'example.io/v1' }],
  ])('is foreign when it is owned by %s', async (_what, change) => {
    const { api, perform } = scene()
    const present = await leafSecret(ca, { labels: { [labels.managedBy]: undefined } })
    const [owner] = present.metadata.ownerReferences ?? []
    api.put(secrets, { ...present, metadata: { ...present.metadata, ownerReferences: [{ ...owner, ...change }] as never } })
    await expect(perform(factsWith())).rejects.toMatchObject({ reason: 'SecretNotOwned' })
    expect(api.writes).toEqual([])
  })

  it.each([labels.managedBy, labels.role])('is ours, and gets its label back, when somebody took away %s', async (label) => {
    const { api, perform } = scene()
    const present = api.put(secrets, await leafSecret(ca, { labels: { [label]: undefined } }))
    expect(await perform(factsWith())).toMatchObject({ kind: 'issued' })
    const { uid, resourceVersion } = present.metadata
    expect(api.writes).toMatchObject([{ verb: 'mergePatch', body: { metadata: { uid, resourceVersion } } }])
    expect(projectLeafSecret(api.at(secrets, REF) as RawObject)).toMatchObject({
      problem: undefined,
      labels: { [label]: expect.any(String) },
    })
  })

  it('is left to the next pass when the cache is only behind', async () => {
    const { api, perform } = scene()
    api.put(secrets, await leafSecret(ca))
    await expect(perform(factsWith())).rejects.toMatchObject({ consequence: 'retry', reason: 'CacheBehind' })
    expect(api.writes).toEqual([])
  })

  it('that is gone again by the time it is looked at is left to the next pass', async () => {
    const { api, perform } = scene()
    api.refuse = (verb) => (verb === 'create' ? apiFailure(409, 'AlreadyExists') : undefined)
    await expect(perform(factsWith())).rejects.toMatchObject({ consequence: 'retry', reason: 'NotFound' })
  })
})

describe('an issuer that lies', () => {
  const leafRecipe = ({ profile, publicKey }: IssueRequest): Recipe => ({
    key: { publicKey: createPublicKey({ key: publicKey.der, format: 'der', type: 'spki' }), privateKey: ca.keyPair.privateKey },
    signer,
    subject: '',
    notBefore: NOW - minutes(5),
    notAfter: NOW - minutes(5) + profile.lifetime,
    ca: false,
    keyUsage: KeyUsageFlags.digitalSignature,
    extKeyUsage: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'],
    names: [{ type: 'url', value: profile.spiffeId.uri }, ...profile.dnsNames.map((value) => ({ type: 'dns', value }) as const)],
  })
  const uri = (value: string) => ({ type: 'url', value }) as const
  const mine = uri('spiffe://cluster.local/ns/shop/sa/payments')

  const answering = (change: Recipe, more: readonly Certificate[] = []): Issuer => ({
    issue: async (request) => ({ chain: [await oddCertificate({ ...leafRecipe(request), ...change }), ...more] }),
  })

  it('is told from one that does not: the same answer without the lie is taken', async () => {
    expect(await scene(answering({})).perform(factsWith())).toMatchObject({ kind: 'issued' })
  })

  it.each<[string, string, Issuer]>([
    ['publicKey', 'another public key', answering({ key: other })],
    ['spiffeID', 'another SPIFFE ID', answering({ names: [uri('spiffe://cluster.local/ns/shop/sa/admin')] })],
    ['spiffeID', 'a second SPIFFE ID', answering({ names: [mine, uri('spiffe://cluster.local/ns/shop/sa/admin')] })],
    ['spiffeID', 'no SPIFFE ID', answering({ names: [{ type: 'dns', value: 'payments.shop' }] })],
    ['dnsNames', 'a DNS name too many', answering({ names: [mine, { type: 'dns', value: 'kubernetes.default.svc' }] })],
    ['otherNames', 'an IP address', answering({ names: [mine, { type: 'ip', value: '10.0.0.1' }] })],
    ['basicConstraints', 'the CA flag', answering({ ca: true, keyUsage: KeyUsageFlags.digitalSignature })],
    ['keyUsage', 'no digitalSignature', answering({ keyUsage: KeyUsageFlags.keyAgreement })],
    ['keyUsage', 'a right to sign certificates', answering({ keyUsage: KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign })],
    ['extKeyUsage', 'the purpose of servers only', answering({ extKeyUsage: ['1.3.6.1.5.5.7.3.1'] })],
    ['lifetime', 'a longer lifetime', answering({ notAfter: NOW + hours(48) })],
    ['lifetime', 'an end that has passed', answering({ notAfter: NOW - 1000 })],
    ['lifetime', 'a beginning that has not come', answering({ notBefore: NOW + minutes(1) })],
    ['order', 'a chain out of order', answering({}, [stranger.certificate])],
    ['anchor', 'a root that was never published', answering({ signer: strangerSigner })],
    ['signature', 'a signature by another key', answering({ signer: { certificate: ca.certificate, privateKey: forger.privateKey } })],
    ['chain', 'nothing at all', { issue: async () => ({ chain: [] }) }],
  ])('is refused for %s: %s; nothing is written and the field is named', async (field, _what, issuer) => {
    const { api, perform } = scene(issuer)
    const present = api.put(secrets, await leafSecret(ca))
    await expect(perform(factsWith(present))).rejects.toMatchObject({
      consequence: 'retry',
      reason: 'IssuerAnswerRefused',
      message: expect.stringContaining(`refused: ${field}: `),
    })
    expect([api.writes, api.at(secrets, REF)]).toEqual([[], present])
  })

  it('is refused for a DNS name too few', async () => {
    const stores = factsWith()
    const { parseDnsName } = await import('../../../../src/pki/dns-name.ts')
    const facts = { ...stores, serviceDnsNames: [parseDnsName('payments.shop')] }
    const { api, perform } = scene(answering({ names: [mine] }))
    await expect(perform(facts)).rejects.toMatchObject({
      message: expect.stringContaining('dnsNames: the certificate lacks payments.shop'),
    })
    expect(api.writes).toEqual([])
  })

  it('may give less time than was asked for', async () => {
    expect(await scene(answering({ notAfter: NOW + hours(1) })).perform(factsWith())).toMatchObject({
      kind: 'issued',
      notAfter: NOW + hours(1),
    })
  })
})

describe('the key of a leaf', () => {
  /** The buffers that keys were made in, by their size. */
  async function keysOf(run: () => Promise<unknown>): Promise<Buffer[]> {
    const spy = jest.spyOn(Buffer, 'alloc')
    try {
      await run().catch(() => undefined)
      return spy.mock.results.map(({ value }) => value as Buffer).filter(({ length }) => length === P256_OCTETS)
    } finally {
      spy.mockRestore()
    }
  }
  const P256_OCTETS = 138
  const isZeroed = (bytes: Buffer): boolean => bytes.every((octet) => octet === 0)

  it('is nothing but zeros once the Secret holds it', async () => {
    const { api, perform } = scene()
    const keys = await keysOf(() => perform(factsWith()))
    expect(keys.map(isZeroed)).toEqual([true])
    expect(createPrivateKey(text(api, 'tls.key')).asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
  })

  it('is nothing but zeros where no certificate came for it', async () => {
    const failing = scene({ issue: () => Promise.reject(new Error('no')) })
    const lying = scene({ issue: async () => ({ chain: [] }) })
    const keys = [...(await keysOf(() => failing.perform(factsWith()))), ...(await keysOf(() => lying.perform(factsWith())))]
    expect(keys.map(isZeroed)).toEqual([true, true])
  })
})

describe('an issuer that fails', () => {
  it('costs nothing: its error goes up and nothing is written', async () => {
    const error = apiFailure(503, 'ServiceUnavailable')
    const { api, perform } = scene({ issue: () => Promise.reject(error) })
    await expect(perform(factsWith())).rejects.toBe(error)
    expect(api.writes).toEqual([])
  })
})

const trustNow = () => {
  const asked = askedFor(factsWith(), NOW)
  return 'trust' in asked ? asked.trust : undefined
}

describe('a repair', () => {
  it('patches metadata and bundle of exactly that version, and neither key nor certificate', async () => {
    const { api, perform } = scene()
    const present = api.put(secrets, await leafSecret(ca))
    const { uid = '', resourceVersion = '' } = present.metadata
    const patch = { labels: { a: 'b' }, annotations: { c: 'd' }, ownerReferences: [{ e: 'f' }], trust: trustNow() }
    expect(await perform(factsWith(present), { kind: 'update', secretName: REF.name, version: { uid, resourceVersion }, patch })).toEqual({
      kind: 'updated',
    })
    expect(api.writes).toEqual([
      {
        verb: 'mergePatch',
        path: 'secrets shop/payments-mtls',
        body: {
          metadata: {
            labels: { a: 'b' },
            annotations: expect.objectContaining({ c: 'd', [annotations.bundleFingerprint]: bundleOf(ca).fingerprint }),
            ownerReferences: [{ e: 'f' }],
            uid,
            resourceVersion,
          },
          data: { 'ca.crt': b64(bundleOf(ca).text) },
        },
      },
    ])
  })

  it('without a new bundle patches no data', async () => {
    const { api, perform } = scene()
    const { uid = '', resourceVersion = '' } = api.put(secrets, await leafSecret(ca)).metadata
    const patch = { labels: {}, annotations: {}, ownerReferences: undefined, trust: undefined }
    await perform(factsWith(), { kind: 'update', secretName: REF.name, version: { uid, resourceVersion }, patch })
    expect(api.writes[0]?.body).not.toHaveProperty('data')
  })
})

describe('a Secret that cannot be changed in place', () => {
  it('is deleted at exactly that version, and the cache is told', async () => {
    const { api, perform, removed } = scene()
    const { uid = '', resourceVersion = '' } = api.put(secrets, await leafSecret(ca)).metadata
    expect(await perform(factsWith(), { kind: 'delete', secretName: REF.name, version: { uid, resourceVersion } })).toEqual({
      kind: 'deleted',
    })
    expect([api.writes, removed]).toEqual([[{ verb: 'delete', path: 'secrets shop/payments-mtls', body: { uid, resourceVersion } }], [uid]])
  })
})

it('nothing to do writes nothing', async () => {
  const { api, perform } = scene()
  expect(await perform(factsWith(), { kind: 'none' })).toEqual({ kind: 'none' })
  expect([api.writes, api.reads]).toEqual([[], []])
})
