import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { OperatorError } from '../../../src/base/errors.ts'
import { generateKeyPair, KEY_TYPES, keyTypeOf, parsePrivateKey, publicKeyHash, renderPrivateKey } from '../../../src/pki/keys.ts'
import { formatPem } from '../../../src/pki/pem.ts'
import { keyOf, rsaOf } from '../../support/certificates.ts'
import { refusalOf, refused } from '../../support/refusals.ts'

const pem = (key: KeyObject, options: object): string =>
  key.export({ format: 'pem', ...options } as { format: 'pem'; type: 'pkcs8' }) as string

/** A DER element of any length below 64 KiB. */
function elementOf(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...size), content])
}

describe('a key pair', () => {
  it.each(KEY_TYPES)(
    'of %s is made, rendered and read back',
    async (type) => {
      const { privateKey, publicKey } = await generateKeyPair(type)
      const text = renderPrivateKey(privateKey)
      expect(text.toString()).toBe(pem(privateKey, { type: 'pkcs8' }))
      const back = parsePrivateKey(text)
      expect(back.equals(privateKey)).toBe(true)
      expect([keyTypeOf(back), keyTypeOf(publicKey)]).toEqual([type, type])
      expect(publicKeyHash(back)).toBe(publicKeyHash(publicKey))
    },
    60_000,
  )

  it('is another one each time', async () => {
    const [a, b] = await Promise.all([generateKeyPair('ED25519'), generateKeyPair('ED25519')])
    expect(publicKeyHash(a.publicKey)).not.toBe(publicKeyHash(b.publicKey))
  })

  it('is not made on the main thread', async () => {
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    await generateKeyPair('RSA3072')
    clearInterval(timer)
    expect(turns).toBeGreaterThan(2)
  })
})

describe('the type of a key', () => {
  it.each([
    ['RSA of 1024 bits', () => rsaOf(1024).privateKey],
    ['RSA of 2048 bits', () => rsaOf(2048).privateKey],
    ['EC on another curve', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey],
    ['X25519', () => generateKeyPairSync('x25519').publicKey],
    ['Ed448', () => generateKeyPairSync('ed448').publicKey],
    ['RSA-PSS', () => generateKeyPairSync('rsa-pss', { modulusLength: 3072 }).publicKey],
  ])('is undefined for %s', (_name, make) => {
    expect(keyTypeOf(make())).toBeUndefined()
  })
})

