// Verifies a chain to trust anchors, as a careful TLS library does (RFC 5280 section 6). Pure: the time is an argument.
// Used through verify.ts and by signing. It trusts nothing but the anchors it is given and what it does not understand it refuses.

import { formatInstant, type Instant } from '../base/instant.ts'
import { type Certificate, isSignedBy } from './certificate.ts'
import { isStrongSignature } from './certificate-signature.ts'
import { isUnderstood } from './extensions.ts'
import { describeKey, isAcceptableKey } from './key-type.ts'

/** What came of a check. `rule` is the field or rule that failed, `detail` says it in words. */
export type Verdict = { readonly ok: true } | { readonly ok: false; readonly rule: string; readonly detail: string }

export const OK: Verdict = { ok: true }

/** The verdict of a broken rule. */
export function broken(rule: string, detail: string): Verdict {
  return { ok: false, rule, detail }
}

/** The first verdict that is not ok. Later ones are not computed. */
export function firstBroken(checks: Iterable<Verdict>): Verdict {
  for (const verdict of checks) if (!verdict.ok) return verdict
  return OK
}

/**
 * Whether `chain` (leaf first, each certificate issued by the next, no root) verifies to one of `anchors`. Certificates beyond the one that
 * an anchor issued must be in order too but may have expired: during a rotation a chain carries a cross-certificate that most peers do not
 * need. `at` undefined leaves all times out: then the question is only who issued whom.
 */
export function verifyChain(chain: readonly Certificate[], anchors: readonly Certificate[], at: Instant | undefined): Verdict {
  if (chain.length === 0) return broken('chain', 'it is empty')
  const order = firstBroken(linksOf(chain))
  if (!order.ok) return order
  // The shortest path is tried first; the verdict of a failure is that of the path which got furthest.
  let verdict = broken('anchor', unknownIssuer(chain.at(-1) as Certificate, anchors))
  for (let length = chain.length; length >= 1; length--) {
    for (const anchor of anchors) {
      if (!mayHaveIssued(anchor, chain[length - 1] as Certificate)) continue
      const path = verifyPath([...chain.slice(0, length), anchor], at)
      if (path.ok) return OK
      verdict = path
    }
  }
  return verdict
}

/** Each certificate is issued by the next: an unordered chain is refused, since not every TLS library puts one in order. */
function* linksOf(chain: readonly Certificate[]): Generator<Verdict> {
  for (const [index, child] of chain.slice(0, -1).entries()) {
    const issuer = chain[index + 1] as Certificate
    if (!mayHaveIssued(issuer, child)) {
      yield broken('order', `certificate ${index + 1} (${nameOf(child)}) is not issued by certificate ${index + 2} (${nameOf(issuer)})`)
    }
  }
}

/** Section 6.1.3 and 6.1.4 over a whole path, leaf first, anchor last. */
function verifyPath(path: readonly Certificate[], at: Instant | undefined): Verdict {
  return firstBroken(checksOf(path, at))
}

function* checksOf(path: readonly Certificate[], at: Instant | undefined): Generator<Verdict> {
  let intermediates = 0
  for (const [index, certificate] of path.entries()) {
    const issuer = path[index + 1]
    if (at !== undefined) yield checkTimes(certificate, at)
    yield checkExtensions(certificate)
    if (index > 0) {
      yield checkCA(certificate, intermediates)
      // Self-issued certificates do not count (section 6.1.4 l).
      if (!certificate.subjectDer.equals(certificate.issuerDer)) intermediates++
    }
    if (issuer) yield checkSignature(certificate, issuer)
  }
}

/** Whether a CA, its issuers and the root (in this order, root last) may stand above a leaf: who issued whom, what each may issue; times aside. */
export function verifyIssuers(path: readonly Certificate[]): Verdict {
  return firstBroken(
    (function* () {
      yield* linksOf(path)
      for (const [below, certificate] of path.entries()) {
        const issuer = path[below + 1]
        yield checkExtensions(certificate)
        yield checkCA(certificate, below)
        if (issuer) yield checkSignature(certificate, issuer)
      }
    })(),
  )
}

