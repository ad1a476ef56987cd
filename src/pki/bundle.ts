// Trust bundles: the anchors of a trust domain and their canonical text. Used by the authority controller, the codecs of stored bundles
// and verification. Every reader of the text must see the same anchors, so anything doubtful refuses the whole bundle.

import { messageOf, OperatorError } from '../base/errors.ts'
import type { Instant } from '../base/instant.ts'
import { type Certificate, readCertificate } from './certificate.ts'
import { type Fingerprint, fingerprintOf } from './fingerprint.ts'
import { formatPem, type PemBlock, parsePem } from './pem.ts'
import { checkCA, type Verdict } from './verify-chain.ts'

/** One anchor at least, no two alike. `text` is canonical PEM (LF, 64 columns, final newline), `fingerprint` is of it. */
export interface TrustBundle {
  readonly anchors: readonly Certificate[]
  readonly text: string
  readonly fingerprint: Fingerprint
}

/** A ConfigMap or Secret holds 1 MiB in all; over it the API server refuses the write. */
const MAX_BYTES = 1024 * 1024
/** What trust-manager's users reach; the cap is on the work of a hostile source (CVE-2024-12401). */
const MAX_ANCHORS = 150

/** Reads a bundle: CERTIFICATE blocks of self-signed CAs only; repeated ones count once. Throws `BundleInvalid` (blocked) with the number of the bad block, from 1. */
export function parseBundle(text: string): TrustBundle {
  return bundleOf(blocksOf(text).map((block, index) => readAnchor(block, index + 1)))
}

/**
 * Makes a bundle of `anchors` in their order (the active root first). Repeated ones count once; expired ones are dropped, because Java
 * and rustls trust an expired anchor and Envoy has preferred an expired twin. Throws `BundleInvalid` (blocked), also when nothing is left.
 */
export function makeBundle(anchors: readonly Certificate[], now: Instant): TrustBundle {
  for (const [index, anchor] of anchors.entries()) refuseBad(anchor, index + 1)
  return bundleOf(anchors.filter((anchor) => anchor.notAfter > now))
}

/** The anchors of several bundles as one, in their order. Throws `BundleInvalid` (blocked) where that is too many or too long. */
export function poolBundles(bundles: readonly TrustBundle[]): TrustBundle {
  const [only] = bundles
  return only && bundles.length === 1 ? only : bundleOf(bundles.flatMap(({ anchors }) => anchors))
}

function bundleOf(anchors: readonly Certificate[]): TrustBundle {
  const distinct = [...new Map(anchors.map((anchor) => [anchor.fingerprint, anchor])).values()]
  // Never empty: `ca: ''` makes Node trust the public roots.
  if (distinct.length === 0) throw invalid('it holds no trust anchor that is in force')
  if (distinct.length > MAX_ANCHORS) throw invalid(`it holds ${distinct.length} trust anchors, ${MAX_ANCHORS} are allowed`)
  const text = distinct.map((anchor) => formatPem('CERTIFICATE', anchor.der)).join('')
  if (text.length > MAX_BYTES) throw invalid(`it has ${text.length} bytes, ${MAX_BYTES} are allowed`)
  return { anchors: distinct, text, fingerprint: fingerprintOf(Buffer.from(text, 'latin1')) }
}

function blocksOf(text: string): PemBlock[] {
  try {
    return parsePem(text, { maxBytes: MAX_BYTES, maxBlocks: MAX_ANCHORS })
  } catch (error) {
    throw invalid(messageOf(error))
  }
}

function readAnchor({ label, der }: PemBlock, number: number): Certificate {
  if (label.endsWith('PRIVATE KEY')) throw invalid(`block ${number} is a private key: take it out, and renew it if others could read it`)
  if (label !== 'CERTIFICATE') throw invalid(`block ${number} is a ${label}, only CERTIFICATE is allowed`)
  let anchor: Certificate
  try {
    anchor = readCertificate(der)
  } catch (error) {
    throw invalid(`block ${number}: ${messageOf(error)}`)
  }
  refuseBad(anchor, number)
  return anchor
}

function refuseBad(anchor: Certificate, number: number): void {
  const ca: Verdict = checkCA(anchor, 0)
  if (!ca.ok) throw invalid(`block ${number}: ${ca.rule}: ${ca.detail}`)
  // OpenSSL does not end a chain at an anchor that somebody else signed.
  if (!anchor.selfSigned) throw invalid(`block ${number}: ${anchor.subject || anchor.fingerprint} is not self-signed`)
}

function invalid(detail: string): OperatorError {
  return new OperatorError('blocked', 'BundleInvalid', `the bundle is refused: ${detail}`)
}
