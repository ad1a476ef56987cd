// Certificates, read once into plain values. Used by everything that looks at one; signing is elsewhere.
// Structure and names come from the DER by our own strict reader, keys and signatures are node:crypto's business.

import { X509Certificate } from 'node:crypto'
import { OperatorError } from '../base/errors.ts'
import type { Instant } from '../base/instant.ts'
import {
  type Element,
  expectTag,
  malformed,
  readBitString,
  readElement,
  readElements,
  readOid,
  readSmallInteger,
  readTime,
  readUnsigned,
  TAG,
} from './der.ts'
import { nameText } from './distinguished-name.ts'
import { type Extensions, readExtensions } from './extensions.ts'
import { type Fingerprint, fingerprintOf } from './fingerprint.ts'
import { type KeyType, keyTypeOf } from './key-type.ts'
import { parsePem } from './pem.ts'

/** What a certificate says. It holds no key but the public one, and may be cached. */
export interface Certificate extends Extensions {
  readonly der: Buffer
  readonly fingerprint: Fingerprint
  /** Lower-case hex, without a sign octet. */
  readonly serialNumber: string
  /** RFC 4514, for people; names are compared by their DER below. */
  readonly subject: string
  readonly issuer: string
  readonly subjectDer: Buffer
  readonly issuerDer: Buffer
  readonly publicKeyHash: Fingerprint
  readonly keyType: KeyType | undefined
  readonly notBefore: Instant
  readonly notAfter: Instant
  /** A name of SIGNATURES, else the OID. */
  readonly signatureAlgorithm: string
  /** Issuer and subject are the same and the signature verifies by the certificate's own key. */
  readonly selfSigned: boolean
  readonly x509: X509Certificate
}

/** More than any certificate in use; caps what is parsed at all. */
const MAX_BYTES = 64 * 1024
/** Certificates in a chain: TLS libraries follow 10 at most. */
const MAX_CHAIN = 10
const MAX_CHAIN_BYTES = 256 * 1024

/** RFC 5758, RFC 8410, RFC 8017. SHA-1 and RSASSA-PSS are not among them: what has no name here is not accepted from an issuer. */
const SIGNATURES: Readonly<Record<string, string>> = {
  '1.2.840.10045.4.3.2': 'ecdsa-with-SHA256',
  '1.2.840.10045.4.3.3': 'ecdsa-with-SHA384',
  '1.2.840.10045.4.3.4': 'ecdsa-with-SHA512',
  '1.3.101.112': 'Ed25519',
  '1.2.840.113549.1.1.11': 'sha256WithRSAEncryption',
  '1.2.840.113549.1.1.12': 'sha384WithRSAEncryption',
  '1.2.840.113549.1.1.13': 'sha512WithRSAEncryption',
}

/** Whether a signature algorithm, as a Certificate names it, is one to rely on. */
export function isStrongSignature(signatureAlgorithm: string): boolean {
  return Object.values(SIGNATURES).includes(signatureAlgorithm)
}

/** Reads one DER certificate of version 3. Throws `CertificateInvalid` (blocked); checks structure, not trust or time. */
export function readCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_BYTES) throw malformed(`it has ${der.length} bytes, ${MAX_BYTES} are allowed`)
  // Not of the common pool: a certificate that is kept would keep the 64 kB around it.
  const bytes = Buffer.allocUnsafeSlow(der.length)
  bytes.set(der)
  const { subjectDer, issuerDer, ...values } = readStructure(bytes)
  const x509 = decode(bytes)
  const isSigner = values.isCA && (values.keyUsage.length === 0 || values.keyUsage.includes('keyCertSign'))
  // OpenSSL goes on with an extension that it cannot read, and later refuses the certificate as an issuer.
  if (isSigner && !x509.ca) throw malformed('OpenSSL cannot read one of its extensions')
  const publicKey = publicKeyOf(x509)
  return {
    der: bytes,
    fingerprint: fingerprintOf(bytes),
    subject: nameText(subjectDer),
    issuer: nameText(issuerDer),
    subjectDer,
    issuerDer,
    ...values,
    keyType: keyTypeOf(publicKey),
    selfSigned: issuerDer.equals(subjectDer) && isSignedBy(x509, x509),
    x509,
  }
}

