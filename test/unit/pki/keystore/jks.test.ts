import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { systemRandom } from '../../../../src/base/random.ts'
import type { Certificate } from '../../../../src/pki/certificate.ts'
import type { KeyStoreContent } from '../../../../src/pki/keystore/content.ts'
import { jksKeyStore, jksTrustStore } from '../../../../src/pki/keystore/jks.ts'
import { utf } from '../../../../src/pki/keystore/jks-primitives.ts'
import { aLeaf, aSigner, fixedRandom, NOW, oddCertificate } from '../../../support/certificates.ts'
import { itWithJava, javaEntries, javaKey, readJks } from '../../../support/keystore-readers.ts'

const PASSWORD = 'changeit'

let content: KeyStoreContent
let pkcs8: Buffer
let roots: readonly Certificate[]
beforeAll(async () => {
  const signer = await aSigner()
  const { certificate, keyPair } = await aLeaf(signer)
  pkcs8 = keyPair.privateKey.export({ format: 'der', type: 'pkcs8' })
  content = { alias: 'certificate', privateKey: Buffer.from(pkcs8), chain: [certificate, signer.certificate], password: PASSWORD }
  roots = [signer.certificate, await oddCertificate({ subject: 'one' }), await oddCertificate({ subject: 'two' })]
})

const keyStore = (change: Partial<KeyStoreContent> = {}, random = systemRandom): Buffer =>
  jksKeyStore({ ...content, createdAt: NOW, ...change }, random)

const trustStore = (aliases: readonly string[], password = PASSWORD): Buffer => {
  const anchors = aliases.map((alias, index) => ({ alias, certificate: roots[index % roots.length] as Certificate }))
  return jksTrustStore({ anchors, password, createdAt: NOW })
}

/** Text of any characters but control characters, which are refused. */
const text = (minLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: 'binary', minLength, maxLength: 30 }).filter((value) => !/\p{Cc}|\ufffd/u.test(value))

describe('a JKS keystore', () => {
  it('gives back key, chain, alias and time, by any password and alias', () => {
    fc.assert(
      fc.property(text(6), text(1), (password, alias) => {
        const [entry, ...rest] = readJks(keyStore({ password, alias }), password)
        expect(rest).toEqual([])
        expect(entry?.alias).toBe(alias.toLowerCase())
        expect(entry?.createdAt).toBe(NOW)
        expect(entry?.key?.equals(pkcs8)).toBe(true)
        expect(entry?.certificates).toEqual(content.chain.map(({ der }) => der))
      }),
    )
  })

  it('does not open by another password', () => {
    fc.assert(
      fc.property(text(6), text(6), (password, other) => {
        fc.pre(password !== other)
        const store = keyStore({ password })
        expect(() => readJks(store, other)).toThrow('the digest is wrong')
      }),
    )
  })

  it('does not open once a bit of it is another', () => {
    const store = keyStore()
    fc.assert(
      fc.property(fc.nat(store.length - 1), fc.nat(7), (at, bit) => {
        const changed = Buffer.from(store)
        changed[at] = (changed[at] ?? 0) ^ (1 << bit)
        expect(() => readJks(changed, PASSWORD)).toThrow('the digest is wrong')
      }),
    )
  })

  it('draws one salt of 20 bytes, and hides the same key differently each time', () => {
    expect(keyStore({}, fixedRandom(1))).toEqual(keyStore({}, fixedRandom(1)))
    expect(keyStore({}, fixedRandom(1)).includes(Buffer.alloc(20, 1))).toBe(true)
    expect(keyStore()).not.toEqual(keyStore())
  })

  it('leaves the key it was given as it is, for its owner to zero', () => {
    keyStore()
    expect(content.privateKey).toEqual(pkcs8)
  })

  it('needs a certificate', () => {
    expect(() => keyStore({ chain: [] })).toThrow('a keystore needs a certificate')
  })

  itWithJava('opens for Java by a password beyond ASCII, under an alias beyond it', async () => {
    const password = 'pässwört 根😀'
    const store = keyStore({ password, alias: 'İstanbul 😀' })
    const { key } = await javaKey(store, 'JKS', password)
    expect(key?.export({ format: 'der', type: 'pkcs8' })).toEqual(pkcs8)
    expect((await javaEntries(store, 'JKS', password)).map(({ alias }) => alias)).toEqual(['i̇stanbul 😀'])
  })

  itWithJava('does not open for Java by another password or with a bit changed', async () => {
    const store = keyStore()
    await expect(javaEntries(store, 'JKS', 'changeme')).rejects.toThrow('password was incorrect')
    store[store.length >> 1] = (store[store.length >> 1] ?? 0) ^ 1
    await expect(javaEntries(store, 'JKS', PASSWORD)).rejects.toThrow('keytool error')
  })
})

describe('a JKS truststore', () => {
  it('holds the anchors in their order, and nothing random', () => {
    const entries = readJks(trustStore(['a', 'b', 'c']), PASSWORD)
    expect(entries.map(({ alias }) => alias)).toEqual(['a', 'b', 'c'])
    expect(entries.map(({ certificates }) => certificates)).toEqual(roots.map(({ der }) => [der]))
    expect(entries.every(({ key, createdAt }) => key === undefined && createdAt === NOW)).toBe(true)
    expect(trustStore(['a', 'b', 'c'])).toEqual(trustStore(['a', 'b', 'c']))
  })

  itWithJava('holds entries that Java trusts, under their aliases in small letters', async () => {
    const aliases = ['Root A', 'Ünïcode 根', '😀', 'quo"te\\', 'x'.repeat(255)]
    const entries = await javaEntries(trustStore(aliases), 'JKS', PASSWORD)
    expect(entries.map(({ alias }) => alias).toSorted()).toEqual(aliases.map((alias) => alias.toLowerCase()).toSorted())
    expect(entries.every(({ type }) => type === 'trustedCertEntry')).toBe(true)
    const root = entries.find(({ alias }) => alias === 'root a')
    expect(root?.certificates).toEqual([roots[0]?.der])
  })

  it('needs an anchor', () => {
    expect(() => trustStore([])).toThrow('a truststore needs an anchor')
  })
})

describe('modified UTF-8', () => {
  // java.io.DataInput: one octet to U+007F but U+0000, two to U+07FF, three for each other UTF-16 unit.
  it.each([
    ['a', '000161'],
    ['\u0000', '0002c080'],
    ['\u007f\u0080', '00037fc280'],
    ['\u07ff', '0002dfbf'],
    ['\u0800', '0003e0a080'],
    ['\uffff', '0003efbfbf'],
    ['😀', '0006eda0bdedb880'],
    ['', '0000'],
  ])('of %j is %s', (value, hex) => {
    expect(utf(value).toString('hex')).toBe(hex)
  })

  it('has no room for more than 65,535 octets', () => {
    expect(utf('x'.repeat(65_535))).toHaveLength(65_537)
    expect(() => utf('x'.repeat(65_536))).toThrow('out of range')
  })
})
