// Certificates, read once into plain values. Used by everything that looks at one; signing is elsewhere.
// Structure and names come from the DER by our own strict reader, keys and signatures are node:crypto's business.

import { X509Certificate } from 'node:crypto'
import { OperatorError } from '../base/errors.ts'
import type { Instant } from '../base/instant.ts'
import { type Signed, signatureName, verifySignature } from './certificate-signature.ts'
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
import { keyTypeOfDer } from './subject-public-key.ts'

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
  /** SubjectPublicKeyInfo. */
  readonly publicKeyDer: Buffer
  readonly publicKeyHash: Fingerprint
  readonly keyType: KeyType | undefined
  readonly notBefore: Instant
  readonly notAfter: Instant
  /** Its name where it is one to rely on, else the OID. */
  readonly signatureAlgorithm: string
  /** Issuer and subject are the same and the signature verifies by the certificate's own key. */
  readonly selfSigned: boolean
  readonly signed: Signed
  /** As OpenSSL reads it. */
  readonly x509: X509Certificate
}

/** More than any certificate in use; caps what is parsed at all. */
const MAX_BYTES = 64 * 1024
/** Certificates in a chain: TLS libraries follow 10 at most. */
const MAX_CHAIN = 10
const MAX_CHAIN_BYTES = 256 * 1024

/** Reads one DER certificate of version 3. Throws `CertificateInvalid` (blocked); checks structure, not trust or time. */
export function readCertificate(der: Uint8Array): Certificate {
  const values = readValues(der)
  const x509 = decode(values.der)
  const isSigner = values.isCA && (values.keyUsage.length === 0 || values.keyUsage.includes('keyCertSign'))
  // OpenSSL goes on with an extension that it cannot read, and later refuses the certificate as an issuer.
  if (isSigner && !x509.ca) throw malformed('OpenSSL cannot read one of its extensions')
  const publicKey = publicKeyOf(x509)
  return {
    ...values,
    keyType: keyTypeOf(publicKey),
    selfSigned: values.issuerDer.equals(values.subjectDer) && isSignedBy({ signed: values.signed, x509 }, { x509 }),
    x509,
  }
}

/**
 * Reads a leaf that was signed here a moment ago, as strictly. What OpenSSL says of it is asked for only when somebody wants to know, since
 * decoding takes longer than signing.
 */
export function readOwnLeaf(der: Buffer): Certificate {
  const values = readValues(der)
  // It has no subject, and its issuer has one.
  return Object.assign(new Undecoded(values.der), values, { keyType: keyTypeOfDer(values.publicKeyDer), selfSigned: false })
}

/** A class, because an object literal with a getter would be of a kind of its own each time, and the engine keeps all of them for long. */
class Undecoded {
  readonly der: Buffer
  #x509: X509Certificate | undefined

  constructor(der: Buffer) {
    this.der = der
  }

  get x509(): X509Certificate {
    this.#x509 ??= decode(this.der)
    return this.#x509
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
export function isSignedBy(child: Verifiable, issuer: Pick<Certificate, 'x509'>): boolean {
  try {
    // Decoded once: X509Certificate keeps it.
    const { publicKey } = issuer.x509
    return verifySignature(child.signed, publicKey) ?? child.x509.verify(publicKey)
  } catch {
    return false
  }
}

type Verifiable = Pick<Certificate, 'signed' | 'x509'>

/** What our own reader finds in a copy of the DER. */
function readValues(der: Uint8Array) {
  if (der.length > MAX_BYTES) throw malformed(`it has ${der.length} bytes, ${MAX_BYTES} are allowed`)
  // Not of the common pool: a certificate that is kept would keep the 64 kB around it.
  const bytes = Buffer.allocUnsafeSlow(der.length)
  bytes.set(der)
  return readStructure(bytes)
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
  const issuerDer = expectTag(issuer, TAG.sequence, 'the issuer').whole
  const subjectDer = expectTag(subject, TAG.sequence, 'the subject').whole
  return {
    der: bytes,
    fingerprint: fingerprintOf(bytes),
    serialNumber: readSerial(serial),
    signatureAlgorithm: readSignatureAlgorithm(algorithm),
    issuer: nameText(issuerDer),
    issuerDer,
    subject: nameText(subjectDer),
    subjectDer,
    publicKeyDer: (publicKey as Element).whole,
    publicKeyHash: fingerprintOf((publicKey as Element).whole),
    signed: { content: (tbs as Element).whole, algorithm: algorithm.whole, signature: (signature as Element).content },
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
  return signatureName(oid)
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
