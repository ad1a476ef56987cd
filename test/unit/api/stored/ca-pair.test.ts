// A CA in a Secret: the way from what signs up to its root, and every reason why there is none.

import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readCaPair, spiffeTrustDomain } from '../../../../src/api/stored/ca-pair.ts'
import type { RawStored } from '../../../../src/api/stored/common.ts'
import { generateKeyPair, type KeyPair } from '../../../../src/pki/keys.ts'
import { formatPem } from '../../../../src/pki/pem.ts'
import { KeyUsageFlags, oddCertificate, rsaOf } from '../../../support/certificates.ts'
import { type CorporateCa, type CorporateOptions, corporateCa, keyPem, sourceSecret } from '../../../support/corporate-ca.ts'
import { keyDetector } from '../../../support/key-detector.ts'
import { b64, caSecret, makeCA, pemOf } from '../../../support/material.ts'

const [root, one, two, other] = await Promise.all([
  corporateCa({ below: 0 }),
  corporateCa({ below: 1 }),
  corporateCa({ below: 2 }),
  corporateCa({ below: 1, company: 'Other' }),
])

const withData = (ca: CorporateCa, data: Record<string, string | undefined>): RawStored => sourceSecret(ca, { data })
const tlsCrt = (ca: CorporateCa, text: string): RawStored => withData(ca, { 'tls.crt': b64(text) })
const tlsKey = (text: string): RawStored => withData(one, { 'tls.key': b64(text) })
const pemKey = (ca: CorporateCa, type: 'pkcs1' | 'sec1' | 'pkcs8', cipher?: string): string =>
  String(ca.keyPair.privateKey.export({ format: 'pem', type, ...(cipher ? { cipher, passphrase: 'secret' } : {}) } as never))

describe('the way up from a CA', () => {
  it.each<[string, CorporateCa, RawStored, number]>([
    ['that is a root of its own', root, sourceSecret(root), 0],
    ['that is a root, with ca.crt beside it', root, sourceSecret(root, { rootIn: 'both' }), 0],
    ['whose root stands in ca.crt', one, sourceSecret(one), 1],
    ['whose root ends tls.crt', one, sourceSecret(one, { rootIn: 'tls.crt' }), 1],
    ['whose root ends tls.crt and stands in ca.crt too, as cert-manager writes it', one, sourceSecret(one, { rootIn: 'both' }), 1],
    ['with one issuer more, whose root stands in ca.crt', two, sourceSecret(two), 2],
    ['with one issuer more, whose root ends tls.crt', two, sourceSecret(two, { rootIn: 'tls.crt' }), 2],
  ])('%s leads to that root, and what is served after a leaf is all but the root', (_what, ca, secret, served) => {
    const pair = readCaPair(secret)
    expect(pair).toMatchObject({ problem: undefined })
    expect([pair.certificate?.fingerprint, pair.root?.fingerprint]).toEqual([ca.certificate.fingerprint, ca.root.fingerprint])
    expect(pair.intermediates.map(({ subject }) => subject)).toEqual(
      [ca.certificate, ...ca.issuers].slice(0, served).map(({ subject }) => subject),
    )
  })

  it('of one that tls.crt ends with its root does not look at ca.crt, which may hold any bundle', () => {
    const pair = readCaPair(sourceSecret(one, { rootIn: 'tls.crt', data: { 'ca.crt': b64(pemOf(other.root)) } }))
    expect([pair.problem, pair.root?.fingerprint]).toEqual([undefined, one.root.fingerprint])
  })

  it('of a generation of ours is none: it is its own root', async () => {
    const ca = await makeCA()
    const pair = readCaPair(caSecret(ca))
    expect([pair.problem, pair.intermediates, pair.root?.fingerprint]).toEqual([undefined, [], ca.certificate.fingerprint])
  })
})

/** A CA by the options, in a Secret. */
const made = async (options: CorporateOptions): Promise<RawStored> => sourceSecret(await corporateCa(options))
const weak = rsaOf(1024)
const legacy = rsaOf(2048)
const p224 = generateKeyPairSync('ec', { namedCurve: 'P-224' })
const leafLike = { ca: false, keyUsage: KeyUsageFlags.digitalSignature } as const