/** By names and key identifiers, without the signature. */
function mayHaveIssued(issuer: Certificate, child: Certificate): boolean {
  if (!issuer.subjectDer.equals(child.issuerDer)) return false
  const { authorityKeyID } = child
  return authorityKeyID === undefined || issuer.subjectKeyID === undefined || authorityKeyID === issuer.subjectKeyID
}

function checkTimes(certificate: Certificate, at: Instant): Verdict {
  const { notBefore, notAfter } = certificate
  if (at < notBefore) return broken('validity', `${nameOf(certificate)} is not valid before ${formatInstant(notBefore)}`)
  // Both ends belong to the validity (section 4.1.2.5), and the last second belongs to it whole.
  if (at >= notAfter + 1000) return broken('validity', `${nameOf(certificate)} expired at ${formatInstant(notAfter)}`)
  return OK
}

/** Section 4.2: a critical extension that is not understood refuses the certificate. Name constraints are understood as not supported. */
function checkExtensions(certificate: Certificate): Verdict {
  const unknown = certificate.criticalExtensions.find((name) => !isUnderstood(name))
  if (unknown !== undefined) return broken('criticalExtension', `${nameOf(certificate)} has the unknown critical extension ${unknown}`)
  if (certificate.hasNameConstraints)
    return broken('nameConstraints', `${nameOf(certificate)} has name constraints, which are not supported`)
  return OK
}

/** What a certificate must be to have issued another one; `intermediates` of its path stand between it and the leaf. */
export function checkCA(certificate: Certificate, intermediates: number): Verdict {
  const name = nameOf(certificate)
  if (!certificate.isCA) return broken('basicConstraints', `${name} is no CA`)
  if (!certificate.keyUsage.includes('keyCertSign')) return broken('keyUsage', `${name} may not sign certificates (keyCertSign)`)
  const { pathLength, extKeyUsage, x509 } = certificate
  if (pathLength !== undefined && intermediates > pathLength) {
    return broken('pathLength', `${name} allows ${pathLength} intermediate certificates below it, there are ${intermediates}`)
  }
  // OpenSSL and Go take the purposes of a CA for a limit on what it issues.
  const purposes = ['serverAuth', 'clientAuth'].every((purpose) => extKeyUsage.includes(purpose))
  if (extKeyUsage.length > 0 && !purposes && !extKeyUsage.includes('anyExtendedKeyUsage')) {
    return broken('extKeyUsage', `${name} is limited to ${extKeyUsage.join(', ')}; serverAuth and clientAuth are needed`)
  }
  if (!isAcceptableKey(x509.publicKey))
    return broken('publicKey', `${name} has a key that is not supported: ${describeKey(x509.publicKey)}`)
  return OK
}

function checkSignature(child: Certificate, issuer: Certificate): Verdict {
  if (!isStrongSignature(child.signatureAlgorithm)) {
    return broken('signatureAlgorithm', `${nameOf(child)} is signed with ${child.signatureAlgorithm}, which is not accepted`)
  }
  if (!isSignedBy(child, issuer)) return broken('signature', `the signature of ${nameOf(child)} is not by the key of ${nameOf(issuer)}`)
  return OK
}

function unknownIssuer(last: Certificate, anchors: readonly Certificate[]): string {
  const keyID = last.authorityKeyID === undefined ? '' : ` with key ${last.authorityKeyID}`
  return `${nameOf(last)} is issued by ${last.issuer || 'nobody'}${keyID}, which is not among the ${anchors.length} trust anchors`
}

/** A certificate's name for people: its subject, else what it is for, else its number. */
export function nameOf(certificate: Certificate): string {
  return certificate.subject || certificate.uris[0] || `certificate ${certificate.serialNumber}`
}
