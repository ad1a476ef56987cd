import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { formatPem, parsePem } from '../../../src/pki/pem.ts'
import { accepted, refused } from '../../support/refusals.ts'

const one = formatPem('CERTIFICATE', Buffer.alloc(100, 7))
const two = formatPem('PRIVATE KEY', Buffer.alloc(5, 1))
const lines = one.trimEnd().split('\n')

describe('PEM', () => {
  it('is written with LF, 64 columns and a final newline', () => {
    expect(one).toMatch(
      /^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/]{64}\n[A-Za-z0-9+/]{64}\n[A-Za-z0-9+/=]{8}\n-----END CERTIFICATE-----\n$/,
    )
  })

  it.each([
    ['blocks', one + two, 2],
    ['blocks with blank lines around them', `\n \t\n${one}\n\n${two}\n  \n`, 2],
    ['CRLF', one.replaceAll('\n', '\r\n'), 1],
    ['no final newline', one.trimEnd(), 1],
    ['nothing', '', 0],
    ['blank lines', ' \n\n', 0],
    ['lines of another width', `${lines[0]}\n${lines.slice(1, -1).join('')}\n${lines.at(-1)}\n`, 1],
  ])('may be %s', (_name, text, count) => {
    expect(parsePem(text)).toHaveLength(count)
    if (count > 0) expect(parsePem(text)[0]).toEqual({ label: 'CERTIFICATE', der: Buffer.alloc(100, 7) })
  })

  it.each([
    ['a byte order mark', `\ufeff${one}`, /byte order mark/],
    ['a byte order mark read as latin1', `\u00ef\u00bb\u00bf${one}`, /byte order mark/],
    ['text before the first block', `hello\n${one}`, /before the first block there is something/],
    ['text between blocks', `${one}hello\n${two}`, /after block 1 there is something/],
    ['text after the last block', `${one}hello`, /after block 1 there is something/],
    ['two blocks without a newline between them', one.trimEnd() + two, /block 1 \(CERTIFICATE\) has no END line/],
    ['a block that does not end', one + lines.slice(0, -1).join('\n'), /block 2 \(CERTIFICATE\) has no END/],
    ['a block that ends as another', one.replace('END CERTIFICATE', 'END X509 CRL'), /block 1 \(CERTIFICATE\) has no END/],
    ['a block inside a block', `${lines[0]}\n${one}`, /block 1 \(CERTIFICATE\) has a boundary inside/],
    ['headers', `${lines[0]}\nProc-Type: 4,ENCRYPTED\n\n${lines.slice(1).join('\n')}`, /headers/],
    ['an empty block', `${lines[0]}\n${lines.at(-1)}`, /block 1 .* empty/],
    ['an empty line inside', one.replace('\n', '\n\n'), /empty line/],
    ['a blank at the end of a line', one.replace(/\n$/, '').replace('=\n', '= \n'), /not base64/],
    ['a blank after the boundary', one.replace('BEGIN CERTIFICATE-----', 'BEGIN CERTIFICATE----- '), /before the first block/],
    ['a blank before the boundary', ` ${one}`, /before the first block/],
    ['a label in lower case', one.replaceAll('CERTIFICATE', 'certificate'), /before the first block/],
    ['base64url', one.replace('\nBw', '\n_w'), /not base64/],
    ['missing padding', one.replaceAll('=', ''), /not canonical base64/],
    ['padding in the middle', one.replace('\n', '\nAA==\n'), /not base64/],
    ['bits after the last octet', formatPem('X', Buffer.of(0)).replace('AA==', 'AB=='), /block 1 \(X\) is not canonical base64/],
    ['a bad second block', one + one.replace('\nBw', '\n!w'), /block 2 \(CERTIFICATE\) is not base64/],
    ['a text over 1 MiB', ' '.repeat(1024 * 1024 + 1), /1048577 bytes, 1048576 are allowed/],
    ['more than 256 blocks', two.repeat(257), /more than 256 blocks/],
  ])('must not have %s', (_name, text, message) => {
    expect(refused(() => parsePem(text))).toMatch(/^PemInvalid: PEM refused: /)
    expect(refused(() => parsePem(text))).toMatch(message)
  })

  it('has the limits that its reader sets', () => {
    expect(parsePem(two.repeat(2), { maxBlocks: 2 })).toHaveLength(2)
    expect(refused(() => parsePem(two.repeat(3), { maxBlocks: 2 }))).toMatch(/more than 2 blocks/)
    expect(refused(() => parsePem(two, { maxBytes: two.length - 1 }))).toMatch(/are allowed/)
  })

  it('that was written is read back as it was', () => {
    const block = fc.record({
      label: fc.constantFrom('CERTIFICATE', 'PRIVATE KEY', 'X509 CRL'),
      der: fc.uint8Array({ minLength: 1, maxLength: 200 }),
    })
    fc.assert(
      fc.property(fc.array(block, { maxLength: 4 }), (blocks) => {
        const text = blocks.map(({ label, der }) => formatPem(label, der)).join('')
        expect(parsePem(text)).toEqual(blocks.map(({ label, der }) => ({ label, der: Buffer.from(der) })))
      }),
    )
  })

  it('that is accepted in any spelling is the same in the canonical one', () => {
    const text = one + two
    fc.assert(
      fc.property(
        fc.nat(text.length),
        fc.string({ maxLength: 3, unit: fc.constantFrom('\n', '\r', ' ', '-', 'A', '=', '\0') }),
        (at, by) => {
          const blocks = accepted(() => parsePem(text.slice(0, at) + by + text.slice(at + 1)))
          if (!blocks) return
          expect(parsePem(blocks.map(({ label, der }) => formatPem(label, der)).join(''))).toEqual(blocks)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('is refused and never repeated when it is something else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 9 }), (text) => {
        if (text.trim() === '') return
        expect(refused(() => parsePem(text))).not.toContain(text)
      }),
    )
  })
})
