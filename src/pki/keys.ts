// Makes key pairs: the only place that does. Used by whoever is about to write a Secret with the key in it.
// Private keys stay KeyObjects until they are rendered.

import { generateKeyPair as generate, type KeyObject } from 'node:crypto'
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

/** The asynchronous form works on the thread pool: RSA takes 0.1 to 3 seconds, which would hold up the event loop and with it the lease. */
const generateEc = promisify(generate) as unknown as (type: 'ec', options: { namedCurve: string }) => Promise<Halves>
const generateEd = promisify(generate) as unknown as (type: 'ed25519') => Promise<Halves>
const generateRsa = promisify(generate) as unknown as (type: 'rsa', options: { modulusLength: number }) => Promise<Halves>

const GENERATORS = {
  ECDSAP256: () => generateEc('ec', { namedCurve: 'P-256' }),
  ECDSAP384: () => generateEc('ec', { namedCurve: 'P-384' }),
  ECDSAP521: () => generateEc('ec', { namedCurve: 'P-521' }),
  ED25519: () => generateEd('ed25519'),
  RSA3072: () => generateRsa('rsa', { modulusLength: 3072 }),
  RSA4096: () => generateRsa('rsa', { modulusLength: 4096 }),
} satisfies Record<KeyType, () => Promise<Halves>>

/** A new pair; never blocks the event loop. */
export async function generateKeyPair(type: KeyType): Promise<KeyPair> {
  const { privateKey, publicKey } = await GENERATORS[type]()
  return { privateKey, publicKey, type }
}
