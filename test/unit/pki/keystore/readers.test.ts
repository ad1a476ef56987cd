// Keys and chains of every kind, taken out of the stores again by the programs that will read them. One file, so that RSA keys are made once.

import type { KeyObject } from 'node:crypto'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { systemRandom } from '../../../../src/base/random.ts'
import type { Certificate } from '../../../../src/pki/certificate.ts'
import { KEY_TYPES, type KeyType, privateKeyPem } from '../../../../src/pki/keys.ts'
import type { KeyStoreContent } from '../../../../src/pki/keystore/content.ts'
import { jksKeyStore } from '../../../../src/pki/keystore/jks.ts'
import { pkcs12KeyStore } from '../../../../src/pki/keystore/pkcs12.ts'
import { type Signer, signLeaf } from '../../../../src/pki/sign.ts'
import { aSigner, keyOf, leafProfile, NOW, oddCertificate, subjectKeyOf } from '../../../support/certificates.ts'
import { keyDetector } from '../../../support/key-detector.ts'
import { itWithJava, javaEntries, javaKey, opensslKey } from '../../../support/keystore-readers.ts'

const PASSWORD = 'correct horse battery staple'

let signer: Signer
beforeAll(async () => {
  signer = await aSigner()
})

async function contentOf(type: KeyType, chain?: readonly Certificate[]): Promise<KeyStoreContent> {
  const pair = await keyOf(type, 'leaf')
  const leaf = await signLeaf(leafProfile({ keyType: type }), subjectKeyOf(pair), signer, NOW, systemRandom)
  const privateKey = pair.privateKey.export({ format: 'der', type: 'pkcs8' })
  return { alias: 'certificate', privateKey, chain: chain ?? [leaf], password: PASSWORD }
}

/** Leaf and four intermediates, each signed by the next. */
async function longChain(): Promise<Certificate[]> {
  const chain: Certificate[] = []
  let above: Signer | undefined
  for (const subject of ['root', 'four', 'three', 'two', 'one']) {
    const key = await keyOf('ECDSAP256', subject)
    const certificate: Certificate = await oddCertificate({ key, subject, ...(above ? { signer: above } : {}) })
    if (above) chain.unshift(certificate)
    above = { certificate, privateKey: key.privateKey }
  }
  return [await signLeaf(leafProfile(), subjectKeyOf(await keyOf('ECDSAP256', 'leaf')), above as Signer, NOW, systemRandom), ...chain]
}

const pkcs8Of = (key: KeyObject | undefined) => key?.export({ format: 'der', type: 'pkcs8' })
const ders = (chain: readonly Certificate[]): Buffer[] => chain.map(({ der }) => der)

describe('a key of', () => {
  it.each(KEY_TYPES)(
    '%s comes out of PKCS#12 by OpenSSL as it went in',
    async (type) => {
      const content = await contentOf(type)
      const { key, certificates, text } = await opensslKey(await pkcs12KeyStore(content, systemRandom), PASSWORD)
      expect(pkcs8Of(key)).toEqual(content.privateKey)
      expect(certificates).toEqual(ders(content.chain))
      expect(text.match(/PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256/g)).toHaveLength(2)
      expect(text).toContain('MAC: sha256, Iteration 10000')
    },
    60_000,
  )

  itWithJava.each(KEY_TYPES)(
    '%s comes out of JKS by Java as it went in',
    async (type) => {
      const content = await contentOf(type)
      const { key, certificates } = await javaKey(jksKeyStore({ ...content, createdAt: NOW }, systemRandom), 'JKS', PASSWORD)
      expect(pkcs8Of(key)).toEqual(content.privateKey)
      expect(certificates).toEqual(ders(content.chain))
    },
    60_000,
  )

  itWithJava.each(['ECDSAP256', 'ED25519', 'RSA4096'] as const)(
    '%s comes out of PKCS#12 by Java as it went in',
    async (type) => {
      const content = await contentOf(type)
      const { key, certificates } = await javaKey(await pkcs12KeyStore(content, systemRandom), 'PKCS12', PASSWORD)
      expect(pkcs8Of(key)).toEqual(content.privateKey)
      expect(certificates).toEqual(ders(content.chain))
    },
    60_000,
  )

  it.each(KEY_TYPES)('%s stands in no store in the clear', async (type) => {
    const content = await contentOf(type)
    const stores = [await pkcs12KeyStore(content, systemRandom), jksKeyStore({ ...content, createdAt: NOW }, systemRandom)]
    const find = keyDetector([privateKeyPem(content.privateKey)])
    // That the detector finds what it should, shown by the store in which the key is plain.
    expect(find(Buffer.concat([Buffer.from('head'), content.privateKey]).toString('base64'))).toBeDefined()
    for (const store of stores) {
      expect(find(store.toString('base64'))).toBeUndefined()
      expect(find(store.toString('hex'))).toBeUndefined()
      expect(find(store.toString('latin1'))).toBeUndefined()
    }
  })
})

describe('a chain of five certificates', () => {
  it('comes out of PKCS#12 by OpenSSL in its order', async () => {
    const content = await contentOf('ECDSAP256', await longChain())
    expect(content.chain).toHaveLength(5)
    const { certificates } = await opensslKey(await pkcs12KeyStore(content, systemRandom), PASSWORD)
    expect(certificates).toEqual(ders(content.chain))
  })

  itWithJava('comes out of both formats by Java in its order, as one entry', async () => {
    const content = await contentOf('ECDSAP256', await longChain())
    const expected = [{ alias: 'certificate', type: 'PrivateKeyEntry', certificates: ders(content.chain) }]
    expect(await javaEntries(await pkcs12KeyStore(content, systemRandom), 'PKCS12', PASSWORD)).toEqual(expected)
    expect(await javaEntries(jksKeyStore({ ...content, createdAt: NOW }, systemRandom), 'JKS', PASSWORD)).toEqual(expected)
  })
})
