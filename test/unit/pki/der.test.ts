import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  readBitString,
  readBoolean,
  readElement,
  readElements,
  readOid,
  readSmallInteger,
  readTime,
  readUnsigned,
  TAG,
} from '../../../src/pki/der.ts'
import { element, oid, time } from '../../../src/pki/der-writer.ts'
import { accepted, refused } from '../../support/refusals.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const one = (text: string) => readElements(hex(text), 'it')[0]

describe('the DER reader', () => {
  it.each([0, 1, 127, 128, 255, 256, 65_535, 65_536])('reads back %d octets of content', (length) => {
    const content = Buffer.alloc(length, 1)
    const whole = element(TAG.octetString, content)
    expect(readElement(whole, TAG.octetString, 'it')).toEqual({ tag: TAG.octetString, content, whole })
  })

  it.each([
    ['nothing', '', /cut off/],
    ['a tag alone', '04', /cut off/],
    ['less than it says', '04 02 01', /cut off/],
    ['something after it', '04 01 01 00', /followed/],
    ['another tag', '05 00', /wrong type/],
    ['an indefinite length', '04 80 00 00', /length that is not allowed/],
    ['a length in more octets than needed', '04 81 01 01', /not minimal/],
    ['a length with a leading zero', `04 82 00 80 ${'00'.repeat(128)}`, /not minimal/],
    ['a length of four octets', '04 84 00 00 00 01 01', /length that is not allowed/],
    ['a cut off length', '04 82 01', /cut off/],
    ['a high tag', '1f 81 01 00', /tag/],
  ])('refuses %s', (_name, text, message) => {
    expect(refused(() => readElement(hex(text), TAG.octetString, 'it'))).toMatch(message)
  })

  it.each([
    ['02 01 00', '00'],
    ['02 01 7f', '7f'],
    ['02 02 00 80', '80'],
    ['02 02 01 00', '0100'],
  ])('reads the number %s', (text, octets) => {
    expect(readUnsigned(one(text), 'it').toString('hex')).toBe(octets)
  })

  it.each([
    ['02 00', /empty/],
    ['02 01 80', /negative/],
    ['02 02 00 7f', /not minimal/],
    ['04 01 01', /wrong type/],
  ])('refuses the number %s', (text, message) => {
    expect(refused(() => readUnsigned(one(text), 'it'))).toMatch(message)
  })

  it('refuses a small number that is large', () => {
    expect(readSmallInteger(readElement(hex('02 02 00 ff'), TAG.integer, 'it'), 'it')).toBe(255)
    expect(refused(() => readSmallInteger(readElement(hex('02 02 01 00'), TAG.integer, 'it'), 'it'))).toMatch(/too large/)
  })

  it('takes only DER for a boolean', () => {
    expect(readBoolean(readElement(hex('01 01 ff'), TAG.boolean, 'it'), 'it')).toBe(true)
    expect(readBoolean(readElement(hex('01 01 00'), TAG.boolean, 'it'), 'it')).toBe(false)
    expect(refused(() => readBoolean(readElement(hex('01 01 01'), TAG.boolean, 'it'), 'it'))).toMatch(/no boolean/)
    expect(refused(() => readBoolean(readElement(hex('01 00'), TAG.boolean, 'it'), 'it'))).toMatch(/no boolean/)
  })

  it.each([
    ['03 00', /no bit string/],
    ['03 01 01', /no bit string/],
    ['03 02 08 00', /no bit string/],
    ['03 02 01 01', /padding/],
  ])('refuses the bit string %s', (text, message) => {
    expect(refused(() => readBitString(one(text), 'it'))).toMatch(message)
  })

  it.each(['1.2.840.113549.1.1.11', '2.5.29.17', '0.9.2342.19200300.100.1.1', '2.999.1', '1.3.6.1.4.1.311.21.10'])(
    'reads back the OID %s',
    (text) => {
      const encoded = text === '2.999.1' ? hex('06 03 88 37 01') : oid(text)
      expect(readOid(readElement(encoded, TAG.oid, 'it'), 'it')).toBe(text)
    },
  )

  it.each([
    ['06 00', /cut off/],
    ['06 02 2a 86', /cut off/],
    ['06 03 2a 80 01', /not minimal/],
    [`06 0b 2a ${'ff'.repeat(9)} 7f`, /too large/],
  ])('refuses the OID %s', (text, message) => {
    expect(refused(() => readOid(one(text), 'it'))).toMatch(message)
  })

  it.each([
    ['1950-01-01T00:00:00Z', TAG.utcTime],
    ['2049-12-31T23:59:59Z', TAG.utcTime],
    ['2050-01-01T00:00:00Z', TAG.generalizedTime],
    ['1949-12-31T23:59:59Z', TAG.generalizedTime],
    ['9999-12-31T23:59:59Z', TAG.generalizedTime],
    ['2028-02-29T12:00:00Z', TAG.utcTime],
  ])('reads back %s', (text, tag) => {
    const at = Date.parse(text)
    const written = readElement(time(at), tag, 'it')
    expect(readTime(written, 'it')).toBe(at)
  })

  it.each([
    [TAG.utcTime, '2611240709Z'],
    [TAG.utcTime, '261124070903+0100'],
    [TAG.utcTime, '261324070903Z'],
    [TAG.utcTime, '260230070903Z'],
    [TAG.utcTime, '261124240000Z'],
    [TAG.utcTime, '261124070960Z'],
    [TAG.utcTime, '20261124070903Z'],
    [TAG.generalizedTime, '20261124070903.5Z'],
    [TAG.generalizedTime, '261124070903Z'],
    [TAG.generalizedTime, '20261124070903'],
    [TAG.ia5String, '261124070903Z'],
  ])('refuses the time %d %s', (tag, text) => {
    const [written] = readElements(element(tag, Buffer.from(text)), 'it')
    expect(refused(() => readTime(written, 'it'))).toMatch(/no time/)
  })

  it('throws nothing but refusals, and what it accepts is written the same again', () => {
    const near = fc
      .tuple(fc.constantFrom(0x30, 0x04), fc.nat(5), fc.uint8Array({ maxLength: 6 }))
      .map(([tag, length, rest]) => Buffer.from([tag, length, ...rest]))
    fc.assert(
      fc.property(
        fc.oneof(
          near,
          fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
        ),
        (bytes) => {
          const elements = accepted(() => readElements(bytes, 'it'))
          if (elements) expect(Buffer.concat(elements.map(({ tag, content }) => element(tag, content)))).toEqual(bytes)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
