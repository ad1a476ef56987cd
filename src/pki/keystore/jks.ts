// Keystores in the old format of Java, "JKS" version 2, as sun.security.provider.JavaKeyStore (OpenJDK, engineStore) writes them: for programs
// that cannot be told to read PKCS#12. Used by whoever renders a leaf Secret. The format protects a key with SHA-1 alone, so a store must be
// kept as safe as the plain key; nothing else may be built on this code.

import { createHash } from 'node:crypto'
import type { Instant } from '../../base/instant.ts'
import type { Random } from '../../base/random.ts'
import type { Certificate } from '../certificate.ts'
import { checkAlias, checkAnchors, javaAlias, type KeyStoreContent, splitChain, type TrustStoreContent } from './content.ts'
import { protectKey } from './jks-key-protector.ts'
import { int32, int64, utf } from './jks-primitives.ts'
import { checkKeystorePassword } from './password.ts'

const MAGIC = 0xfeedfeed
const VERSION = 2
const KEY_ENTRY = 1
const CERTIFICATE_ENTRY = 2
/** Stands between password and content in the digest (JavaKeyStore.getPreKeyedHash). */
const WHITENER = 'Mighty Aphrodite'

/**
 * One key entry with its chain; alias in small letters, because Java finds no other. Needs 20 bytes of `random`.
 * Throws `KeystorePasswordInvalid` or `KeystoreAliasInvalid` (blocked).
 */
export function jksKeyStore(content: KeyStoreContent & { readonly createdAt: Instant }, random: Random): Buffer {
  const { alias, privateKey, chain, password, createdAt } = content
  checkKeystorePassword(password, 'JKS')
  checkAlias(alias)
  splitChain(chain)
  return withPassword(password, (passwordBytes) => {
    const protectedKey = protectKey(privateKey, passwordBytes, random)
    const parts = [entryHead(KEY_ENTRY, alias, createdAt), int32(protectedKey.length), protectedKey, int32(chain.length)]
    return sealed([Buffer.concat([...parts, ...chain.map(certificateOf)])], passwordBytes)
  })
}

/** One trusted entry an anchor. Nothing in it is random. Throws `KeystorePasswordInvalid` or `KeystoreAliasInvalid` (blocked). */
export function jksTrustStore(content: TrustStoreContent & { readonly createdAt: Instant }): Buffer {
  const { anchors, password, createdAt } = content
  checkKeystorePassword(password, 'JKS')
  checkAnchors(anchors)
  const entries = anchors.map(({ alias, certificate }) =>
    Buffer.concat([entryHead(CERTIFICATE_ENTRY, alias, createdAt), certificateOf(certificate)]),
  )
  return withPassword(password, (passwordBytes) => sealed(entries, passwordBytes))
}

/** The password as Java digests it (JavaKeyStore.convertToBytes): UTF-16, high octet first. Zeroed afterwards. */
function withPassword(password: string, use: (passwordBytes: Buffer) => Buffer): Buffer {
  const passwordBytes = Buffer.from(password, 'utf16le').swap16()
  try {
    return use(passwordBytes)
  } finally {
    passwordBytes.fill(0)
  }
}

function sealed(entries: readonly Buffer[], passwordBytes: Buffer): Buffer {
  const body = Buffer.concat([int32(MAGIC), int32(VERSION), int32(entries.length), ...entries])
  const digest = createHash('sha1').update(passwordBytes).update(WHITENER).update(body).digest()
  return Buffer.concat([body, digest])
}

const entryHead = (tag: number, alias: string, createdAt: Instant): Buffer =>
  Buffer.concat([int32(tag), utf(javaAlias(alias)), int64(createdAt)])

const certificateOf = ({ der }: Certificate): Buffer => Buffer.concat([utf('X.509'), int32(der.length), der])
