import { createHash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { type Duration, hours, minutes, seconds } from '../../../src/base/duration.ts'
import { OperatorError } from '../../../src/base/errors.ts'
import { readCertificate } from '../../../src/pki/certificate.ts'
import { parseDnsName } from '../../../src/pki/dns-name.ts'
import { createRoot, signLeaf } from '../../../src/pki/sign.ts'
import { parseSpiffeId, workloadId } from '../../../src/pki/spiffe-id.ts'
import { parseTrustDomain } from '../../../src/pki/trust-domain.ts'
import {
  aLeaf,
  aSigner,
  fixedRandom,
  keyOf,
  leafProfile,
  NOW,
  oddCertificate,
  rootProfile,
  subjectKeyOf,
} from '../../support/certificates.ts'

const SECOND = 1000
const whole = (at: number): number => Math.floor(at / SECOND) * SECOND

async function reasonOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return error instanceof OperatorError ? `${error.consequence} ${error.reason}: ${error.message}` : `no OperatorError: ${error}`
}

describe('a root', () => {
  it('is a CA without a path length, that signs certificates and revocation lists and nothing else', async () => {
    const { certificate } = await aSigner()
    expect(certificate).toMatchObject({
      isCA: true,
      pathLength: undefined,
      keyUsage: ['keyCertSign', 'cRLSign'],
      extKeyUsage: [],
      selfSigned: true,
    })
    expect(certificate.criticalExtensions).toEqual(['basicConstraints', 'keyUsage'])
  })

  it('names its trust domain in a URI', async () => {
    const { certificate } = await aSigner()
    expect([certificate.uris, certificate.dnsNames, certificate.otherNames]).toEqual([['spiffe://example.org'], [], 0])
  })

  it('is identified by the hash of its key, as its own authority too', async () => {
    const { certificate, privateKey } = await aSigner()
    const spki = certificate.x509.publicKey.export({ format: 'der', type: 'spki' })
    // The bits of a P-256 key are the last 65 octets.
    const keyID = createHash('sha256').update(spki.subarray(-65)).digest('hex').slice(0, 40)
    expect([certificate.subjectKeyID, certificate.authorityKeyID]).toEqual([keyID, keyID])
    expect(privateKey.type).toBe('private')
  })

  it('is called after trust domain, generation and key', async () => {
    const { certificate } = await aSigner({ profile: { generation: 7 } })
    expect(certificate.subject).toBe(`CN=example.org g7 ${certificate.subjectKeyID?.slice(0, 8)}`)
    expect(certificate.issuerDer.equals(certificate.subjectDer)).toBe(true)
  })

  it('has a name of 64 characters at most, however long the trust domain is', async () => {
    const trustDomain = parseTrustDomain(`${'x'.repeat(100)}.org`)
    const { certificate } = await aSigner({ profile: { trustDomain, generation: 12 } })
    const name = certificate.subject.slice('CN='.length)
    expect(name).toBe(`${'x'.repeat(51)} g12 ${certificate.subjectKeyID?.slice(0, 8)}`)
    expect(name).toHaveLength(64)
    expect(certificate.uris).toEqual([`spiffe://${trustDomain}`])
  })

  it('begins 5 minutes before its making and lasts as long as asked', async () => {
    const { certificate } = await aSigner()
    expect(certificate.notBefore).toBe(whole(NOW) - minutes(5))
    expect(certificate.notAfter - certificate.notBefore).toBe(hours(2160))
  })

  it.each([
    ['2049-12-31T23:59:59Z', '170d3439313233313233353935395a'],
    ['2050-01-01T00:00:00Z', '180f32303530303130313030303030305a'],
  ])('that ends at %s says so in the form of its century', async (end, octets) => {
    const notBefore = whole(NOW) - minutes(5)
    const { certificate } = await aSigner({ profile: { lifetime: (Date.parse(end) - notBefore) as Duration } })
    expect(certificate.notAfter).toBe(Date.parse(end))
    expect(certificate.der.includes(Buffer.from(octets, 'hex'))).toBe(true)
  })

  it.each([
    ['another kind of key', { keyType: 'ECDSAP384' }, /ECDSAP384/],
    ['a generation of 0', { generation: 0 }, /from 1/],
    ['a generation of 1.5', { generation: 1.5 }, /from 1/],
    ['no lifetime', { lifetime: seconds(0) }, /too short/],
  ] as const)('is not made with %s', async (_name, overrides, message) => {
    await expect(createRoot(rootProfile(overrides), await keyOf('ECDSAP256'), NOW, fixedRandom(1))).rejects.toThrow(message)
  })
})

