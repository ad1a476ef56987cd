// A trust bundle as SPIFFE writes it: a JWK Set (SPIFFE Trust Domain and Bundle section 4, RFC 7517). Used by whoever publishes bundles.
// Of a key that a workload could hold nothing goes in here: anchors only. It says nothing of JWT authorities, for we have none.

import type { JsonWebKey, KeyObject } from 'node:crypto'
import type { Certificate } from './certificate.ts'

export interface SpiffeBundleOptions {
  /** Whole, never smaller than before, another one whenever the anchors change (section 4.1.1). */
  readonly sequence: number
  /** Whole seconds after which a reader looks again (section 4.1.2). */
  readonly refreshHintSeconds: number
}

/** The public members of each kind of key, in the order in which they are written (RFC 7518 section 6, RFC 8037 section 2). */
const MEMBERS: Readonly<Record<string, readonly (keyof JsonWebKey)[]>> = {
  EC: ['kty', 'crv', 'x', 'y'],
  OKP: ['kty', 'crv', 'x'],
  RSA: ['kty', 'n', 'e'],
}

/**
 * The text of the bundle of `anchors` in their order: the same for the same arguments, two blanks a level, a final newline.
 * Throws (a bug) for numbers that are not whole or negative.
 */
export function spiffeBundleJson(anchors: readonly Certificate[], options: SpiffeBundleOptions): string {
  const bundle = {
    keys: anchors.map(keyOf),
    spiffe_sequence: whole(options.sequence, 'sequence'),
    spiffe_refresh_hint: whole(options.refreshHintSeconds, 'refresh hint'),
  }
  return `${JSON.stringify(bundle, undefined, 2)}\n`
}

/** One JWK: exactly one certificate in x5c, and never a `kid` (X509-SVID section 6.1). */
function keyOf({ x509, der }: Certificate): object {
  return { ...publicMembers(x509.publicKey), use: 'x509-svid', x5c: [der.toString('base64')] }
}

function publicMembers(publicKey: KeyObject): object {
  const jwk = publicKey.export({ format: 'jwk' })
  const members = MEMBERS[jwk.kty ?? '']
  if (!members) throw new Error(`no JWK is known for keys of ${publicKey.asymmetricKeyType}`)
  return Object.fromEntries(members.map((member) => [member, jwk[member]]))
}

function whole(value: number, what: string): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`the ${what} of a SPIFFE bundle is ${value}`)
  return value
}