/** Reads a PEM chain: CERTIFICATE blocks only, leaf first, one at least. Throws `PemInvalid` or `CertificateInvalid` (blocked). */
export function readChain(pem: string): Certificate[] {
  const blocks = parsePem(pem, { maxBytes: MAX_CHAIN_BYTES, maxBlocks: MAX_CHAIN })
  if (blocks.length === 0) throw malformed('the text holds no certificate')
  return blocks.map(({ label, der }, index) => {
    if (label !== 'CERTIFICATE') throw malformed(`block ${index + 1} of the chain is a ${label}`)
    return readCertificate(der)
  })
}

/** Whether the signature of `child` verifies by the key of `issuer`. Never throws: a key of an odd kind verifies nothing. */
export function isSignedBy(child: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return child.verify(issuer.publicKey)
  } catch {
    return false
  }
}

/** RFC 5280 section 4.1. */
function readStructure(bytes: Buffer) {
  const [tbs, algorithm, signature, ...rest] = readElements(readElement(bytes, TAG.sequence, 'it').content, 'it')
  readBitString(signature, 'the signature')
  if (rest.length > 0) throw malformed('it has too many parts')
  const parts = readElements(expectTag(tbs, TAG.sequence, 'its content').content, 'its content')
  const version = parts[0]?.tag === 0xa0 ? parts.shift() : undefined
  const number = version && readElements(version.content, 'the version')[0]
  if (!number || readSmallInteger(number, 'the version') !== 2) throw malformed('it is not of version 3')
  const [serial, innerAlgorithm, issuer, validity, subject, publicKey, extensions, ...more] = parts
  // Section 4.1.1.2: else what is signed and what is verified may be two things.
  if (!innerAlgorithm || !algorithm?.whole.equals(innerAlgorithm.whole)) throw malformed('it names two signature algorithms')
  checkPublicKey(expectTag(publicKey, TAG.sequence, 'the public key'))
  if (more.length > 0 || (extensions && extensions.tag !== 0xa3)) throw malformed('it has parts that are not used any more')
  return {
    serialNumber: readSerial(serial),
    signatureAlgorithm: readSignatureAlgorithm(algorithm),
    issuerDer: expectTag(issuer, TAG.sequence, 'the issuer').whole,
    subjectDer: expectTag(subject, TAG.sequence, 'the subject').whole,
    publicKeyHash: fingerprintOf((publicKey as Element).whole),
    ...readValidity(validity),
    ...readExtensions(extensions && readElement(extensions.content, TAG.sequence, 'the list of extensions')),
  }
}

const EC_PUBLIC_KEY = '1.2.840.10045.2.1'

/** RFC 5480 section 2.1.1: a curve is named. Where its numbers are given instead, others than the named curve's can be made to look like it (CVE-2020-0601). */
function checkPublicKey(publicKey: Element): void {
  const [algorithm] = readElements(publicKey.content, 'the public key')
  const [oid, parameters] = readElements(
    expectTag(algorithm, TAG.sequence, 'the algorithm of the public key').content,
    'the algorithm of the public key',
  )
  if (readOid(oid, 'the algorithm of the public key') !== EC_PUBLIC_KEY) return
  if (parameters?.tag !== TAG.oid) throw malformed('the curve of its public key is not named (RFC 5480 section 2.1.1)')
}

function readSerial(serial: Element | undefined): string {
  const bytes = readUnsigned(serial, 'the serial number')
  if ((serial as Element).content.length > 20) throw malformed('the serial number has more than 20 octets')
  return bytes.toString('hex')
}

function readSignatureAlgorithm(algorithm: Element): string {
  const parts = readElements(expectTag(algorithm, TAG.sequence, 'the signature algorithm').content, 'the signature algorithm')
  const oid = readOid(parts[0], 'the signature algorithm')
  return SIGNATURES[oid] ?? oid
}

function readValidity(validity: Element | undefined): { notBefore: Instant; notAfter: Instant } {
  const times = readElements(expectTag(validity, TAG.sequence, 'the validity').content, 'the validity')
  if (times.length !== 2) throw malformed('the validity has not two times')
  return { notBefore: readTime(times[0], 'notBefore'), notAfter: readTime(times[1], 'notAfter') }
}

function decode(bytes: Buffer): X509Certificate {
  try {
    return new X509Certificate(bytes)
  } catch {
    throw malformed('OpenSSL cannot decode it')
  }
}

function publicKeyOf(x509: X509Certificate) {
  try {
    return x509.publicKey
  } catch {
    throw new OperatorError('blocked', 'CertificateInvalid', 'the certificate is refused: its public key is of no known kind')
  }
}
