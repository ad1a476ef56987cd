import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { formatDuration, hours, minutes, parseDuration, seconds } from '../../../src/base/duration.ts'

describe('a duration', () => {
  it.each<[string, number]>([
    ['0s', 0],
    ['250ms', 250],
    ['1.5h', 5_400_000],
    ['90m', 5_400_000],
    ['1h30m', 5_400_000],
    ['30m1h', 5_400_000],
    ['24h', 86_400_000],
    ['2160h', 7_776_000_000],
    ['0.5ms', 1],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each([
    '',
    ' ',
    '1',
    'h',
    '90d',
    '1w',
    '-1h',
    '+1h',
    '1 h',
    '1h ',
    ' 1h',
    '1H',
    '1us',
    '1µs',
    '1e3s',
    '.5h',
    '1.h',
    '1h30',
    '١h',
    '1h\n',
    `${'9'.repeat(20)}h`,
    '1h'.repeat(40),
  ])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })

  it('reads back from its own text, in whole seconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (count) => expect(parseDuration(formatDuration(count * 1000))).toBe(count * 1000)),
    )
  })

  it('reads back from its own text below a second', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 999 }), (ms) => expect(parseDuration(formatDuration(ms))).toBe(ms)))
  })

  it('is the sum of its parts', () => {
    const part = fc.tuple(fc.nat(1000), fc.constantFrom('ms', 's', 'm', 'h'))
    const unit: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
        const sum = parts.reduce((ms, [count, name]) => ms + count * (unit[name] ?? 0), 0)
        expect(parseDuration(parts.map(([count, name]) => `${count}${name}`).join(''))).toBe(sum)
      }),
    )
  })

  it('never comes from any other text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 70 }), (text) => {
        const ms = parseDuration(text)
        expect(ms === undefined || (Number.isSafeInteger(ms) && ms >= 0 && /^[\d.hms]+$/.test(text))).toBe(true)
      }),
    )
  })
})

describe('for people', () => {
  it.each<[number, string]>([
    [0, '0s'],
    [999, '999ms'],
    [1000, '1s'],
    [59_999, '1m'],
    [5_400_000, '1h30m'],
    [3_601_000, '1h1s'],
    [86_400_000, '24h'],
    [-60_000, '-1m'],
  ])('%i ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})

it('the units are a thousand, sixty and sixty', () => {
  expect([seconds(2), minutes(2), hours(2)]).toEqual([2000, 120_000, 7_200_000])
})
