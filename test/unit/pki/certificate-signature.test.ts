// Signatures are verified over octets; the judge is OpenSSL's own verification of the whole certificate, which must always say the same.
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { makeBundle } from '../../../src/pki/bundle.ts'
import { type Certificate, isSignedBy, readCertificate, readOwnLeaf } from '../../../src/pki/certificate.ts'
import { SIGNATURES, verifySignature } from '../../../src/pki/certificate-signature.ts'
import { bitString, element, oid, sequence } from '../../../src/pki/der-writer.ts'
import { KEY_TYPES, type KeyType } from '../../../src/pki/keys.ts'
import { checkIssued } from '../../../src/pki/verify.ts'
import { aLeaf, aSigner, type KeyLike, keyOf, NOW, oddCertificate, rsaOf, subjectKeyOf } from '../../support/certificates.ts'
import { accepted, refused } from '../../support/refusals.ts'

/** A CA's certificate, signed by itself. */
interface Case {
  readonly name: string
  readonly key: KeyLike
  readonly certificate: Certificate
}

const cases: Case[] = []

beforeAll(async () => {
  const add = async (name: string, key: KeyLike, hash: string) =>
    void cases.push({ name, key, certificate: await oddCertificate({ key, hash, subject: 'CA' }) })
  const rsa = rsaOf(2048)
  for (const hash of ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']) {
    await add(`RSA ${hash}`, rsa, hash)
    await add(`P-256 ${hash}`, await keyOf('ECDSAP256'), hash)
    await add(`P-384 ${hash}`, await keyOf('ECDSAP384'), hash)
  }
  await add('Ed25519', await keyOf('ED25519'), 'SHA-256')
})

/** What OpenSSL says of the whole. */
const byOpenssl = (child: Certificate, issuer: Certificate): boolean => new X509Certificate(child.der).verify(issuer.x509.publicKey)

const certificateOf = (name: string): Certificate => (cases.find((one) => one.name === name) as Case).certificate

/** `certificate` as its signer would have written it with another identifier of the algorithm; the signature is none. */
function withAlgorithm({ signed }: Certificate, identifier: Buffer, signature = signed.signature.subarray(1)): Certificate {
  const parts = signed.content.subarray(signed.content[1] === 0x82 ? 4 : 3)
  const at = parts.indexOf(signed.algorithm)
  const content = sequence(parts.subarray(0, at), identifier, parts.subarray(at + signed.algorithm.length))
  return readCertificate(sequence(content, identifier, bitString(signature)))
}

