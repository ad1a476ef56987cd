// The files that formats add to a leaf Secret besides tls.crt, tls.key and ca.crt: their names, and what is remembered of them.
// Used by the codec of leaf Secrets and by whoever renders them. No rendering here, no IO.

import { hash } from 'node:crypto'
import type { Fingerprint } from '../../pki/fingerprint.ts'
import type { Format } from '../mutual-identity.ts'
import { crowding, dataField, type RawStored } from './common.ts'

/** Files with the private key, by format. */
export const KEY_FILES = {
  CombinedPEM: ['tls-combined.pem'],
  SPIFFE: ['credential-bundle.private-key.x509.pem'],
  PKCS12: ['keystore.p12'],
  JKS: ['keystore.jks'],
  DER: ['key.der'],
} as const satisfies Record<Format, readonly string[]>

/** Files with anchors, by format; SPIFFE has one a trust domain. */
export const TRUST_STORES = { PKCS12: 'truststore.p12', JKS: 'truststore.jks' } as const

const SPIFFE_BUNDLE = '.spiffe-trust-bundle.x509.pem'

/** The anchors of one trust domain, under the name that SPIFFE gives them. */
export const spiffeBundleFile = (trustDomain: string): string => `${trustDomain}${SPIFFE_BUNDLE}`

const WITH_KEY: ReadonlySet<string> = new Set(Object.values(KEY_FILES).flat())
const STORES: ReadonlySet<string> = new Set(Object.values(TRUST_STORES))

/** Whether a file of this name holds the private key. */
export const holdsKey = (name: string): boolean => WITH_KEY.has(name)

const isOurs = (name: string): boolean => WITH_KEY.has(name) || STORES.has(name) || name.endsWith(SPIFFE_BUNDLE)

/** The files in a Secret that formats make, by name; others are somebody else's. */
export function extraFiles(raw: RawStored): Record<string, Buffer> {
  const names = Object.keys((raw.data as Readonly<Record<string, unknown>> | null | undefined) ?? {})
  const ours = names.filter(isOurs)
  return Object.fromEntries(ours.map((name) => [name, dataField(raw, name) ?? Buffer.alloc(0)]))
}

const PEM: ReadonlySet<string> = new Set(['tls.crt', 'tls.key', 'ca.crt'])

/** Files of others in a leaf Secret that take the room of ours. */
export const leafCrowding = (raw: RawStored): readonly string[] => crowding(raw, (name) => PEM.has(name) || isOurs(name))

/** SHA-256 over names and contents, whatever their order; undefined for none. */
export function hashFiles(files: Readonly<Record<string, Buffer>>, names: readonly string[] = Object.keys(files)): Fingerprint | undefined {
  if (names.length === 0) return undefined
  const entries = [...names].sort().map((name) => [name, hash('sha256', files[name] as Buffer)])
  return hash('sha256', JSON.stringify(entries)) as Fingerprint
}
