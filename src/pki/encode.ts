// Writes leaves (RFC 5280 section 4) and signs them with node:crypto. Used by signing only; the tests compare it octet by octet
// with @peculiar/x509, whose object tree costs ten times as much, and which builds what is not made by the thousand (ca-builder.ts).
// It validates nothing: what comes here is validated.

import { constants, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import type { Instant } from '../base/instant.ts'
import { SIGNATURES, type SignatureAlgorithm } from './certificate-signature.ts'
import { TAG } from './der.ts'
import { bitString, element, namedBits, octetString, oid, sequence, TRUE, time } from './der-writer.ts'
import { describeKey } from './key-type.ts'

/** What goes into a certificate beside what the signer's key decides. */
export interface Content {
  /** Octets of a positive INTEGER, minimal. */
  readonly serialNumber: Uint8Array
  /** DER Name. */
  readonly issuer: Buffer
  readonly subject: Buffer
  /** Whole seconds. */
  readonly notBefore: Instant
  readonly notAfter: Instant
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Buffer
  readonly extensions: readonly Buffer[]
}

/** By the signer's key: each curve with the hash of its strength. */
const ALGORITHMS: Readonly<Record<string, SignatureAlgorithm>> = {
  prime256v1: SIGNATURES.ecdsaSha256,
  secp384r1: SIGNATURES.ecdsaSha384,
  secp521r1: SIGNATURES.ecdsaSha512,
  ed25519: SIGNATURES.ed25519,
  rsa: SIGNATURES.rsaSha256,
}

/** They take milliseconds, and sign on the thread pool. The way there and back costs more than a signature of the others. */
const SLOW: ReadonlySet<SignatureAlgorithm> = new Set([SIGNATURES.ecdsaSha384, SIGNATURES.ecdsaSha512, SIGNATURES.rsaSha256])

const signOnPool = promisify(sign) as (
  hash: string | null,
  data: Buffer,
  key: KeyObject | { key: KeyObject; padding: number },
) => Promise<Buffer>

const VERSION_3 = element(0xa0, element(TAG.integer, Buffer.of(2)))

/** The DER of a certificate signed by `privateKey`. */
export async function encodeCertificate(content: Content, privateKey: KeyObject): Promise<Buffer> {
  const algorithm = ALGORITHMS[privateKey.asymmetricKeyDetails?.namedCurve ?? privateKey.asymmetricKeyType ?? '']
  if (!algorithm) throw new Error(`no signature algorithm for ${describeKey(privateKey)}`)
  const tbs = sequence(
    VERSION_3,
    element(TAG.integer, content.serialNumber),
    algorithm.identifier,
    content.issuer,
    sequence(time(content.notBefore), time(content.notAfter)),
    content.subject,
    content.publicKey,
    element(0xa3, sequence(...content.extensions)),
  )
  // The key as it is where nothing is to be said of it: node:crypto takes long to find it in an object.
  const key = algorithm.keyKind === 'rsa' ? { key: privateKey, padding: constants.RSA_PKCS1_PADDING } : privateKey
  const signature = SLOW.has(algorithm) ? await signOnPool(algorithm.hash, tbs, key) : sign(algorithm.hash, tbs, key)
  return sequence(tbs, algorithm.identifier, bitString(signature))
}

/** The empty Name of leaves. */
export const NO_NAME = sequence()

function extension(type: Buffer, isCritical: boolean, value: Buffer): Buffer {
  return isCritical ? sequence(type, TRUE, octetString(value)) : sequence(type, octetString(value))
}

const SUBJECT_KEY_IDENTIFIER = oid('2.5.29.14')
const KEY_USAGE = oid('2.5.29.15')
const SUBJECT_ALT_NAME = oid('2.5.29.17')
const BASIC_CONSTRAINTS = oid('2.5.29.19')
const AUTHORITY_KEY_IDENTIFIER = oid('2.5.29.35')
const EXT_KEY_USAGE = oid('2.5.29.37')

export const LEAF_CONSTRAINTS = extension(BASIC_CONSTRAINTS, true, sequence())

/** Section 4.2.1.3: digitalSignature is bit 0. */
export const LEAF_USAGE = extension(KEY_USAGE, true, namedBits(0))
/** And keyEncipherment, which is for RSA only (RFC 8422 section 5.1, RFC 8410 section 5). */
export const LEAF_USAGE_RSA = extension(KEY_USAGE, true, namedBits(0, 2))

/** serverAuth and clientAuth: a workload is at both ends of connections. */
export const LEAF_PURPOSES = extension(EXT_KEY_USAGE, false, sequence(oid('1.3.6.1.5.5.7.3.1'), oid('1.3.6.1.5.5.7.3.2')))

/** Section 4.2.1.2. `keyID`: lower-case hex. */
export function subjectKeyExtension(keyID: string): Buffer {
  return extension(SUBJECT_KEY_IDENTIFIER, false, octetString(Buffer.from(keyID, 'hex')))
}

/** Section 4.2.1.1, by key identifier only: with issuer and serial a re-certified CA breaks OpenSSL. */
export function authorityKeyExtension(keyID: string): Buffer {
  return extension(AUTHORITY_KEY_IDENTIFIER, false, sequence(element(0x80, Buffer.from(keyID, 'hex'))))
}

/** Section 4.2.1.6: the URI, then the DNS names in their order. Critical where the subject is empty. */
export function namesExtension(uri: string, dnsNames: readonly string[], isCritical: boolean): Buffer {
  const names = dnsNames.map((name) => element(0x82, Buffer.from(name, 'latin1')))
  return extension(SUBJECT_ALT_NAME, isCritical, sequence(element(0x86, Buffer.from(uri, 'latin1')), ...names))
}
