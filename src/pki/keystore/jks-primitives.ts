// The primitives of java.io.DataOutput, as much of them as JKS needs. Used by jks.ts only. It knows nothing of keys and certificates.

/** `writeInt`: four octets, the highest first. `value` from 0 to 2^32 - 1. */
export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** `writeLong`: eight octets, the highest first. */
export function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

/**
 * `writeUTF`: the length in two octets, then modified UTF-8, in which each UTF-16 unit stands for itself (a character above U+FFFF has six
 * octets) and U+0000 has two (java.io.DataInput, "Modified UTF-8"). Throws RangeError (a bug) above 65,535 octets.
 */
export function utf(text: string): Buffer {
  const octets = Array.from({ length: text.length }, (_, at) => modifiedUtf8(text.charCodeAt(at))).flat()
  const length = Buffer.alloc(2)
  length.writeUInt16BE(octets.length)
  return Buffer.concat([length, Buffer.from(octets)])
}

function modifiedUtf8(unit: number): number[] {
  if (unit >= 0x01 && unit <= 0x7f) return [unit]
  const last = 0x80 | (unit & 0x3f)
  if (unit <= 0x7ff) return [0xc0 | (unit >> 6), last]
  return [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), last]
}
