import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { formatInstant, formatMicroInstant, parseInstant } from '../../../src/base/instant.ts'

const AT = Date.UTC(2026, 10, 24, 7, 9, 3, 456)

it('is written in whole seconds, or with six digits where the API wants them', () => {
  expect([formatInstant(AT), formatMicroInstant(AT)]).toEqual(['2026-11-24T07:09:03Z', '2026-11-24T07:09:03.456000Z'])
})

it('reads back from its own text', () => {
  const instants = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) })
  fc.assert(
    fc.property(instants, (at) =>
      expect([parseInstant(formatInstant(at)), parseInstant(formatMicroInstant(at))]).toEqual([Math.floor(at / 1000) * 1000, at]),
    ),
  )
})

describe('a text', () => {
  it.each<[string, number]>([
    ['2026-11-24T07:09:03Z', AT - 456],
    ['2026-11-24T08:09:03+01:00', AT - 456],
    ['2026-11-24T07:09:03.456Z', AT],
    ['2026-11-24T07:09:03.456789012Z', AT],
  ])('%s is an instant', (text, at) => {
    expect(parseInstant(text)).toBe(at)
  })

  it.each([
    '',
    'now',
    '2026-11-24',
    '2026-11-24T07:09:03',
    '2026-11-24 07:09:03Z',
    '2026-13-24T07:09:03Z',
    '2026-11-24T25:09:03Z',
    '1764000000',
    'Tue, 24 Nov 2026',
    ' 2026-11-24T07:09:03Z',
  ])('%j is none', (text) => {
    expect(parseInstant(text)).toBeUndefined()
  })
})
