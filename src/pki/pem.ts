// PEM, strictly (RFC 7468): what is accepted here is read alike by every TLS library. Two blocks without a newline between them make
// Node lose both silently, and a bad block in the middle makes it drop the rest, so anything unusual refuses the whole text.
// Used by everything that reads keys, chains and bundles. A message never repeats the text: it may be a private key.

import { OperatorError } from '../base/errors.ts'

/** One block. */
export interface PemBlock {
  readonly label: string
  readonly der: Buffer
}

export interface PemLimits {
  /** Characters of the whole text; default 1 MiB. */
  readonly maxBytes?: number
  /** Default 256. */
  readonly maxBlocks?: number
}

const MAX_BYTES = 1024 * 1024
const MAX_BLOCKS = 256

const BEGIN = /^-----BEGIN ([A-Z0-9]+(?: [A-Z0-9]+)*)-----$/
const BLANK = /^[ \t]*$/
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/**
 * Reads all blocks of `text`; none is an empty list. Between blocks only blank lines, no headers, no byte order mark, base64 as a
 * generator writes it (lines of any width, no blanks, no superfluous bits). LF or CRLF.
 * Throws `PemInvalid` (blocked) with the number of the bad block, from 1.
 */
export function parsePem(text: string, limits: PemLimits = {}): PemBlock[] {
  const { maxBytes = MAX_BYTES, maxBlocks = MAX_BLOCKS } = limits
  if (text.length > maxBytes) throw invalid(`the text has ${text.length} bytes, ${maxBytes} are allowed`)
  if (text.startsWith('\ufeff') || text.startsWith('\u00ef\u00bb\u00bf')) throw invalid('the text begins with a byte order mark')
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  const blocks: PemBlock[] = []
  for (let at = 0; at < lines.length; at++) {
    if (BLANK.test(lines[at] as string)) continue
    const number = blocks.length + 1
    if (number > maxBlocks) throw invalid(`there are more than ${maxBlocks} blocks`)
    const label = beginLabel(lines[at] as string, number)
    const end = lines.indexOf(`-----END ${label}-----`, at + 1)
    if (end < 0) throw invalid(`block ${number} (${label}) has no END line of its own`)
    blocks.push({ label, der: decode(lines.slice(at + 1, end), `block ${number} (${label})`) })
    at = end
  }
  return blocks
}

/** Writes one block: LF, 64 columns, a final newline. */
export function formatPem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64')
  const lines = base64.match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

function beginLabel(line: string, number: number): string {
  const label = BEGIN.exec(line)?.[1]
  if (label !== undefined) return label
  const where = number === 1 ? 'before the first block' : `after block ${number - 1}`
  throw invalid(`${where} there is something that is no PEM block`)
}

function decode(lines: readonly string[], where: string): Buffer {
  if (lines.some((line) => line.includes('-----'))) throw invalid(`${where} has a boundary inside`)
  if (lines.some((line) => line.includes(':'))) throw invalid(`${where} has headers, which are not allowed`)
  if (lines.length === 0 || lines.includes('')) throw invalid(`${where} has an empty line inside, or is empty`)
  const base64 = lines.join('')
  if (!BASE64.test(base64)) throw invalid(`${where} is not base64`)
  const der = Buffer.from(base64, 'base64')
  if (der.toString('base64') !== base64) throw invalid(`${where} is not canonical base64`)
  return der
}

function invalid(detail: string): OperatorError {
  return new OperatorError('blocked', 'PemInvalid', `PEM refused: ${detail}`)
}
