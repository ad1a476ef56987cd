// The algorithms by which certificates are signed, in one table: how each is called and written, and how it is verified. Used by the reader
// of certificates and by the encoder. It signs nothing and reads nothing.

import { constants, type KeyObject, verify } from 'node:crypto'
import { element, oid, sequence } from './der-writer.ts'

/** A signature algorithm to rely on. */
export interface SignatureAlgorithm {
  readonly name: string
  readonly oid: string
  /** DER AlgorithmIdentifier, with the parameters that its RFC demands. */
  readonly identifier: Buffer
  /** Of node:crypto; null where the algorithm has its own. */
  readonly hash: string | null
  /** The asymmetricKeyType of the keys that it is for. */
  readonly keyKind: 'ec' | 'ed25519' | 'rsa'
}

/** What is signed, by which algorithm, and the signature: views into a certificate. */
export interface Signed {
  readonly content: Buffer
  /** DER AlgorithmIdentifier. */
  readonly algorithm: Buffer
  /** The content of its BIT STRING: how many bits are unused, and the signature. */
  readonly signature: Buffer
}

const NULL = element(0x05)

function algorithm(name: string, dotted: string, keyKind: SignatureAlgorithm['keyKind'], hash: string | null): SignatureAlgorithm {
  const identifier = keyKind === 'rsa' ? sequence(oid(dotted), NULL) : sequence(oid(dotted))
  return { name, oid: dotted, identifier, hash, keyKind }
}

/** RFC 5758 section 3.2, RFC 8410 section 3, RFC 4055 section 5. SHA-1 and RSASSA-PSS are not among them: what is not here is not accepted from an issuer. */
export const SIGNATURES = {
  ecdsaSha256: algorithm('ecdsa-with-SHA256', '1.2.840.10045.4.3.2', 'ec', 'sha256'),
  ecdsaSha384: algorithm('ecdsa-with-SHA384', '1.2.840.10045.4.3.3', 'ec', 'sha384'),
  ecdsaSha512: algorithm('ecdsa-with-SHA512', '1.2.840.10045.4.3.4', 'ec', 'sha512'),
  ed25519: algorithm('Ed25519', '1.3.101.112', 'ed25519', null),
  rsaSha256: algorithm('sha256WithRSAEncryption', '1.2.840.113549.1.1.11', 'rsa', 'sha256'),
  rsaSha384: algorithm('sha384WithRSAEncryption', '1.2.840.113549.1.1.12', 'rsa', 'sha384'),
  rsaSha512: algorithm('sha512WithRSAEncryption', '1.2.840.113549.1.1.13', 'rsa', 'sha512'),
} as const

const NAMES: ReadonlyMap<string, string> = new Map(Object.values(SIGNATURES).map(({ oid, name }) => [oid, name]))
const STRONG: ReadonlySet<string> = new Set(NAMES.values())
/** By the octets of the whole identifier. */
const ALGORITHMS: ReadonlyMap<string, SignatureAlgorithm> = new Map(
  Object.values(SIGNATURES).map((known) => [known.identifier.toString('latin1'), known]),
)

/** A name of SIGNATURES, else the OID itself. */
export function signatureName(dotted: string): string {
  return NAMES.get(dotted) ?? dotted
}

/** Whether a signature algorithm, as `signatureName` names it, is one to rely on. */
export function isStrongSignature(name: string): boolean {
  return STRONG.has(name)
}

/**
 * Whether a signature verifies by `key`: as OpenSSL decides it for a whole certificate, which need not be decoded for it. False where the
 * algorithm is for keys of another kind. Undefined where the algorithm is not one of SIGNATURES, or is written in another way.
 */
export function verifySignature({ content, algorithm, signature }: Signed, key: KeyObject): boolean | undefined {
  const known = ALGORITHMS.get(algorithm.toString('latin1'))
  if (!known) return undefined
  // A signature is of whole octets.
  if (key.asymmetricKeyType !== known.keyKind || signature[0] !== 0) return false
  const verifier = known.keyKind === 'rsa' ? { key, padding: constants.RSA_PKCS1_PADDING } : key
  return verify(known.hash, content, verifier, signature.subarray(1))
}
