import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { systemRandom } from '../../../../src/base/random.ts'
import type { Certificate } from '../../../../src/pki/certificate.ts'
import { readElement, readElements, TAG } from '../../../../src/pki/der.ts'
import type { KeyStoreContent, TrustStoreContent } from '../../../../src/pki/keystore/content.ts'
import { pkcs12KeyStore, pkcs12TrustStore } from '../../../../src/pki/keystore/pkcs12.ts'
import { aLeaf, aSigner, fixedRandom, oddCertificate } from '../../../support/certificates.ts'
import { itWithJava, javaEntries, opensslKey } from '../../../support/keystore-readers.ts'

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

const keyStore = (change: Partial<KeyStoreContent> = {}, random = systemRandom): Promise<Buffer> =>
  pkcs12KeyStore({ ...content, ...change }, random)

const trustStore = (change: Partial<TrustStoreContent> = {}): Promise<Buffer> => {
  const anchors = roots.map((certificate, index) => ({ alias: `ca-${index + 1}`, certificate }))
  return pkcs12TrustStore({ anchors, password: PASSWORD, ...change }, systemRandom)
}

/** Node's TLS, which is OpenSSL: throws when the store cannot be read. */
const open = (pfx: Buffer, passphrase: string): unknown => createSecureContext({ pfx, passphrase })

describe('a PKCS#12 keystore', () => {
  it('names key and leaf alike, and nothing else', async () => {
    const { text } = await opensslKey(await keyStore({ alias: 'web' }), PASSWORD)
    expect(text.match(/friendlyName: web\n/g)).toHaveLength(2)
    const ids = text.match(/localKeyID: .*/g)
    expect(ids).toHaveLength(2)
    expect(new Set(ids).size).toBe(1)
    expect(text).toContain('Bag Attributes: <No Attributes>')
  })

  it('opens by its password only, whatever signs and letters that has', () =>
    fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary-ascii', minLength: 6, maxLength: 40 }).filter(isPrintable), async (password) => {
        const store = await keyStore({ password })
        open(store, password)
        expect(() => open(store, `${password}.`)).toThrow('mac verify failure')
        expect(() => open(store, password.slice(1))).toThrow('mac verify failure')
      }),
      { numRuns: 20 },
    ))

  it('does not open once a bit of what its MAC covers is another, or of the MAC', async () => {
    const store = await keyStore()
    const [from, to] = safeOf(store)
    const mac = store.subarray(to).indexOf(Buffer.of(0x04, 0x20)) + to + 2
    const covered = fc.oneof(fc.integer({ min: from, max: to - 1 }), fc.integer({ min: mac, max: mac + 31 }))
    open(store, PASSWORD)
    fc.assert(
      fc.property(covered, fc.nat(7), (at, bit) => {
        const changed = Buffer.from(store)
        changed[at] = (changed[at] ?? 0) ^ (1 << bit)
        expect(() => open(changed, PASSWORD)).toThrow('mac verify failure')
      }),
      { numRuns: 60 },
    )
  })

  it('is DER throughout: no indefinite lengths, which strict readers refuse', async () => {
    for (const store of [await keyStore(), await trustStore()]) {
      expect(countElements(readElement(store, TAG.sequence, 'the store').content)).toBeGreaterThan(20)
    }
  })

  it('draws its salts and initialisation vectors from the given randomness and from nothing else', async () => {
    const drawn: number[] = []
    const counting = { ...fixedRandom(7), bytes: (count: number) => new Uint8Array(count).fill(drawn.push(count)) }
    const first = await keyStore({}, counting)
    expect(drawn).toEqual([16, 64, 16, 64, 64])
    drawn.length = 0
    expect(await keyStore({}, counting)).toEqual(first)
    expect(await keyStore()).not.toEqual(await keyStore())
  })

  it('leaves the key it was given as it is, for its owner to zero', async () => {
    await keyStore()
    expect(content.privateKey).toEqual(pkcs8)
  })

  it('needs a certificate', async () => {
    await expect(keyStore({ chain: [] })).rejects.toThrow('a keystore needs a certificate')
  })

  itWithJava('does not open for Java by another password or with a bit changed', async () => {
    const store = await keyStore()
    await expect(javaEntries(store, 'PKCS12', 'changeme')).rejects.toThrow('keystore password was incorrect')
    store[store.length >> 1] = (store[store.length >> 1] ?? 0) ^ 1
    await expect(javaEntries(store, 'PKCS12', PASSWORD)).rejects.toThrow('keytool error')
  })

  it('does not open for OpenSSL by another password', async () => {
    await expect(opensslKey(await keyStore(), 'changeme')).rejects.toThrow('invalid password')
  })
})