describe('a private key', () => {
  it.each([
    ['ECDSAP256', 'sec1'],
    ['ECDSAP521', 'sec1'],
    ['RSA3072', 'pkcs1'],
  ] as const)('of %s is read from %s, as text and as bytes', async (type, form) => {
    const { privateKey } = await keyOf(type)
    const text = pem(privateKey, { type: form })
    expect(parsePrivateKey(text).equals(privateKey)).toBe(true)
    expect(parsePrivateKey(Buffer.from(text)).equals(privateKey)).toBe(true)
  })

  it('of RSA with 2048 bits is read, since CAs of others have such', () => {
    const { privateKey } = rsaOf(2048)
    expect(parsePrivateKey(pem(privateKey, { type: 'pkcs8' })).equals(privateKey)).toBe(true)
  })

  it('leaves the bytes it was read from as they are, for their owner to zero', async () => {
    const text = renderPrivateKey((await keyOf('ED25519')).privateKey)
    const before = text.toString()
    parsePrivateKey(text)
    expect(text.toString()).toBe(before)
  })

  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const good = pem(ec.privateKey, { type: 'pkcs8' })
  const der = ec.privateKey.export({ format: 'der', type: 'pkcs8' })
  it.each([
    ['nothing', '', /0 PEM blocks/],
    ['two keys', good + good, /2 PEM blocks/],
    ['a public key', pem(ec.publicKey, { type: 'spki' }), /PUBLIC KEY block/],
    ['a certificate', formatPem('CERTIFICATE', der), /CERTIFICATE block/],
    ['encrypted PKCS#8', pem(ec.privateKey, { type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' }), /is encrypted/],
    ['encrypted PKCS#1', pem(rsaOf(2048).privateKey, { type: 'pkcs1', cipher: 'aes-256-cbc', passphrase: 'x' }), /headers/],
    ['RSA of 1024 bits', pem(rsaOf(1024).privateKey, { type: 'pkcs8' }), /RSA of 1024 bits is not supported/],
    ['another curve', pem(generateKeyPairSync('ec', { namedCurve: 'secp224r1' }).privateKey, { type: 'pkcs8' }), /EC on secp224r1/],
    ['X25519', pem(generateKeyPairSync('x25519').privateKey, { type: 'pkcs8' }), /its algorithm is not supported: use ECDSA on/],
    [
      'RSA-PSS',
      pem(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey, { type: 'pkcs8' }),
      /its algorithm is not supported/,
    ],
    ['garbage', formatPem('PRIVATE KEY', Buffer.alloc(40, 4)), /cannot be decoded/],
    ['something after the key', formatPem('PRIVATE KEY', Buffer.concat([der, Buffer.of(0)])), /cannot be decoded/],
    ['the wrong label', good.replaceAll('PRIVATE KEY', 'RSA PRIVATE KEY'), /cannot be decoded/],
    ['a key after text', `key:\n${good}`, /something that is no PEM/],
    ['too much', `${good}${' '.repeat(17_000)}`, /are allowed/],
  ])('is not read from %s', (_name, text, message) => {
    expect(refused(() => parsePrivateKey(text))).toMatch(/^PrivateKeyInvalid: the private key is refused: /)
    expect(refused(() => parsePrivateKey(text))).toMatch(message)
  })

  it('of RSA with the exponent 1, by which everybody can sign, is refused', () => {
    const { p = '', q = '', ...rest } = rsaOf(2048).privateKey.export({ format: 'jwk' })
    const key = createPrivateKey({ format: 'jwk', key: { ...rest, p, q, e: 'AQ', d: 'AQ', dp: 'AQ', dq: 'AQ' } })
    expect(refused(() => parsePrivateKey(pem(key, { type: 'pkcs8' })))).toMatch(/RSA with the public exponent 1 is not supported/)
  })

  // OpenSSL raises to the power of the private half to know the public one: 12 s for these.
  it.each([
    ['DSA', '2a8648ce380401'],
    ['DH', '2a864886f70d010301'],
  ])('of %s, of any size, is refused at once: whoever may write a Secret must not hold up everybody', (_name, algorithm) => {
    const number = (bytes: number) => elementOf(0x02, Buffer.of(0x41), Buffer.alloc(bytes - 2, 0xa5), Buffer.of(0x01))
    const parameters = elementOf(0x30, number(4000), number(32), number(2))
    const identifier = elementOf(0x30, elementOf(0x06, Buffer.from(algorithm, 'hex')), parameters)
    const text = formatPem('PRIVATE KEY', elementOf(0x30, Buffer.of(0x02, 1, 0), identifier, elementOf(0x04, number(4000))))
    const startedAt = performance.now()
    expect(refused(() => parsePrivateKey(text))).toMatch(/its algorithm is not supported/)
    expect(performance.now() - startedAt).toBeLessThan(1000)
  })

  it('never gets into the message of its refusal', () => {
    const body = good.split('\n').slice(1, -2).join('')
    fc.assert(
      fc.property(fc.nat(good.length), fc.string({ maxLength: 2, unit: 'binary' }), (at, by) => {
        const text = good.slice(0, at) + by + good.slice(at + 1)
        let message = ''
        try {
          parsePrivateKey(text)
        } catch (error) {
          if (!(error instanceof OperatorError)) throw error
          message = `${error.message} ${String(error.cause ?? '')} ${error.stack}`
        }
        for (let from = 0; from + 8 <= body.length; from++) expect(message.includes(body.slice(from, from + 8))).toBe(false)
      }),
    )
    expect(refusalOf(() => parsePrivateKey(body)).message).not.toContain(body.slice(0, 8))
  })

  it('is itself again after it was rendered, whatever form it came in', () => {
    const back = createPrivateKey(renderPrivateKey(parsePrivateKey(pem(ec.privateKey, { type: 'sec1' }))).toString())
    expect(createPublicKey(back).equals(ec.publicKey)).toBe(true)
  })
})
