// Makes certificates: roots and leaves by their profiles. Used by the authority controller and the self-managed issuer.
// The time and the randomness are arguments; what is made is read back from its DER before anybody gets it.

import { hash, type KeyObject } from 'node:crypto'
import type { Duration } from '../base/duration.ts'
import { OperatorError } from '../base/errors.ts'
import type { Instant } from '../base/instant.ts'
import type { Random } from '../base/random.ts'
import { buildRoot } from './ca-builder.ts'
import { type Certificate, readCertificate, readOwnLeaf } from './certificate.ts'
import { readBitString, readElement, readElements, TAG } from './der.ts'
import {
  authorityKeyExtension,
  encodeCertificate,
  LEAF_CONSTRAINTS,
  LEAF_PURPOSES,
  LEAF_USAGE,
  LEAF_USAGE_RSA,
  NO_NAME,
  namesExtension,
  subjectKeyExtension,
} from './encode.ts'
import { keyTypeOf, publicKeyDer } from './key-type.ts'
import type { KeyPair } from './keys.ts'
import { backdating, type LeafProfile, type RootProfile, type Validity } from './profile.ts'
import { trustDomainUri } from './spiffe-id.ts'
import type { SubjectPublicKey } from './subject-public-key.ts'
import { checkInForce, checkSigner } from './verify.ts'

/** A CA certificate and its key. Keep the object: what is made of it once is remembered by its key. */
export interface Signer {
  readonly certificate: Certificate
  readonly privateKey: KeyObject
}

/** RFC 5280 appendix A.1, ub-common-name. */
const MAX_COMMON_NAME = 64

/** A self-signed root. Throws a plain Error when profile and key do not agree: a bug. */
export async function createRoot(profile: RootProfile, keyPair: KeyPair, now: Instant, random: Random): Promise<Certificate> {
  if (keyTypeOf(keyPair.publicKey) !== profile.keyType) throw new Error(`the profile asks for ${profile.keyType}, the key is another`)
  if (!Number.isSafeInteger(profile.generation) || profile.generation < 1) throw new Error('generations count from 1')
  const keyID = keyIdentifier(publicKeyDer(keyPair.publicKey))
  const notBefore = wholeSeconds(now - backdating(profile.lifetime))
  const notAfter = wholeSeconds(notBefore + profile.lifetime)
  if (notAfter <= now) throw new Error('the lifetime of a root is too short')
  const der = await buildRoot({
    ...keyPair,
    keyType: profile.keyType,
    serialNumber: Buffer.from(drawSerial(random)).toString('hex'),
    commonName: rootName(profile, keyID),
    notBefore,
    notAfter,
    keyID,
    uri: trustDomainUri(profile.trustDomain),
  })
  return readCertificate(der)
}

/**
 * A leaf for `publicKey`; its end is clipped to the signer's. Throws an OperatorError: `CAExpired` and `CAKeyInvalid` (blocked),
 * `CANotYetValid` (retry). Throws a plain Error when profile and key do not agree: a bug.
 */
export async function signLeaf(
  profile: LeafProfile,
  publicKey: SubjectPublicKey,
  signer: Signer,
  now: Instant,
  random: Random,
): Promise<Certificate> {
  const issuer = signer.certificate
  refuseBadSigner(signer)
  refuseOutOfForce(issuer, now)
  refuseForeign(profile, issuer)
  if (publicKey.type !== profile.keyType) throw new Error(`the profile asks for ${profile.keyType}, the key is another`)
  const { der } = publicKey
  const extensions = [
    LEAF_CONSTRAINTS,
    publicKey.type.startsWith('RSA') ? LEAF_USAGE_RSA : LEAF_USAGE,
    LEAF_PURPOSES,
    subjectKeyExtension(keyIdentifier(der)),
    authorityKeyExtension(issuer.subjectKeyID as string),
    namesExtension(profile.spiffeId.uri, [...new Set(profile.dnsNames)].sort(), true),
  ]
  const content = {
    serialNumber: drawSerial(random),
    issuer: issuer.subjectDer,
    subject: NO_NAME,
    ...leafValidity(profile.lifetime, issuer, now),
    publicKey: der,
    extensions,
  }
  return readOwnLeaf(await encodeCertificate(content, signer.privateKey))
}