/** A CA below a root that allows none below it. */
async function tooDeep(): Promise<RawStored> {
  return sourceSecret(await corporateCa({ below: 1, rootRecipe: { pathLength: 0 } }))
}

/** Its root is one that a third party signed. */
async function crossSigned(): Promise<RawStored> {
  const bridge = await oddCertificate({
    key: one.keyPair,
    subject: 'Bridge',
    signer: { certificate: other.certificate, privateKey: other.keyPair.privateKey },
  })
  return withData(one, { 'ca.crt': b64(pemOf(bridge)) })
}

/** A root of the same name and key identifier as the real one, with another key. */
async function impostor(): Promise<RawStored> {
  const key = await generateKeyPair('ECDSAP256')
  const certificate = await oddCertificate({ key, subject: 'Example Root', subjectKeyID: one.root.subjectKeyID ?? '' })
  return withData(one, { 'ca.crt': b64(pemOf(certificate)) })
}

describe('a Secret holds no CA', () => {
  it.each<[string, () => RawStored | Promise<RawStored>, RegExp]>([
    ['without data', () => ({ ...sourceSecret(one), data: undefined }), /^tls\.crt is missing or empty$/],
    ['whose data is null', () => ({ ...sourceSecret(one), data: null }), /^tls\.crt is missing or empty$/],
    ['with an empty tls.crt', () => withData(one, { 'tls.crt': '' }), /^tls\.crt is missing or empty$/],
    ['with garbage in tls.crt', () => tlsCrt(one, 'garbage'), /^tls\.crt: PEM refused: before the first block there is something/],
    ['with DER in tls.crt', () => withData(one, { 'tls.crt': b64(one.certificate.der) }), /^tls\.crt: PEM refused/],
    [
      'with a byte order mark',
      () => tlsCrt(one, `\ufeff${pemOf(one.certificate)}`),
      /^tls\.crt: PEM refused: the text begins with a byte order mark/,
    ],
    [
      'with its key in tls.crt',
      () => tlsCrt(one, pemOf(one.certificate) + keyPem(one)),
      /^tls\.crt: .*block 2 of the chain is a PRIVATE KEY/,
    ],
    [
      'with text between the blocks',
      () => tlsCrt(two, `${pemOf(two.certificate)}Issuer:\n${pemOf(...two.issuers)}`),
      /^tls\.crt: PEM refused: after block 1/,
    ],
    [
      'with 10,000 certificates',
      () => tlsCrt(one, pemOf(one.certificate).repeat(10_000)),
      /^tls\.crt: PEM refused: the text has \d+ bytes, 262144 are allowed/,
    ],
    ['with 11 certificates', () => tlsCrt(one, pemOf(one.certificate).repeat(11)), /^tls\.crt: PEM refused: there are more than 10 blocks/],
    [
      'with 10,000 certificates in ca.crt',
      () => withData(one, { 'ca.crt': b64(pemOf(one.root).repeat(10_000)) }),
      /^ca\.crt: PEM refused: the text has \d+ bytes/,
    ],

    ['without its key', () => withData(one, { 'tls.key': undefined }), /^tls\.key is missing or empty$/],
    ['with an empty key', () => withData(one, { 'tls.key': '' }), /^tls\.key is missing or empty$/],
    ['with the key of another', () => tlsKey(keyPem(other)), /^tls\.key is not the key of the certificate in tls\.crt$/],
    ['with the key of its issuer', () => withData(two, { 'tls.key': b64(keyPem(one)) }), /^tls\.key is not the key/],
    [
      'with an encrypted PKCS#8 key',
      () => tlsKey(pemKey(one, 'pkcs8', 'aes-256-cbc')),
      /^tls\.key: the private key is refused: it is encrypted: store it unencrypted, as PKCS#8$/,
    ],
    [
      'with an encrypted SEC1 key',
      () => tlsKey(pemKey(one, 'sec1', 'aes-256-cbc')),
      /^tls\.key: the private key is refused: PEM refused: .*has headers/,
    ],
    [
      'with a public key',
      () => tlsKey(String(one.keyPair.publicKey.export({ format: 'pem', type: 'spki' }))),
      /^tls\.key: .*it is a PUBLIC KEY block: store an unencrypted PKCS#8 PRIVATE KEY$/,
    ],
    ['with its certificate for a key', () => tlsKey(pemOf(one.certificate)), /^tls\.key: .*it is a CERTIFICATE block/],
    ['with its key twice', () => tlsKey(keyPem(one) + keyPem(one)), /^tls\.key: .*it has 2 PEM blocks, one is wanted/],
    [
      'with curve parameters before its key, as openssl ecparam writes them',
      () => tlsKey(`${formatPem('EC PARAMETERS', Buffer.of(6, 8))}${pemKey(one, 'sec1')}`),
      /^tls\.key: .*it has 2 PEM blocks/,
    ],
    ['with a key that is cut off', () => tlsKey(keyPem(one).slice(0, 120)), /^tls\.key: .*has no END line/],
    [
      'with RSA of 1024 bits',
      async () =>
        withData(one, {
          'tls.crt': b64(pemOf(await oddCertificate({ key: weak }))),
          'tls.key': b64(String(weak.privateKey.export({ format: 'pem', type: 'pkcs8' }))),
        }),
      /^tls\.key: .*RSA of 1024 bits is not supported: use ECDSA on P-256, P-384 or P-521, Ed25519, or RSA of at least 2048 bits$/,
    ],
    [
      'with a key on P-224',
      () => tlsKey(String(p224.privateKey.export({ format: 'pem', type: 'pkcs8' }))),
      /^tls\.key: .*EC on secp224r1 is not supported/,
    ],

    [
      'with the issuer before the CA',
      () => tlsCrt(two, pemOf(...two.issuers, two.certificate)),
      /^tls\.key is not the key of the certificate in tls\.crt$/,
    ],
    [
      'with its issuers in the wrong order',
      async () => {
        const deep = await corporateCa({ below: 3 })
        return tlsCrt(deep, pemOf(deep.certificate, ...deep.issuers.toReversed()))
      },
      /^order: certificate 1 \(CN=Example Department CA\) is not issued by certificate 2 \(CN=Example Policy CA\)$/,
    ],
    [
      'with an issuer missing',
      () => tlsCrt(two, pemOf(two.certificate)),
      /^order: certificate 1 \(CN=Example Issuing CA\) is not issued by certificate 2 \(CN=Example Root\)$/,
    ],
    ['with the same certificate twice', () => tlsCrt(one, pemOf(one.certificate, one.certificate)), /^order: certificate 1/],
    ['with more than a root', () => tlsCrt(root, pemOf(root.certificate, other.root)), /^tls\.crt holds more than the self-signed CA$/],
    ['with something that does not belong to it at the end', () => tlsCrt(one, pemOf(one.certificate, other.root)), /^order: /],

    [
      'whose root is missing',
      () => withData(one, { 'ca.crt': undefined }),
      /^the CA is not its own root, and ca\.crt, where the root should be, is missing$/,
    ],
    [
      'whose ca.crt is empty',
      () => withData(one, { 'ca.crt': '' }),
      /^the CA is not its own root, and ca\.crt, where the root should be, is missing$/,
    ],
    ['whose ca.crt is garbage', () => withData(one, { 'ca.crt': b64('garbage') }), /^ca\.crt: PEM refused/],
    [
      'whose ca.crt holds two roots',
      () => withData(one, { 'ca.crt': b64(pemOf(one.root, other.root)) }),
      /^ca\.crt must hold one certificate, the self-signed root$/,
    ],
    [
      'whose ca.crt holds a certificate that is not self-signed',
      () => withData(one, { 'ca.crt': b64(pemOf(one.certificate)) }),
      /^ca\.crt must hold one certificate, the self-signed root$/,
    ],
    ['whose root is cross-signed by a third party', crossSigned, /^ca\.crt must hold one certificate, the self-signed root$/],
    [
      'whose ca.crt holds another root',
      () => withData(one, { 'ca.crt': b64(pemOf(other.root)) }),
      /^order: certificate 1 \(CN=Example Policy CA\) is not issued by certificate 2 \(CN=Other Root\)$/,
    ],
    [
      'whose ca.crt holds an impostor of its root',
      impostor,
      /^signature: the signature of CN=Example Policy CA is not by the key of CN=Example Root$/,
    ],

    [
      'below a root that allows none below it',
      tooDeep,
      /^pathLength: CN=Example Root allows 0 intermediate certificates below it, there are 1$/,
    ],
    ['that is a leaf', () => made({ recipe: leafLike }), /^basicConstraints: CN=Example Policy CA is no CA$/],
    [
      'that may not sign certificates',
      () => made({ recipe: { keyUsage: KeyUsageFlags.cRLSign } }),
      /^keyUsage: CN=Example Policy CA may not sign certificates/,
    ],
    [
      'that is limited to servers',
      () => made({ recipe: { extKeyUsage: ['1.3.6.1.5.5.7.3.1'] } }),
      /^extKeyUsage: .*serverAuth and clientAuth are needed$/,
    ],
    [
      'that was signed with SHA-1',
      async () => {
        const certificate = await oddCertificate({ key: legacy, subject: 'Legacy Root' })
        const below = await oddCertificate({
          key: one.keyPair,
          subject: 'Old CA',
          signer: { certificate, privateKey: legacy.privateKey },
          hash: 'SHA-1',
        })
        return withData(one, { 'tls.crt': b64(pemOf(below)), 'ca.crt': b64(pemOf(certificate)) })
      },
      /^signatureAlgorithm: CN=Old CA is signed with 1\.2\.840\.113549\.1\.1\.5, which is not accepted$/,
    ],
  ])('%s, and says why', async (_what, make, problem) => {
    expect(readCaPair(await make()).problem).toMatch(problem)
  })
})

