// Private keys as text: read from a Secret, rendered for one. Used by the codecs and by whoever writes a Secret.
// It makes no key, and no message of it repeats a byte of one.

import { createPrivateKey, type KeyObject } from 'node:crypto'
import { messageOf, OperatorError } from '../base/errors.ts'
import { type Element, readElement, readElements, readOid, TAG } from './der.ts'
import { describeKey, isAcceptableKey } from './key-type.ts'
import { formatPem, type PemBlock, parsePem } from './pem.ts'

/** The unencrypted forms, and what stands after the version in each (RFC 5958, RFC 8017 appendix A.1.2, RFC 5915). */
const FORMS: Readonly<Record<string, Form>> = {
  'PRIVATE KEY': { type: 'pkcs8', second: TAG.sequence },
  'RSA PRIVATE KEY': { type: 'pkcs1', second: TAG.integer },
  'EC PRIVATE KEY': { type: 'sec1', second: TAG.octetString },
}

interface Form {
  readonly type: 'pkcs8' | 'pkcs1' | 'sec1'
  readonly second: number
}

/**
 * The algorithms of PKCS#8 that are read at all: RSA, EC, Ed25519. Of a key for DSA or DH OpenSSL computes the public half while it decodes, and whoever
 * wrote the key chose its size: 12 s for 32,000 bits, in which nothing else runs.
 */
const ALGORITHMS: ReadonlySet<string> = new Set(['1.2.840.113549.1.1.1', '1.2.840.10045.2.1', '1.3.101.112'])

/** A key of 8192 bits in PEM is 6.4 kB. */
const MAX_BYTES = 16 * 1024

/**
 * PKCS#8 PEM. The caller fills the buffer with zeros when it has been written. The text passes through strings on its way, which only the
 * garbage collector removes.
 */
export function renderPrivateKey(key: KeyObject): Buffer {
  const der = key.export({ format: 'der', type: 'pkcs8' })
  const text = privateKeyPem(der)
  der.fill(0)
  return text
}

/** PKCS#8 PEM of the DER, which stays the caller's to zero, like the text. */
export function privateKeyPem(pkcs8: Buffer): Buffer {
  return Buffer.from(formatPem('PRIVATE KEY', pkcs8), 'latin1')
}

/**
 * Reads exactly one private key: unencrypted PKCS#8, PKCS#1 or SEC1, of a kind that can sign here.
 * Throws `PrivateKeyInvalid` (blocked). A Buffer stays the caller's to zero; the text made of it cannot be zeroed, which is why keys are
 * read once for each version of a Secret.
 */
export function parsePrivateKey(pem: string | Buffer): KeyObject {
  const text = typeof pem === 'string' ? pem : pem.toString('latin1')
  const { label, der } = onlyBlock(text)
  const form = FORMS[label]
  if (!form) {
    if (label === 'ENCRYPTED PRIVATE KEY') throw invalid('it is encrypted: store it unencrypted, as PKCS#8')
    throw invalid(`it is a ${label} block: store an unencrypted PKCS#8 PRIVATE KEY`)
  }
  const key = decode(der, form)
  der.fill(0)
  if (!key) throw invalid(`its ${label} block cannot be decoded`)
  if (key === 'unsupported') throw unsupported('its algorithm')
  if (!isAcceptableKey(key)) throw unsupported(describeKey(key))
  return key
}

function onlyBlock(text: string): PemBlock {
  let blocks: PemBlock[]
  try {
    blocks = parsePem(text, { maxBytes: MAX_BYTES })
  } catch (error) {
    throw invalid(messageOf(error))
  }
  const [block] = blocks
  if (!block || blocks.length > 1) throw invalid(`it has ${blocks.length} PEM blocks, one is wanted`)
  return block
}

/** OpenSSL's own messages are dropped: what they repeat is not ours to know. It ignores labels and bytes after the key, which we do not. */
function decode(der: Buffer, { type, second }: Form): KeyObject | 'unsupported' | undefined {
  try {
    const [, element] = readElements(readElement(der, TAG.sequence, 'a key').content, 'a key')
    if (element?.tag !== second) return undefined
    if (type === 'pkcs8' && !ALGORITHMS.has(algorithmOf(element))) return 'unsupported'
    return createPrivateKey({ key: der, format: 'der', type })
  } catch {
    return undefined
  }
}

function algorithmOf(identifier: Element): string {
  return readOid(readElements(identifier.content, 'an algorithm')[0], 'an algorithm')
}

function unsupported(what: string): OperatorError {
  return invalid(`${what} is not supported: use ECDSA on P-256, P-384 or P-521, Ed25519, or RSA of at least 2048 bits`)
}

function invalid(detail: string): OperatorError {
  return new OperatorError('blocked', 'PrivateKeyInvalid', `the private key is refused: ${detail}`)
}
