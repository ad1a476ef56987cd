// Checks with a verdict: of a chain, of what an issuer returned, of a CA's certificate and key. Used by plans, controllers and explain.
// Pure: the time is an argument and a verdict is plain data. It decides nothing about what happens next.

import { type KeyObject, sign, verify } from 'node:crypto'
import { formatDuration, minutes } from '../base/duration.ts'
import { formatInstant, type Instant } from '../base/instant.ts'
import type { TrustBundle } from './bundle.ts'
import type { Certificate } from './certificate.ts'
import { isStrongSignature } from './certificate-signature.ts'
import { fingerprintOf } from './fingerprint.ts'
import { describeKey, isAcceptableKey, keyTypeOf } from './key-type.ts'
import type { LeafProfile } from './profile.ts'
import type { SubjectPublicKey } from './subject-public-key.ts'
import { broken, checkCA, firstBroken, nameOf, OK, type Verdict, verifyChain } from './verify-chain.ts'

export { type Verdict, verifyChain } from './verify-chain.ts'

/** An issuer's clock may be this far ahead of ours. */
const SKEW = minutes(1)

/**
 * Whether `chain` is what was asked for: this key, exactly these names, a leaf for both ends of a connection, not longer than asked, and
 * verifying to the published bundle. A shorter lifetime is right: issuers clip it to their own end. `rule` names the field.
 */
export function checkIssued(
  profile: LeafProfile,
  publicKey: SubjectPublicKey,
  chain: readonly Certificate[],
  bundle: TrustBundle,
  now: Instant,
): Verdict {
  const [leaf] = chain
  if (!leaf) return broken('chain', 'it is empty')
  const own = firstBroken(checksOfLeaf(profile, publicKey, leaf, now))
  return own.ok ? verifyChain(chain, bundle.anchors, now) : own
}

/** No generator that is made anew each time: the engine keeps something of every one, which costs more than the checks. */
function* checksOfLeaf(profile: LeafProfile, publicKey: SubjectPublicKey, leaf: Certificate, now: Instant): Generator<Verdict> {
  yield checkKey(profile, publicKey, leaf)
  yield checkNames(profile, leaf)
  yield checkUsages(leaf)
  yield checkLifetime(profile, leaf, now)
}

function checkKey(profile: LeafProfile, publicKey: SubjectPublicKey, leaf: Certificate): Verdict {
  if (leaf.publicKeyHash !== fingerprintOf(publicKey.der)) return broken('publicKey', 'the certificate is for another key')
  const { keyType } = leaf
  return keyType === profile.keyType
    ? OK
    : broken('keyType', `the key is ${keyType ?? 'of another kind'}, ${profile.keyType} was asked for`)
}

function checkNames(profile: LeafProfile, leaf: Certificate): Verdict {
  const { uri } = profile.spiffeId
  if (leaf.uris.length !== 1 || leaf.uris[0] !== uri) {
    return broken('spiffeID', `the certificate is for ${leaf.uris.join(', ') || 'no SPIFFE ID'}, ${uri} was asked for`)
  }
  const asked = new Set<string>(profile.dnsNames)
  const got = new Set(leaf.dnsNames)
  const missing = [...asked].find((name) => !got.has(name))
  if (missing !== undefined) return broken('dnsNames', `the certificate lacks ${missing}`)
  const extra = leaf.dnsNames.find((name) => !asked.has(name))
  if (extra !== undefined) return broken('dnsNames', `the certificate holds ${extra}, which was not asked for`)
  if (leaf.otherNames > 0) return broken('otherNames', 'the certificate holds names that are neither URI nor DNS name')
  const bare = leaf.subject === '' && !leaf.criticalExtensions.includes('subjectAltName')
  return bare ? broken('subjectAltName', 'the subject is empty and the subjectAltName is not critical') : OK
}