const rsaRoot = await oddCertificate({ key: legacy, subject: 'RSA Root' })
const rsa: CorporateCa = { certificate: rsaRoot, issuers: [], root: rsaRoot, keyPair: legacy as unknown as KeyPair }

describe('a key of another form', () => {
  it.each<[string, () => RawStored]>([
    ['PKCS#1, as openssl genrsa -traditional writes it', () => withData(rsa, { 'tls.key': b64(pemKey(rsa, 'pkcs1')) })],
    ['SEC1, as cert-manager writes it', () => tlsKey(pemKey(one, 'sec1'))],
    ['PKCS#8', () => tlsKey(pemKey(one, 'pkcs8'))],
    ['PKCS#8 with CRLF', () => tlsKey(keyPem(one).replaceAll('\n', '\r\n'))],
  ])('is taken: %s', (_what, make) => {
    expect(readCaPair(make()).problem).toBeUndefined()
  })
})

describe('the trust domain that a CA names', () => {
  it.each<[string, string[] | undefined, string | undefined]>([
    ['is that of its URI', ['spiffe://example.org'], 'example.org'],
    ['is none without a URI', undefined, undefined],
    ['is none by a URI of another scheme', ['https://example.org'], undefined],
  ])('%s', async (_what, uris, expected) => {
    const names = uris?.map((value) => ({ type: 'url', value }) as const)
    expect(spiffeTrustDomain(await oddCertificate({ ...(names ? { names } : {}) }))).toBe(expected)
  })
  it('is none where there is no certificate', () => {
    expect(spiffeTrustDomain(undefined)).toBeUndefined()
  })
})