describe('a PKCS#12 truststore', () => {
  it('holds the anchors in their order, and no key', async () => {
    const { key, certificates } = await opensslKey(await trustStore(), PASSWORD)
    expect(key).toBeUndefined()
    expect(certificates).toEqual(roots.map(({ der }) => der))
  })

  itWithJava('holds entries that Java trusts, under their aliases in small letters', async () => {
    const aliases = ['Root A', 'Ünïcode 根', '😀', 'quo"te\\', 'x'.repeat(255)]
    const anchors = aliases.map((alias, index) => ({ alias, certificate: roots[index % roots.length] as Certificate }))
    const entries = await javaEntries(await trustStore({ anchors }), 'PKCS12', PASSWORD)
    const expected = anchors.map(({ alias, certificate }) => ({
      alias: alias.toLowerCase(),
      type: 'trustedCertEntry',
      certificates: [certificate.der],
    }))
    expect(byAlias(entries)).toEqual(byAlias(expected))
  })

  it('needs an anchor', async () => {
    await expect(trustStore({ anchors: [] })).rejects.toThrow('a truststore needs an anchor')
  })
})

it('the library is loaded when the first store is made', () => {
  const file = join(import.meta.dirname, '../../../../src/pki/keystore/pkcs12.ts')
  // pkijs leaves its engine under the number of the process in the global object.
  const script = `await import(${JSON.stringify(file)}); const before = process.pid in globalThis
    await import('pkijs'); console.log(before, process.pid in globalThis)`
  const args = ['--disable-warning=ExperimentalWarning', '--experimental-strip-types', '--input-type=module', '--eval', script]
  expect(execFileSync(process.execPath, args, { encoding: 'utf8', cwd: import.meta.dirname })).toBe('false true\n')
})

const isPrintable = (text: string): boolean => /^[ -~]*$/.test(text)

const byAlias = <T extends { readonly alias: string }>(entries: readonly T[]): T[] =>
  entries.toSorted((one, other) => (one.alias < other.alias ? -1 : 1))

/** Where the authenticated safe begins and ends: RFC 7292 section 4, the content of authSafe. */
function safeOf(store: Buffer): [number, number] {
  const [, authSafe] = readElements(readElement(store, TAG.sequence, 'the store').content, 'the store')
  const [, wrapped] = readElements(authSafe?.content as Buffer, 'authSafe')
  const { content: safe } = readElement(wrapped?.content as Buffer, TAG.octetString, 'the safe')
  const from = safe.byteOffset - store.byteOffset
  return [from, from + safe.length]
}

/** All elements inside, also those within the octet strings that hold the unencrypted parts. Throws where something is not DER. */
function countElements(content: Buffer): number {
  const elements = readElements(content, 'the store')
  const counts = elements.map((element) => 1 + (isConstructed(element.tag) ? countElements(element.content) : insideOctets(element)))
  return counts.reduce((sum, count) => sum + count, 0)
}

const isConstructed = (tag: number): boolean => (tag & 0x20) !== 0

/** The safes are OCTET STRINGs that begin with a SEQUENCE of exactly their size. */
function insideOctets({ tag, content }: { tag: number; content: Buffer }): number {
  const isSafe =
    tag === TAG.octetString && content[0] === TAG.sequence && content[1] === 0x82 && content.readUInt16BE(2) + 4 === content.length
  return isSafe ? countElements(content) : 0
}
