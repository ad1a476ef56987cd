// Makes key pairs: the only place that does. Used by whoever is about to write a Secret with the key in it.
// Private keys of CAs stay KeyObjects until they are rendered; those of leaves, which sign nothing here, are octets from the start.

import { createECDH, generateKeyPair as generate, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { KeyType } from './key-type.ts'
import { p256Der } from './p256-key.ts'
import type { SubjectPublicKey } from './subject-public-key.ts'

export { KEY_TYPES, type KeyType, keyTypeOf, publicKeyHash } from './key-type.ts'
export { parsePrivateKey, privateKeyPem, renderPrivateKey } from './private-key.ts'

/** Both halves of a key and its kind. */
export interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly type: KeyType
}

/** A key for a leaf. */
export interface LeafKey {
  readonly publicKey: SubjectPublicKey
  /** DER PKCS#8. Whoever asked for the key fills it with zeros. */
  readonly privateKey: Buffer
}

interface Halves<Half> {
  readonly publicKey: Half
  readonly privateKey: Half
}

/** Without: KeyObjects. */
const AS_DER = {
  publicKeyEncoding: { format: 'der', type: 'spki' },
  privateKeyEncoding: { format: 'der', type: 'pkcs8' },
} as const
type Encoding = Partial<typeof AS_DER>

/**
 * On the thread pool: RSA takes 0.1 to 3 seconds, which would hold up the event loop and with it the lease, the larger curves about a millisecond.
 * P-256 and Ed25519 take 0.03 ms, and the way to another thread and back would cost as much again twice.
 */
const generateOnPool = promisify(generate) as unknown as (type: 'ec' | 'rsa', options: object) => Promise<unknown>
const generateAtOnce = generateKeyPairSync as unknown as (type: 'ec' | 'ed25519', options: object) => unknown

const GENERATORS: Readonly<Record<KeyType, (encoding: Encoding) => unknown>> = {
  ECDSAP256: (encoding) => generateAtOnce('ec', { namedCurve: 'P-256', ...encoding }),
  ECDSAP384: (encoding) => generateOnPool('ec', { namedCurve: 'P-384', ...encoding }),
  ECDSAP521: (encoding) => generateOnPool('ec', { namedCurve: 'P-521', ...encoding }),
  ED25519: (encoding) => generateAtOnce('ed25519', encoding),
  RSA3072: (encoding) => generateOnPool('rsa', { modulusLength: 3072, ...encoding }),
  RSA4096: (encoding) => generateOnPool('rsa', { modulusLength: 4096, ...encoding }),
}

/** A new pair; never holds the event loop for long. */
export async function generateKeyPair(type: KeyType): Promise<KeyPair> {
  const { privateKey, publicKey } = (await GENERATORS[type]({})) as Halves<KeyObject>
  return { privateKey, publicKey, type }
}

/** A new key for a leaf; never holds the event loop for long. */
export async function generateLeafKey(type: KeyType): Promise<LeafKey> {
  const { privateKey, publicKey } = type === 'ECDSAP256' ? makeP256() : ((await GENERATORS[type](AS_DER)) as Halves<Buffer>)
  return { publicKey: { type, der: publicKey }, privateKey }
}

/** By the interface that gives the halves as they are: to make a key and export it takes four times as long. */
function makeP256(): Halves<Buffer> {
  const pair = createECDH('prime256v1')
  const point = pair.generateKeys()
  const scalar = pair.getPrivateKey()
  try {
    return p256Der(scalar, point)
  } finally {
    scalar.fill(0)
  }
}
