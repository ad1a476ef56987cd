// Builds the certificates of CAs with @peculiar/x509. Used by signing only. A CA certificate is made once in months, so the library's cost does not
// matter. Loading it takes up to 80 ms, so whoever has an event loop that must not be held loads it beforehand.
// The library validates nothing; what comes here is validated, and names go in as structures, never as text to be parsed.

import type { KeyObject, webcrypto } from 'node:crypto'
import type { Instant } from '../base/instant.ts'
import type { KeyType } from './key-type.ts'

/** What a root says beside what its key decides. */
export interface RootContent {
  /** Hex, minimal and positive. */
  readonly serialNumber: string
  readonly commonName: string
  /** Whole seconds. */
  readonly notBefore: Instant
  readonly notAfter: Instant
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  readonly keyType: KeyType
  /** Subject and authority key identifier, lower-case hex. */
  readonly keyID: string
  readonly uri: string
}

type Algorithm = { readonly name: string; readonly namedCurve?: string; readonly hash?: string }

/** How each kind of key signs: each curve with the hash of its strength (RFC 5758 section 3.2, RFC 8410 section 3, RFC 4055 section 5). */
const ALGORITHMS = {
  ECDSAP256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  ECDSAP384: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  ECDSAP521: { name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA-512' },
  ED25519: { name: 'Ed25519' },
  RSA3072: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  RSA4096: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
} as const satisfies Record<KeyType, Algorithm>

/** Loads what buildRoot needs. */
export async function loadCaLibrary(): Promise<void> {
  await import('./x509-library.ts')
}

/** The DER of a self-signed root: no path length, because with 0 its cross-certificate would be refused by OpenSSL and Go. */
export async function buildRoot(content: RootContent): Promise<Buffer> {
  const library = await import('./x509-library.ts')
  const algorithm: Algorithm = ALGORITHMS[content.keyType]
  const name = new library.Name([{ CN: [{ utf8String: content.commonName }] }])
  const certificate = await library.X509CertificateGenerator.create({
    serialNumber: content.serialNumber,
    subject: name,
    issuer: name,
    notBefore: new Date(content.notBefore),
    notAfter: new Date(content.notAfter),
    publicKey: new Uint8Array(content.publicKey.export({ format: 'der', type: 'spki' })),
    signingKey: content.privateKey.toCryptoKey(algorithm as webcrypto.EcKeyImportParams, false, ['sign']) as CryptoKey,
    signingAlgorithm: algorithm as EcdsaParams,
    extensions: [
      new library.BasicConstraintsExtension(true, undefined, true),
      new library.KeyUsagesExtension(library.KeyUsageFlags.keyCertSign | library.KeyUsageFlags.cRLSign, true),
      new library.SubjectKeyIdentifierExtension(content.keyID),
      new library.AuthorityKeyIdentifierExtension(content.keyID),
      new library.SubjectAlternativeNameExtension([{ type: 'url', value: content.uri }], false),
    ],
  })
  return Buffer.from(certificate.rawData)
}
