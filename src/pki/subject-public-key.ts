// The public keys of certificates as octets (SubjectPublicKeyInfo, RFC 5280 section 4.1.2.7), and of which of our kinds they are.
// Used by whoever makes keys, asks for certificates or reads its own. It makes no key, and judges only keys that were made here: what others
// send is decoded by OpenSSL (certificate.ts).

import type { KeyType } from './key-type.ts'

/** A public key on its way into a certificate. A KeyObject of it would cost more than the key itself. */
export interface SubjectPublicKey {
  readonly type: KeyType
  /** DER SubjectPublicKeyInfo. */
  readonly der: Buffer
}

/** How OpenSSL writes a key: what is the same for all of a kind, then `bits` octets of the key itself. */
interface Form {
  readonly head: Buffer
  readonly bits: number
}

const form = (head: string, bits: number): Form => ({ head: Buffer.from(head, 'hex'), bits })

/** RFC 5480 (with the mark of a point that is not compressed), RFC 8410, RFC 8017 (a modulus, then 65537). */
const FORMS: Readonly<Record<KeyType, Form>> = {
  ECDSAP256: form('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 64),
  ECDSAP384: form('3076301006072a8648ce3d020106052b8104002203620004', 96),
  ECDSAP521: form('30819b301006072a8648ce3d020106052b810400230381860004', 132),
  ED25519: form('302a300506032b6570032100', 32),
  RSA3072: form('308201a2300d06092a864886f70d01010105000382018f003082018a0282018100', 384 + 5),
  RSA4096: form('30820222300d06092a864886f70d01010105000382020f003082020a0282020100', 512 + 5),
}

/** Which of our kinds a key is that was made here; undefined for all others, and for other ways to write one of ours. */
export function keyTypeOfDer(spki: Buffer): KeyType | undefined {
  for (const [type, { head, bits }] of Object.entries(FORMS)) {
    if (spki.length === head.length + bits && spki.subarray(0, head.length).equals(head)) return type as KeyType
  }
  return undefined
}