describe('whatever a Secret holds', () => {
  const parts = [pemOf(one.certificate), pemOf(one.root), pemOf(two.certificate, ...two.issuers), keyPem(one), keyPem(two), 'garbage', '']
  const field = fc.oneof(
    fc.constant(undefined),
    fc.string(),
    fc.array(fc.constantFrom(...parts), { maxLength: 3 }).map((texts) => b64(texts.join(''))),
  )
  const anything = fc.record({ 'tls.crt': field, 'tls.key': field, 'ca.crt': field })

  it('it is read without an exception: what cannot sign has a problem, and what has none has all its parts', () => {
    fc.assert(
      fc.property(anything, (data) => {
        const pair = readCaPair(withData(one, data))
        return pair.problem !== undefined || (pair.certificate !== undefined && pair.root?.selfSigned === true)
      }),
    )
  })

  it('no problem repeats a piece of a key', () => {
    const hidden = keyDetector([keyPem(one), keyPem(two)])
    fc.assert(fc.property(anything, (data) => hidden(readCaPair(withData(one, data)).problem ?? '') === undefined))
  })

  it('the Secret itself stays as it is, though the key is looked at', () => {
    const secret = sourceSecret(one)
    readCaPair(secret)
    expect(secret).toEqual(sourceSecret(one, { metadata: { resourceVersion: secret.metadata.resourceVersion ?? '' } }))
  })
})
