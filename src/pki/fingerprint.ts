// Fingerprints: SHA-256 as 64 lower-case hex digits, of certificates, public keys, bundles and profiles.
// Used wherever two things are compared without holding both. Nothing secret is fingerprinted.

import { hash } from 'node:crypto'

/** SHA-256, 64 lower-case hex digits; made only by the functions below. */
export type Fingerprint = string & { readonly __fingerprint: unique symbol }

const FINGERPRINT = /^[0-9a-f]{64}$/

/** The fingerprint of `bytes`. */
export function fingerprintOf(bytes: Uint8Array): Fingerprint {
  return hash('sha256', bytes, 'hex') as Fingerprint
}

/** Reads a stored fingerprint; undefined when the text is none. */
export function parseFingerprint(text: string): Fingerprint | undefined {
  return FINGERPRINT.test(text) ? (text as Fingerprint) : undefined
}