/** X509-SVID sections 4.1, 4.3 and 4.4. */
function checkUsages(leaf: Certificate): Verdict {
  if (leaf.isCA) return broken('basicConstraints', 'the certificate is a CA')
  const { keyUsage, extKeyUsage } = leaf
  if (!keyUsage.includes('digitalSignature')) return broken('keyUsage', 'the certificate lacks digitalSignature')
  const signs = keyUsage.find((usage) => usage === 'keyCertSign' || usage === 'cRLSign')
  if (signs !== undefined) return broken('keyUsage', `the certificate has ${signs}`)
  if (!leaf.criticalExtensions.includes('keyUsage')) return broken('keyUsage', 'it is not critical')
  const lacking = ['serverAuth', 'clientAuth'].find((purpose) => !extKeyUsage.includes(purpose))
  return lacking === undefined ? OK : broken('extKeyUsage', `the certificate lacks ${lacking}`)
}

function checkLifetime(profile: LeafProfile, leaf: Certificate, now: Instant): Verdict {
  const left = leaf.notAfter - now
  if (left <= 0) return broken('lifetime', `the certificate expired at ${formatInstant(leaf.notAfter)}`)
  if (leaf.notBefore > now) return broken('lifetime', `the certificate is not valid before ${formatInstant(leaf.notBefore)}`)
  if (left > profile.lifetime + SKEW) {
    return broken('lifetime', `the certificate lasts ${formatDuration(left)}, ${formatDuration(profile.lifetime)} was asked for`)
  }
  return OK
}

/**
 * Whether a CA's certificate and private key can sign leaves now: they belong together, it is a CA, in force, of accepted algorithms, and
 * names its key (without the identifier OpenSSL picks the wrong one of two CAs of one name).
 */
export function checkSigningPair(certificate: Certificate, privateKey: KeyObject, now: Instant): Verdict {
  return firstBroken(
    (function* () {
      yield checkSigner(certificate, privateKey)
      yield checkInForce(certificate, now)
    })(),
  )
}

/** The part of checkSigningPair that does not change with time. */
export function checkSigner(certificate: Certificate, privateKey: KeyObject): Verdict {
  const able = checkSignerCertificate(certificate)
  if (!able.ok) return able
  if (!isAcceptableKey(privateKey)) return broken('privateKey', `it is ${describeKey(privateKey)}, which is not supported`)
  return belongTogether(certificate, privateKey) ? OK : broken('privateKey', `it is not the key of ${nameOf(certificate)}`)
}

/** The part of it that needs no key. */
export function checkSignerCertificate(certificate: Certificate): Verdict {
  const name = nameOf(certificate)
  const ca = checkCA(certificate, 0)
  if (!ca.ok) return ca
  if (certificate.subject === '') return broken('subject', `${name} has no subject, which an issuer needs`)
  if (certificate.subjectKeyID === undefined) return broken('subjectKeyID', `${name} has no subjectKeyIdentifier`)
  if (certificate.hasNameConstraints) return broken('nameConstraints', `${name} has name constraints, which are not supported`)
  if (!isStrongSignature(certificate.signatureAlgorithm)) {
    return broken('signatureAlgorithm', `${name} is signed with ${certificate.signatureAlgorithm}, which is not accepted`)
  }
  return OK
}

/** Whether the CA is in force. */
export function checkInForce(certificate: Certificate, now: Instant): Verdict {
  const { notBefore, notAfter } = certificate
  if (now < notBefore) return broken('notBefore', `${nameOf(certificate)} is not valid before ${formatInstant(notBefore)}`)
  if (now >= notAfter) return broken('notAfter', `${nameOf(certificate)} expired at ${formatInstant(notAfter)}`)
  return OK
}

/** By a signature: the public half that stands beside a private key in its file proves nothing. */
function belongTogether(certificate: Certificate, privateKey: KeyObject): boolean {
  const { publicKey } = certificate.x509
  if (publicKey.asymmetricKeyType !== privateKey.asymmetricKeyType) return false
  const hash = keyTypeOf(privateKey) === 'ED25519' ? null : 'sha256'
  const challenge = Buffer.from('mutual identity: do these belong together?')
  try {
    return verify(hash, challenge, publicKey, sign(hash, challenge, privateKey))
  } catch {
    return false
  }
}
