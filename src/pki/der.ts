// A strict reader of DER (X.690 section 10): definite minimal lengths, low tags, nothing left over. Used by the readers of
// certificates and keys beside it. It knows no X.509 and makes no copies: elements are views into the bytes that were read.

import { OperatorError } from '../base/errors.ts'
import type { Instant } from '../base/instant.ts'

/** One element; `whole` is header and content. */
export interface Element {
  readonly tag: number
  readonly content: Buffer
  readonly whole: Buffer
}

/** Identifier octets (X.690 section 8.1.2). */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const

/** The error of bytes that are not what they should be. */
export function malformed(detail: string): OperatorError {
  return new OperatorError('blocked', 'CertificateInvalid', `the certificate is refused: ${detail}`)
}

/** The one element that `bytes` consist of. */
export function readElement(bytes: Buffer, tag: number, what: string): Element {
  const element = elementAt(bytes, 0, what)
  if (element.whole.length !== bytes.length) throw malformed(`${what} is followed by something`)
  return expectTag(element, tag, what)
}

/** The elements inside a constructed one. */
export function readElements(content: Buffer, what: string): Element[] {
  const elements: Element[] = []
  for (let at = 0; at < content.length; ) {
    const element = elementAt(content, at, what)
    elements.push(element)
    at += element.whole.length
  }
  return elements
}

/** `element` when it has this tag. */
export function expectTag(element: Element | undefined, tag: number, what: string): Element {
  if (!element) throw malformed(`${what} is missing`)
  if (element.tag !== tag) throw malformed(`${what} has the wrong type`)
  return element
}

/** The content of an INTEGER, which must be minimal and not negative, without its sign octet. */
export function readUnsigned(element: Element | undefined, what: string): Buffer {
  const { content } = expectTag(element, TAG.integer, what)
  const [first, second] = content
  if (first === undefined) throw malformed(`${what} is empty`)
  if (first >= 0x80) throw malformed(`${what} is negative`)
  if (first === 0 && second !== undefined && second < 0x80) throw malformed(`${what} is not minimal`)
  return first === 0 && content.length > 1 ? content.subarray(1) : content
}

/** A small INTEGER, 0 to 255. */
export function readSmallInteger(element: Element, what: string): number {
  const bytes = readUnsigned(element, what)
  if (bytes.length > 1) throw malformed(`${what} is too large`)
  return bytes[0] as number
}

/** A BOOLEAN; in DER true is 0xff. A false one that stands where it is the default is refused by the caller's structure. */
export function readBoolean(element: Element, what: string): boolean {
  const { content } = expectTag(element, TAG.boolean, what)
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw malformed(`${what} is no boolean`)
  return content[0] === 0xff
}

/** The octets of a BIT STRING and how many bits at its end are unused. */
export function readBitString(element: Element | undefined, what: string): { bytes: Buffer; unused: number } {
  const { content } = expectTag(element, TAG.bitString, what)
  const unused = content[0]
  if (unused === undefined || unused > 7 || (content.length === 1 && unused > 0)) throw malformed(`${what} is no bit string`)
  const bytes = content.subarray(1)
  if (((bytes.at(-1) ?? 0) & ((1 << unused) - 1)) !== 0) throw malformed(`${what} has padding that is not zero`)
  return { bytes, unused }
}

/** An OBJECT IDENTIFIER in dotted form. */
export function readOid(element: Element | undefined, what: string): string {
  const { content } = expectTag(element, TAG.oid, what)
  let text = ''
  let arc = 0
  let fresh = true
  for (const byte of content) {
    if (fresh && byte === 0x80) throw malformed(`${what} is not minimal`)
    arc = arc * 128 + (byte & 0x7f)
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw malformed(`${what} is too large`)
    fresh = byte < 0x80
    if (fresh) {
      text += text === '' ? firstArcs(arc) : `.${arc}`
      arc = 0
    }
  }
  if (text === '' || !fresh) throw malformed(`${what} is cut off`)
  return text
}

/** The first two arcs share a number (X.690 section 8.19.4). */
function firstArcs(both: number): string {
  const root = Math.min(Math.floor(both / 40), 2)
  return `${root}.${both - root * 40}`
}

/** UTCTime or GeneralizedTime in the only form of RFC 5280 section 4.1.2.5: whole seconds, UTC. */
export function readTime(element: Element | undefined, what: string): Instant {
  const text = element?.content.toString('latin1') ?? ''
  const full = element?.tag === TAG.utcTime ? (Number(text.slice(0, 2)) < 50 ? '20' : '19') + text : text
  if ((element?.tag !== TAG.utcTime && element?.tag !== TAG.generalizedTime) || !/^\d{14}Z$/.test(full)) {
    throw malformed(`${what} is no time in UTC with seconds`)
  }
  const day = full.slice(6, 8)
  const time = `${full.slice(8, 10)}:${full.slice(10, 12)}:${full.slice(12, 14)}`
  const at = new Date(`${full.slice(0, 4)}-${full.slice(4, 6)}-${day}T${time}Z`)
  // Date takes 30 February for 1 March, and 24:00 for the day after. What is no time at all has no day.
  if (at.getUTCDate() !== Number(day)) throw malformed(`${what} is no time that exists`)
  return at.getTime()
}

function elementAt(bytes: Buffer, at: number, what: string): Element {
  const tag = bytes[at]
  let length = bytes[at + 1]
  if (tag === undefined || length === undefined) throw malformed(`${what} is cut off`)
  if ((tag & 0x1f) === 0x1f) throw malformed(`${what} has a tag that is not used in certificates`)
  let start = at + 2
  if (length >= 0x80) {
    const octets = length & 0x7f
    if (octets < 1 || octets > 3) throw malformed(`${what} has a length that is not allowed`)
    length = 0
    for (let i = 0; i < octets; i++) {
      const octet = bytes[start + i]
      if (octet === undefined) throw malformed(`${what} is cut off`)
      length = length * 256 + octet
    }
    if (length < 0x80 || length < 256 ** (octets - 1)) throw malformed(`${what} has a length that is not minimal`)
    start += octets
  }
  const end = start + length
  if (end > bytes.length) throw malformed(`${what} is cut off`)
  return { tag, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) }
}
