// What goes into a Java keystore, whatever its format, and the rules for aliases. Used by the two formats beside it and by whoever renders
// a leaf Secret in them. It must not encode anything, and no message of it repeats a password.

import { OperatorError } from '../../base/errors.ts'
import type { Certificate } from '../certificate.ts'

/** A key with its chain. */
export interface KeyStoreContent {
  readonly alias: string
  /** DER PKCS#8. It stays the caller's to zero. */
  readonly privateKey: Buffer
  /** Leaf, then intermediates; one at least. */
  readonly chain: readonly Certificate[]
  /** Protects the store and the key in it: Java expects both to be the same. */
  readonly password: string
}

/** An anchor under the name by which `keytool` shows it. */
export interface TrustedEntry {
  readonly alias: string
  readonly certificate: Certificate
}

/** Anchors, one at least: Java refuses to verify with none. */
export interface TrustStoreContent {
  readonly anchors: readonly TrustedEntry[]
  readonly password: string
}

/** UTF-16 units. JKS has room for 21,845 of three octets each; nobody can read more than a line. */
const MAX_ALIAS = 255

/** The leaf and the intermediates of `chain`. Throws (a bug) when it is empty. */
export function splitChain(chain: readonly Certificate[]): { leaf: Certificate; intermediates: Certificate[] } {
  const [leaf, ...intermediates] = chain
  if (!leaf) throw new Error('a keystore needs a certificate for its key')
  return { leaf, intermediates }
}

/** Throws (a bug) when there are no anchors, and `KeystoreAliasInvalid` (blocked) when an alias is bad or occurs twice. */
export function checkAnchors(anchors: readonly TrustedEntry[]): void {
  if (anchors.length === 0) throw new Error('a truststore needs an anchor')
  const seen = new Set<string>()
  for (const { alias } of anchors) {
    checkAlias(alias)
    const folded = javaAlias(alias)
    if (seen.has(folded))
      throw refusedAlias(alias, 'occurs twice (Java does not tell capital letters from small ones)', 'give each its own')
    seen.add(folded)
  }
}

/** Throws `KeystoreAliasInvalid` (blocked) for an alias that a reader would lose or change. */
export function checkAlias(alias: string): void {
  if (alias === '') throw refusedAlias(alias, 'is empty', 'write a name, such as "certificate"')
  if (alias.length > MAX_ALIAS) throw refusedAlias(alias.slice(0, 20), `begins an alias of more than ${MAX_ALIAS} characters`, 'shorten it')
  if (/\p{Cc}/u.test(alias)) throw refusedAlias(alias, 'holds a control character', 'leave it out')
  if (!alias.isWellFormed()) throw refusedAlias(alias, 'holds half of a character', 'write whole ones')
}

/** As Java looks an alias up (`toLowerCase(Locale.ENGLISH)` in JavaKeyStore and PKCS12KeyStore); JavaScript's folding has no locale either. */
export function javaAlias(alias: string): string {
  return alias.toLowerCase()
}

function refusedAlias(alias: string, rule: string, remedy: string): OperatorError {
  return new OperatorError('blocked', 'KeystoreAliasInvalid', `the keystore alias ${JSON.stringify(alias)} ${rule}: ${remedy}`)
}
