// The kinds of keys, in one table: what we make, and how each signs. Used by keys, certificates, profiles and signing.
// It makes no key and reads none.

import { createPublicKey, type KeyObject } from 'node:crypto'
import { type Fingerprint, fingerprintOf } from './fingerprint.ts'

/** The spelling of podCertificate volumes (KEP-4317). */
export type KeyType = 'ECDSAP256' | 'ECDSAP384' | 'ECDSAP521' | 'ED25519' | 'RSA3072' | 'RSA4096'

/** All kinds, the default first. */
export const KEY_TYPES: readonly KeyType[] = ['ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519', 'RSA3072', 'RSA4096']

/** OpenSSL's names of the curves. */
const CURVES: Readonly<Record<string, KeyType>> = { prime256v1: 'ECDSAP256', secp384r1: 'ECDSAP384', secp521r1: 'ECDSAP521' }
const RSA_SIZES: Readonly<Record<number, KeyType>> = { 3072: 'RSA3072', 4096: 'RSA4096' }

/** Which of our kinds a public or private key is; undefined for all others (RSA-2048, P-224, X25519 ...). */
export function keyTypeOf(key: KeyObject): KeyType | undefined {
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'ec') return CURVES[namedCurve]
  if (key.asymmetricKeyType === 'rsa') return RSA_SIZES[modulusLength]
  return key.asymmetricKeyType === 'ed25519' ? 'ED25519' : undefined
}

/**
 * Whether a key is good enough to be someone else's CA: one of our kinds, or RSA of 2048 to 8192 bits (below, verifiers refuse it;
 * above, each handshake takes its time).
 */
export function isAcceptableKey(key: KeyObject): boolean {
  if (signsNothing(key)) return false
  if (keyTypeOf(key)) return true
  const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  return key.asymmetricKeyType === 'rsa' && modulusLength >= 2048 && modulusLength <= 8192
}

/** With the exponent 1 a signature is the padded hash itself, which anybody can write: OpenSSL verifies it all the same. */
function signsNothing(key: KeyObject): boolean {
  return (key.asymmetricKeyDetails?.publicExponent ?? SMALLEST_EXPONENT) < SMALLEST_EXPONENT
}

const SMALLEST_EXPONENT = 3n

/** What a key is, for people: `RSA of 1024 bits`, `EC on secp224r1`. */
export function describeKey(key: KeyObject): string {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {}
  const kind = (key.asymmetricKeyType ?? key.type).toUpperCase()
  if (signsNothing(key)) return `${kind} with the public exponent ${key.asymmetricKeyDetails?.publicExponent}`
  if (modulusLength !== undefined) return `${kind} of ${modulusLength} bits`
  return namedCurve === undefined ? kind : `${kind} on ${namedCurve}`
}

/** DER SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) of a public or private key. */
export function publicKeyDer(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  return publicKey.export({ format: 'der', type: 'spki' })
}

/** SHA-256 of the DER SubjectPublicKeyInfo: the same for both halves of a pair. */
export function publicKeyHash(key: KeyObject): Fingerprint {
  return fingerprintOf(publicKeyDer(key))
}