describe('a signature', () => {
  it('verifies by the key that made it and by no other, whatever kinds the two are of', () => {
    const verdicts: boolean[] = []
    for (const { certificate: child } of cases) {
      for (const { certificate: issuer } of cases) {
        const verdict = isSignedBy(child, issuer)
        expect(verdict).toBe(byOpenssl(child, issuer))
        verdicts.push(verdict)
      }
    }
    // Each by its own key: 4 x 4 of each of the three, and Ed25519.
    expect(verdicts.filter(Boolean)).toHaveLength(3 * 16 + 1)
  })

  it('is decided without decoding the certificate for the algorithms of the table, and for no others', async () => {
    const key = (await keyOf('ECDSAP256')).publicKey
    expect(verifySignature(certificateOf('P-256 SHA-256').signed, key)).toBe(true)
    expect(verifySignature(certificateOf('P-256 SHA-1').signed, key)).toBeUndefined()
    expect(certificateOf('P-256 SHA-1').x509.verify(key)).toBe(true)
  })

  it('with a bit changed, here or in what is signed, verifies where OpenSSL says so, which is nowhere', () => {
    let read = 0
    fc.assert(
      fc.property(fc.nat(cases.length - 1), fc.nat(2000), fc.nat(7), (which, at, bit) => {
        const { certificate } = cases[which] as Case
        const der = Buffer.from(certificate.der)
        der[at % der.length] = (der[at % der.length] as number) ^ (1 << bit)
        const child = accepted(() => readCertificate(der))
        if (!child) return
        read++
        expect([isSignedBy(child, certificate), byOpenssl(child, certificate)]).toEqual([false, false])
      }),
      { numRuns: 3000 },
    )
    expect(read).toBeGreaterThan(300)
  })

  it('says nothing under the name of another algorithm', () => {
    for (const { certificate } of cases) {
      for (const { identifier } of Object.values(SIGNATURES)) {
        if (identifier.equals(certificate.signed.algorithm)) continue
        const child = withAlgorithm(certificate, identifier)
        expect([isSignedBy(child, certificate), byOpenssl(child, certificate)]).toEqual([false, false])
      }
    }
  })

  it.each([
    ['P-256 SHA-256', sequence(oid('1.2.840.10045.4.3.2'), element(0x05))],
    ['RSA SHA-256', sequence(oid('1.2.840.113549.1.1.11'))],
    ['Ed25519', sequence(oid('1.3.101.112'), element(0x05))],
  ])('of %s with parameters that are not those of the RFC is left to OpenSSL', (name, identifier) => {
    const issuer = certificateOf(name)
    const child = withAlgorithm(issuer, identifier)
    expect(child.signatureAlgorithm).toBe(issuer.signatureAlgorithm)
    expect(verifySignature(child.signed, issuer.x509.publicKey)).toBeUndefined()
    expect(isSignedBy(child, issuer)).toBe(byOpenssl(child, issuer))
  })

  it('that is not of whole octets verifies nowhere', () => {
    for (const { certificate } of cases.filter(({ name }) => !name.endsWith('SHA-1'))) {
      const { content, algorithm } = certificate.signed
      const signature = Buffer.from(certificate.signed.signature)
      signature[0] = 1
      const der = sequence(content, algorithm, element(0x03, signature))
      const { publicKey } = certificate.x509
      expect([verifySignature({ content, algorithm, signature }, publicKey), new X509Certificate(der).verify(publicKey)]).toEqual([
        false,
        false,
      ])
    }
  })

  it('of an issuer whose key is of a kind that signs nothing does not verify, and nothing is thrown', () => {
    const child = certificateOf('P-256 SHA-256')
    const issuer = { x509: { publicKey: generateKeyPairSync('x25519').publicKey } as unknown as X509Certificate }
    expect(isSignedBy(child, issuer)).toBe(false)
  })
})

describe('a leaf of our own', () => {
  it.each(KEY_TYPES)(
    'with a key of %s is read as everybody else reads it',
    async (keyType: KeyType) => {
      const { certificate } = await aLeaf(await aSigner(), { profile: { keyType } })
      // It is made when it is asked for.
      expect([Object.hasOwn(certificate, 'x509'), 'x509' in certificate]).toEqual([false, true])
      const { x509, ...read } = readCertificate(certificate.der)
      const { x509: own, ...ours } = certificate
      expect(ours).toEqual(read)
      expect([own.fingerprint256, certificate.x509]).toEqual([x509.fingerprint256, own])
    },
    60_000,
  )

  it('whose signature is another is refused, like one of the wrong key', async () => {
    const signer = await aSigner()
    const { certificate, keyPair, profile } = await aLeaf(signer)
    const bundle = makeBundle([signer.certificate], NOW)
    const verdictOf = (der: Buffer) => checkIssued(profile, subjectKeyOf(keyPair), [readOwnLeaf(der)], bundle, NOW)
    expect(verdictOf(certificate.der)).toEqual({ ok: true })
    const changed = Buffer.from(certificate.der)
    changed[changed.length - 1] = (changed.at(-1) as number) ^ 1
    expect(verdictOf(changed)).toMatchObject({ ok: false, rule: 'signature' })
    const other = { ...signer, privateKey: (await keyOf('ECDSAP256', 'stranger')).privateKey }
    const forged = await oddCertificate({ key: keyPair, signer: other, subject: '' })
    expect(isSignedBy(readOwnLeaf(forged.der), signer.certificate)).toBe(false)
  })

  it('is read as strictly as any other; what only OpenSSL refuses is refused at once in those of others', async () => {
    const { certificate } = await aLeaf(await aSigner())
    expect(refused(() => readOwnLeaf(certificate.der.subarray(0, -1)))).toMatch(/cut off/)
    // A point that is not on the curve.
    const off = Buffer.from(certificate.der)
    const point = off.indexOf(certificate.publicKeyDer) + certificate.publicKeyDer.length - 1
    off[point] = (off[point] as number) ^ 1
    expect(refused(() => readCertificate(off))).toMatch(/its public key is of no known kind/)
    expect(() => readOwnLeaf(off).x509.publicKey).toThrow()
  })
})
