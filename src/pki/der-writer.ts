// A writer of DER (X.690 section 10), as much of it as certificates need. Used by the encoder of certificates only.
// It validates nothing: what comes here is of types that cannot be wrong.

import type { Instant } from '../base/instant.ts'
import { TAG } from './der.ts'

/** One element of the concatenated `contents`. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  let length = 0
  for (const content of contents) length += content.length
  const header = headerOf(tag, length)
  const bytes = Buffer.allocUnsafe(header.length + length)
  bytes.set(header)
  let at = header.length
  for (const content of contents) {
    bytes.set(content, at)
    at += content.length
  }
  return bytes
}

/** Minimal length octets; nothing here comes near 16 MiB. */
function headerOf(tag: number, length: number): number[] {
  if (length < 0x80) return [tag, length]
  if (length < 0x100) return [tag, 0x81, length]
  if (length < 0x10000) return [tag, 0x82, length >> 8, length & 0xff]
  return [tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff]
}

export const sequence = (...contents: readonly Uint8Array[]): Buffer => element(TAG.sequence, ...contents)
export const octetString = (content: Uint8Array): Buffer => element(TAG.octetString, content)
export const TRUE = element(TAG.boolean, Buffer.of(0xff))

/** A BIT STRING of whole octets. */
export const bitString = (content: Uint8Array): Buffer => element(TAG.bitString, Buffer.of(0), content)

/** An OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return element(TAG.oid, Buffer.from([first * 40 + second, ...rest].flatMap(base128)))
}

function base128(arc: number): number[] {
  const digits = [arc % 128]
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift((rest % 128) | 0x80)
  return digits
}

/** Named bits (X.690 section 11.2.2: no zero bits at the end). `bits` are their numbers, 0 to 7. */
export function namedBits(...bits: readonly number[]): Buffer {
  const octet = bits.reduce((octets, bit) => octets | (0x80 >> bit), 0)
  return element(TAG.bitString, Buffer.of(7 - Math.max(...bits), octet))
}

/** Whole seconds in UTC: UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280 section 4.1.2.5). */
export function time(at: Instant): Buffer {
  const digits = new Date(at).toISOString().slice(0, 19).replace(/[-:T]/g, '')
  const utc = digits < '2050' && digits >= '1950'
  return element(utc ? TAG.utcTime : TAG.generalizedTime, Buffer.from(`${utc ? digits.slice(2) : digits}Z`, 'latin1'))
}
