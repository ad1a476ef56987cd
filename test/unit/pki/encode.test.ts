// The encoder against @peculiar/x509: the same content must give the same octets.
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { Certificate } from '../../../src/pki/certificate.ts'
import { readElement, readElements, TAG } from '../../../src/pki/der.ts'
import { parseDnsName } from '../../../src/pki/dns-name.ts'
import { generateLeafKey, KEY_TYPES, type KeyType } from '../../../src/pki/keys.ts'
import { createRoot, signLeaf } from '../../../src/pki/sign.ts'
import { fixedRandom, KeyUsageFlags, keyOf, leafProfile, NOW, oddDer, rootProfile } from '../../support/certificates.ts'

const HASHES: Partial<Record<KeyType, string>> = { ECDSAP384: 'SHA-384', ECDSAP521: 'SHA-512' }

/** What is signed; ECDSA signatures differ each time. */
const signedPart = (der: Buffer): Buffer => (readElements(readElement(der, TAG.sequence, 'it').content, 'it')[0] as { whole: Buffer }).whole

const isRandomised = (type: KeyType): boolean => type.startsWith('ECDSA')

function expectSame(type: KeyType, ours: Certificate, theirs: Buffer): void {
  expect(signedPart(ours.der).toString('hex')).toBe(signedPart(theirs).toString('hex'))
  if (!isRandomised(type)) expect(ours.der.toString('hex')).toBe(theirs.toString('hex'))
}

describe('our encoder', () => {
  it.each(KEY_TYPES)(
    'writes a leaf with a key of %s as the library does',
    async (keyType) => {
      const signerType: KeyType = keyType === 'ECDSAP256' ? 'ED25519' : keyType
      const signerKey = await keyOf(signerType, 'signer')
      const signer = {
        certificate: await createRoot(rootProfile({ keyType: signerType }), signerKey, NOW, fixedRandom(1)),
        privateKey: signerKey.privateKey,
      }
      const { publicKey, privateKey } = await generateLeafKey(keyType)
      const key = {
        publicKey: createPublicKey({ key: publicKey.der, format: 'der', type: 'spki' }),
        privateKey: createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' }),
      }
      const names = Array.from({ length: 30 }, (_, index) => `s${index + 10}.shop.svc.cluster.local`)
      const profile = leafProfile({ keyType, dnsNames: names.map((name) => parseDnsName(name)) })
      const leaf = await signLeaf(profile, publicKey, signer, NOW, fixedRandom(0x7f))
      const theirs = await oddDer({
        key,
        signer,
        subject: '',
        serialNumber: `01${'7f'.repeat(16)}`,
        notBefore: leaf.notBefore,
        notAfter: leaf.notAfter,
        ca: false,
        keyUsage: KeyUsageFlags.digitalSignature | (keyType.startsWith('RSA') ? KeyUsageFlags.keyEncipherment : 0),
        extKeyUsage: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'],
        subjectKeyID: leaf.subjectKeyID ?? '',
        names: [{ type: 'url', value: profile.spiffeId.uri }, ...names.map((value) => ({ type: 'dns', value }) as const)],
        hash: HASHES[signerType] ?? 'SHA-256',
      })
      expectSame(signerType, leaf, theirs)
    },
    60_000,
  )
})
