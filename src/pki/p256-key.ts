// The two halves of a P-256 key in DER, as OpenSSL exports them: its own export takes twice as long as making the key. Used by the maker of
// keys only. It makes no key, and keeps none.

/** SubjectPublicKeyInfo (RFC 5480) up to the point. */
const PUBLIC_HEAD = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex')
/** PKCS#8 (RFC 5958) with an ECPrivateKey (RFC 5915) up to the number, and from there to the point. */
const PRIVATE_HEAD = Buffer.from('308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420', 'hex')
const PRIVATE_MIDDLE = Buffer.from('a144034200', 'hex')
/** Octets of the private number and of a point that is not compressed. */
const SCALAR = 32
const POINT = 65

/**
 * The key of `scalar` (which comes without leading zeros) and `point`. Both buffers of the private half are the caller's to zero.
 * Throws (a bug) where either cannot be of this curve, without a word about it.
 */
export function p256Der(scalar: Buffer, point: Buffer): { publicKey: Buffer; privateKey: Buffer } {
  if (scalar.length > SCALAR || point.length !== POINT || point[0] !== 0x04) throw new Error('these are not the halves of a P-256 key')
  // Memory of its own, not of the common pool, and all zeros.
  const privateKey = Buffer.alloc(PRIVATE_HEAD.length + SCALAR + PRIVATE_MIDDLE.length + POINT)
  privateKey.set(PRIVATE_HEAD)
  const end = PRIVATE_HEAD.length + SCALAR
  privateKey.set(scalar, end - scalar.length)
  privateKey.set(PRIVATE_MIDDLE, end)
  privateKey.set(point, end + PRIVATE_MIDDLE.length)
  return { publicKey: Buffer.concat([PUBLIC_HEAD, point]), privateKey }
}
