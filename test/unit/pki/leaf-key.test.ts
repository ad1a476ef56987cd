// Keys of leaves are octets from the start. OpenSSL is the judge of them: its own export of the same key must be the same octets.
import { createECDH, createPrivateKey, createPublicKey, ECDH, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { generateLeafKey, KEY_TYPES, keyTypeOf, parsePrivateKey, privateKeyPem, renderPrivateKey } from '../../../src/pki/keys.ts'
import { p256Der } from '../../../src/pki/p256-key.ts'
import { keyTypeOfDer } from '../../../src/pki/subject-public-key.ts'
import { rsaOf } from '../../support/certificates.ts'

const pkcs8 = (key: KeyObject): string => key.export({ format: 'der', type: 'pkcs8' }).toString('hex')
const spki = (key: KeyObject): string => key.export({ format: 'der', type: 'spki' }).toString('hex')

/** That OpenSSL reads the private half, finds the public one in it and derives the same from the number alone, and writes both as they are. */
function expectAsExported({ publicKey, privateKey }: { publicKey: Buffer; privateKey: Buffer }): KeyObject {
  const key = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' })
  expect(pkcs8(key)).toBe(privateKey.toString('hex'))
  expect(spki(createPublicKey(key))).toBe(publicKey.toString('hex'))
  expect(spki(createPublicKey({ key: publicKey, format: 'der', type: 'spki' }))).toBe(publicKey.toString('hex'))
  return key
}

describe('a key for a leaf', () => {
  it.each(KEY_TYPES)(
    'of %s has the octets of OpenSSL, and is read back',
    async (type) => {
      const { publicKey, privateKey } = await generateLeafKey(type)
      const key = expectAsExported({ publicKey: publicKey.der, privateKey })
      expect([publicKey.type, keyTypeOf(key), keyTypeOfDer(publicKey.der)]).toEqual([type, type, type])
      const text = privateKeyPem(privateKey)
      expect(text).toEqual(renderPrivateKey(key))
      expect(parsePrivateKey(text).equals(key)).toBe(true)
    },
    60_000,
  )

  it('of P-256 has them each time, and is another one each time', async () => {
    const seen = new Set<string>()
    for (let count = 0; count < 600; count++) {
      const { publicKey, privateKey } = await generateLeafKey('ECDSAP256')
      expectAsExported({ publicKey: publicKey.der, privateKey })
      seen.add(privateKey.toString('hex'))
    }
    expect(seen.size).toBe(600)
  })

  it('of P-256 leaves no second copy of its number', async () => {
    const spy = jest.spyOn(ECDH.prototype, 'getPrivateKey')
    try {
      const { privateKey } = await generateLeafKey('ECDSAP256')
      expect(spy.mock.results.map(({ value }) => (value as Buffer).every((octet) => octet === 0))).toEqual([true])
      expect(privateKey.subarray(36, 68).every((octet) => octet === 0)).toBe(false)
    } finally {
      spy.mockRestore()
    }
  })

  it('of RSA is not made on the main thread', async () => {
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    await generateLeafKey('RSA3072')
    clearInterval(timer)
    expect(turns).toBeGreaterThan(2)
  })
})

describe('the octets of a P-256 key', () => {
  const halves = (scalar: Buffer): { scalar: Buffer; point: Buffer } => {
    const pair = createECDH('prime256v1')
    pair.setPrivateKey(scalar)
    return { scalar: pair.getPrivateKey(), point: pair.getPublicKey() }
  }
  const withoutZeros = (scalar: Buffer): Buffer => scalar.subarray(scalar.findIndex((octet) => octet !== 0))

  it('have the private number in 32 octets, however many of them are zero, and however it is handed in', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 31 }), fc.uint8Array({ minLength: 32, maxLength: 32 }), (zeros, drawn) => {
        const whole = Buffer.from(drawn).fill(0, 0, zeros)
        whole[31] = (whole[31] as number) | 1
        // The order of the curve begins with ffffffff00000000: below it.
        whole[0] = (whole[0] as number) & 0x7f
        const { scalar, point } = halves(whole)
        const key = expectAsExported(p256Der(scalar, point))
        expect(key.export({ format: 'jwk' }).d).toBe(whole.toString('base64url'))
        expect(p256Der(withoutZeros(whole), point).privateKey.equals(p256Der(whole, point).privateKey)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it.each(['01', '0102', 'ff'.repeat(31), 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550'])(
    'are right for the number %s',
    (hex) => {
      const { point } = halves(Buffer.from(hex, 'hex'))
      const key = expectAsExported(p256Der(Buffer.from(hex, 'hex'), point))
      expect(key.export({ format: 'jwk' }).d).toBe(Buffer.from(hex.padStart(64, '0'), 'hex').toString('base64url'))
    },
  )

  it('are not made of what is no such key, and nothing of it is repeated', () => {
    const { scalar, point } = halves(Buffer.alloc(32, 0x11))
    const compressed = createECDH('prime256v1')
    compressed.setPrivateKey(scalar)
    const message = 'these are not the halves of a P-256 key'
    expect(() => p256Der(Buffer.alloc(33, 1), point)).toThrow(new Error(message))
    expect(() => p256Der(scalar, point.subarray(1))).toThrow(new Error(message))
    expect(() => p256Der(scalar, compressed.getPublicKey(null, 'compressed'))).toThrow(new Error(message))
    expect(() => p256Der(scalar, Buffer.from(point).fill(0x05, 0, 1))).toThrow(new Error(message))
  })
})

describe('the kind of a public key by its octets', () => {
  const der = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' })
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })

  function compressed(): Buffer {
    const pair = createECDH('prime256v1')
    pair.generateKeys()
    return Buffer.concat([
      Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex'),
      pair.getPublicKey(null, 'compressed'),
    ])
  }

  it.each([
    ['RSA of 2048 bits', () => der(rsaOf(2048).publicKey)],
    ['RSA of 3072 bits with another exponent', () => der(generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 3 }).publicKey)],
    ['RSA-PSS', () => der(generateKeyPairSync('rsa-pss', { modulusLength: 3072 }).publicKey)],
    ['EC on another curve of the same size', () => der(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey)],
    ['X25519', () => der(generateKeyPairSync('x25519').publicKey)],
    ['a point that is compressed', compressed],
    ['nothing', () => Buffer.alloc(0)],
    ['a key with something after it', () => Buffer.concat([der(p256.publicKey), Buffer.of(0)])],
    ['a key that is cut off', () => der(p256.publicKey).subarray(0, -1)],
    ['a private key', () => p256.privateKey.export({ format: 'der', type: 'pkcs8' })],
  ])('is undefined for %s', (_name, make) => {
    expect(keyTypeOfDer(make())).toBeUndefined()
  })
})