/** The certificate that each key was found to belong to: checking takes a signature, so it is done once. Forgotten with the key. */
const checked = new WeakMap<KeyObject, string>()

function refuseBadSigner({ certificate, privateKey }: Signer): void {
  if (checked.get(privateKey) === certificate.fingerprint) return
  const verdict = checkSigner(certificate, privateKey)
  if (!verdict.ok) throw new OperatorError('blocked', 'CAKeyInvalid', `the CA cannot sign: ${verdict.rule}: ${verdict.detail}`)
  checked.set(privateKey, certificate.fingerprint)
}

function refuseOutOfForce(certificate: Certificate, now: Instant): void {
  const verdict = checkInForce(certificate, now)
  if (verdict.ok) return
  if (verdict.rule === 'notAfter') throw new OperatorError('blocked', 'CAExpired', `the CA cannot sign: ${verdict.detail}`)
  throw new OperatorError('retry', 'CANotYetValid', `the CA cannot sign: ${verdict.detail}`)
}

/** X509-SVID section 3.1: a root that names a trust domain signs for no other; and an identity is never a bare trust domain. */
function refuseForeign({ spiffeId }: LeafProfile, { uris }: Certificate): void {
  if (spiffeId.path === '') throw new Error(`${spiffeId.uri} names a trust domain, not a workload`)
  const foreign = uris.find((uri) => uri !== trustDomainUri(spiffeId.trustDomain))
  if (foreign !== undefined) {
    throw new OperatorError('blocked', 'CAKeyInvalid', `the CA is that of ${foreign} and cannot sign for ${spiffeId.uri}`)
  }
}

/** Within the signer's own validity. Where it ends sooner than asked, the backdating is that of what is left. */
function leafValidity(lifetime: Duration, issuer: Certificate, now: Instant): Validity {
  const left = (issuer.notAfter - now) as Duration
  const start = wholeSeconds(now - backdating(left < lifetime ? left : lifetime))
  const notBefore = Math.max(start, issuer.notBefore)
  const notAfter = Math.min(wholeSeconds(start + lifetime), issuer.notAfter)
  if (notAfter <= now) throw new Error('the lifetime of a leaf is too short')
  return { notBefore, notAfter }
}

/** `example.org g3 0a1b2c3d`: no two generations share a name, which some verifiers cannot tell apart (GnuTLS, OpenSSL without identifiers). */
function rootName({ trustDomain, generation }: RootProfile, keyID: string): string {
  const suffix = ` g${generation} ${keyID.slice(0, 8)}`
  return trustDomain.slice(0, MAX_COMMON_NAME - suffix.length) + suffix
}

/** RFC 7093 section 2 (1): the leftmost 160 bits of the SHA-256 of the subjectPublicKey's bits. Lower-case hex. */
function keyIdentifier(spki: Buffer): string {
  const [, bits] = readElements(readElement(spki, TAG.sequence, 'the public key').content, 'the public key')
  return hash('sha256', readBitString(bits, 'the public key').bytes, 'hex').slice(0, 40)
}

/**
 * 17 octets: a leading 01 keeps the number positive, its DER minimal and its length the same for all, and leaves all 128 bits to chance
 * (RFC 5280 section 4.1.2.2: at most 20 octets; CA/B BR 7.1: at least 64 bits).
 */
function drawSerial(random: Random): Uint8Array {
  return Buffer.concat([Buffer.of(1), random.bytes(16)])
}

function wholeSeconds(at: number): Instant {
  return Math.floor(at / 1000) * 1000
}
