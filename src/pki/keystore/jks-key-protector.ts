// How JKS hides a private key: XOR with a chain of SHA-1 digests, after sun.security.provider.KeyProtector (OpenJDK). Used by jks.ts only.
// It is no encryption to rely on, and must not be used for anything else.

import { createHash } from 'node:crypto'
import type { Random } from '../../base/random.ts'
import { element, octetString, oid, sequence } from '../der-writer.ts'

/** KnownOIDs.JAVASOFT_JDKKeyProtector. */
const KEY_PROTECTOR = '1.3.6.1.4.1.42.2.17.1.1'
const NULL = 0x05
/** Octets; that of SHA-1. */
const SALT_LENGTH = 20

/** EncryptedPrivateKeyInfo (RFC 5208 section 6) of salt, masked PKCS#8 and the digest of password and PKCS#8. `password`: UTF-16, big-endian. */
export function protectKey(plain: Buffer, password: Buffer, random: Random): Buffer {
  const salt = random.bytes(SALT_LENGTH)
  const check = sha1(password, plain)
  const masked = mask(plain, password, salt)
  const algorithm = sequence(oid(KEY_PROTECTOR), element(NULL))
  return sequence(algorithm, octetString(Buffer.concat([salt, masked, check])))
}

/** `plain` XOR d1 d2 ..., where d1 = SHA-1(password, salt) and each next one = SHA-1(password, the one before). */
function mask(plain: Buffer, password: Buffer, salt: Uint8Array): Buffer {
  const masked = Buffer.alloc(plain.length)
  let digest = salt
  for (let at = 0; at < plain.length; at += digest.length) {
    digest = sha1(password, digest)
    for (let index = 0; index < digest.length && at + index < plain.length; index++) {
      masked[at + index] = (plain[at + index] as number) ^ (digest[index] as number)
    }
  }
  return masked
}

function sha1(...parts: readonly Uint8Array[]): Buffer {
  const digest = createHash('sha1')
  for (const part of parts) digest.update(part)
  return digest.digest()
}
