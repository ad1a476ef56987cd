// Makes key pairs: the only place that does. Used by whoever is about to write a Secret with the key in it.
// Private keys stay KeyObjects until they are rendered.

import { generateKeyPair as generate, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { KeyType } from './key-type.ts'

export { KEY_TYPES, type KeyType, keyTypeOf, publicKeyHash } from './key-type.ts'
export { parsePrivateKey, renderPrivateKey } from './private-key.ts'

/** Both halves of a key and its kind. */
export interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly type: KeyType
}

type Halves = Omit<KeyPair, 'type'>

/**
 * On the thread pool: RSA takes 0.1 to 3 seconds, which would hold up the event loop and with it the lease, the larger curves about a millisecond.
 * P-256 and Ed25519 take 0.03 ms, and the way to another thread and back would cost as much again twice.
 */
const generateEc = promisify(generate) as unknown as (type: 'ec', options: { namedCurve: string }) => Promise<Halves>
const generateRsa = promisify(generate) as unknown as (type: 'rsa', options: { modulusLength: number }) => Promise<Halves>

const GENERATORS = {
  ECDSAP256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ECDSAP384: () => generateEc('ec', { namedCurve: 'P-384' }),
  ECDSAP521: () => generateEc('ec', { namedCurve: 'P-521' }),
  ED25519: () => generateKeyPairSync('ed25519'),
  RSA3072: () => generateRsa('rsa', { modulusLength: 3072 }),
  RSA4096: () => generateRsa('rsa', { modulusLength: 4096 }),
} satisfies Record<KeyType, () => Halves | Promise<Halves>>

/** A new pair; never holds the event loop for long. */
export async function generateKeyPair(type: KeyType): Promise<KeyPair> {
  const { privateKey, publicKey } = await GENERATORS[type]()
  return { privateKey, publicKey, type }
}