describe('a leaf', () => {
  it('has no subject and so a critical SAN: the SPIFFE ID, then the DNS names', async () => {
    const { certificate } = await aLeaf(await aSigner())
    expect(certificate).toMatchObject({
      subject: '',
      uris: ['spiffe://example.org/ns/shop/sa/web'],
      dnsNames: ['web.shop', 'web.shop.svc', 'web.shop.svc.cluster.local'],
      otherNames: 0,
    })
    expect(certificate.criticalExtensions).toEqual(['basicConstraints', 'keyUsage', 'subjectAltName'])
  })

  it('has its DNS names sorted and once each', async () => {
    const dnsNames = ['b.shop', 'a.shop', 'b.shop'].map((name) => parseDnsName(name))
    const { certificate } = await aLeaf(await aSigner(), { profile: { dnsNames } })
    expect(certificate.dnsNames).toEqual(['a.shop', 'b.shop'])
  })

  it('is no CA and for both ends of a connection', async () => {
    const { certificate } = await aLeaf(await aSigner())
    expect(certificate).toMatchObject({ isCA: false, pathLength: undefined, extKeyUsage: ['serverAuth', 'clientAuth'], selfSigned: false })
  })

  it.each([
    ['ECDSAP256', ['digitalSignature']],
    ['ED25519', ['digitalSignature']],
    ['RSA3072', ['digitalSignature', 'keyEncipherment']],
  ] as const)('with a key of %s has the usages that such a key has', async (keyType, usages) => {
    const { certificate } = await aLeaf(await aSigner(), { profile: { keyType } })
    expect([certificate.keyUsage, certificate.keyType]).toEqual([usages, keyType])
  })

  it.each([
    ['ECDSAP256', 'ecdsa-with-SHA256'],
    ['ECDSAP384', 'ecdsa-with-SHA384'],
    ['ECDSAP521', 'ecdsa-with-SHA512'],
    ['ED25519', 'Ed25519'],
    ['RSA3072', 'sha256WithRSAEncryption'],
  ] as const)('is signed by a key of %s with %s', async (keyType, algorithm) => {
    const { certificate } = await aLeaf(await aSigner({ profile: { keyType } }))
    expect(certificate.signatureAlgorithm).toBe(algorithm)
  })

  it("names the signer's name and key, octet by octet", async () => {
    const pair = await keyOf('ECDSAP256', 'odd')
    const subject = 'Ödd, O=CA+x=y\\'
    const certificate = await oddCertificate({ subject })
    const leaf = await aLeaf({ certificate, privateKey: pair.privateKey })
    expect(leaf.certificate.issuerDer.equals(certificate.subjectDer)).toBe(true)
    expect(leaf.certificate.authorityKeyID).toBe('0102030405')
  })

  it.each([
    [hours(24), minutes(5)],
    [hours(1), minutes(5)],
    [minutes(49), seconds(294)],
    [minutes(10), minutes(1)],
  ])('of %d ms begins %d ms before its issue and lasts exactly as long as asked', async (lifetime, before) => {
    const { certificate } = await aLeaf(await aSigner(), { profile: { lifetime } })
    expect(certificate.notBefore).toBe(whole(NOW - before))
    expect(certificate.notAfter - certificate.notBefore).toBe(lifetime)
  })

  it('ends with its signer, and its backdating is then that of the time left', async () => {
    const signer = await aSigner()
    const now = signer.certificate.notAfter - minutes(10)
    const { certificate } = await aLeaf(signer, { now })
    expect(certificate.notAfter).toBe(signer.certificate.notAfter)
    expect(certificate.notBefore).toBe(now - minutes(1))
  })

  it('does not begin before its signer', async () => {
    const { privateKey } = await keyOf('ECDSAP256', 'odd')
    const signer = { certificate: await oddCertificate({ notBefore: whole(NOW) - minutes(1) }), privateKey }
    const { certificate } = await aLeaf(signer, { profile: { lifetime: hours(2) } })
    expect(certificate.notBefore).toBe(whole(NOW) - minutes(1))
    expect(certificate.notAfter).toBe(whole(NOW) - minutes(5) + hours(2))
  })

  it.each([
    ['after its end', (end: number) => end, /^blocked CAExpired: .*expired at/],
    ['before its begin', () => NOW - minutes(5) - 2 * SECOND, /^retry CANotYetValid: .*not valid before/],
  ])('is not signed by a CA %s', async (_name, at, message) => {
    const signer = await aSigner()
    expect(await reasonOf(aLeaf(signer, { now: at(signer.certificate.notAfter) }))).toMatch(message)
  })

  it("is not signed with a key that is not the signer's, not even after a right one was", async () => {
    const signer = await aSigner()
    const other = await aSigner({ name: 'other' })
    await aLeaf(signer)
    const mixed = { certificate: other.certificate, privateKey: signer.privateKey }
    expect(await reasonOf(aLeaf(mixed))).toMatch(/^blocked CAKeyInvalid: .*is not the key of/)
  })

  it('is not signed by a leaf', async () => {
    const { certificate, keyPair } = await aLeaf(await aSigner())
    expect(await reasonOf(aLeaf({ certificate, privateKey: keyPair.privateKey }))).toMatch(/^blocked CAKeyInvalid: .*is no CA/)
  })

  it("is not signed for another trust domain than the root's", async () => {
    const spiffeId = workloadId(parseTrustDomain('example.com'), 'shop', 'web')
    expect(await reasonOf(aLeaf(await aSigner(), { profile: { spiffeId } }))).toMatch(
      /^blocked CAKeyInvalid: .*spiffe:\/\/example\.org .*example\.com/,
    )
  })

  it('is not signed for a bare trust domain, another kind of key, or no time', async () => {
    const signer = await aSigner()
    const publicKey = subjectKeyOf(await keyOf('ECDSAP256'))
    const attempt = (overrides: object) => signLeaf({ ...leafProfile(), ...overrides }, publicKey, signer, NOW, fixedRandom(1))
    await expect(attempt({ spiffeId: parseSpiffeId('spiffe://example.org') })).rejects.toThrow(/not a workload/)
    await expect(attempt({ keyType: 'ED25519' })).rejects.toThrow(/ED25519/)
    await expect(attempt({ lifetime: seconds(0) })).rejects.toThrow(/too short/)
  })
})

describe('a serial number', () => {
  it.each([0x00, 0x01, 0x7f, 0x80, 0xff])('of random octets %d is positive, minimal and of 17 octets', async (byte) => {
    const signer = await aSigner()
    const publicKey = subjectKeyOf(await keyOf('ECDSAP256'))
    const leaf = await signLeaf(leafProfile(), publicKey, signer, NOW, fixedRandom(byte))
    const octets = byte.toString(16).padStart(2, '0').repeat(16)
    expect(leaf.serialNumber).toBe(`01${octets}`)
    expect(leaf.x509.serialNumber.toLowerCase()).toBe(`01${octets}`)
    expect(leaf.der.includes(Buffer.from(`021101${octets}`, 'hex'))).toBe(true)
  })

  it('is another one each time', async () => {
    const signer = await aSigner()
    const [a, b] = [await aLeaf(signer), await aLeaf(signer)]
    expect(a.certificate.serialNumber).not.toBe(b.certificate.serialNumber)
  })
})

it('what was made is what is read from its DER', async () => {
  const { certificate } = await aLeaf(await aSigner())
  const { x509: _one, ...read } = readCertificate(certificate.der)
  expect(certificate).toMatchObject(read)
})
