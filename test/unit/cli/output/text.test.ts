import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parse } from 'yaml'
import { painter } from '../../../../src/cli/output/colour.ts'
import { dataText } from '../../../../src/cli/output/data.ts'
import { relative } from '../../../../src/cli/output/instant.ts'
import { printable } from '../../../../src/cli/output/printable.ts'
import { page, table } from '../../../../src/cli/output/table.ts'

const HARMFUL = /(?!\n)[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\u200b\ufeff]/u
const anyText = fc.string({ unit: 'binary' })

describe('printable', () => {
  it.each([
    ['\x1b[31mred', '\\x1b[31mred'],
    ['\x9b31m', '\\x9b31m'],
    ['a\r\nb\tc', 'a\\r\\nb\\tc'],
    ['\u202egnp.exe', '\\u202egnp.exe'],
    ['\u{e0041}', '\\u{e0041}'],
    ['Zoë 日本 🙂', 'Zoë 日本 🙂'],
  ])('%j becomes %j', (text, shown) => expect(printable(text)).toBe(shown))

  it('leaves nothing that drives a terminal', () => {
    fc.assert(fc.property(anyText, (text) => !HARMFUL.test(printable(text)) && !printable(text).includes('\n')))
  })
})

describe('data', () => {
  it.each(['json', 'yaml'] as const)('as %s says the same, and drives no terminal', (format) => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), anyText), (value) => {
        const text = dataText(format, { value })
        expect(text).not.toMatch(HARMFUL)
        expect(format === 'json' ? JSON.parse(text) : parse(text)).toEqual({ value: { ...value } })
      }),
    )
  })
})

describe('tables', () => {
  it('are aligned by characters, without blanks at the ends of lines; an empty cell is a dash', () => {
    expect(
      table(
        ['NAME', 'B'],
        [
          ['日本', 'x'],
          ['a', ''],
          ['longer', { text: 'y' }],
        ],
      ),
    ).toBe('NAME     B\n日本       x\na        -\nlonger   y\n')
  })
  it('are aligned alike with colours', () => {
    const paint = painter({ terminal: true, noColor: false, environment: {} })
    const rows = [[{ text: 'a', style: 'good' } as const, 'x']]
    const coloured = table(['NAME', 'B'], rows, paint)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours are what is taken away
    expect(coloured.replace(/\x1b\[\d+m/g, '')).toBe(table(['NAME', 'B'], rows))
  })
  it('and pages make every cell printable', () => {
    expect(page([['A\x07', '\x1b']])).toBe('A\\x07:        \\x1b\n')
  })
})

it.each([
  [45_000, 'in 45s'],
  [200_000, 'in 3m20s'],
  [12_000_000, 'in 3h20m'],
  [79_200_000, 'in 22h'],
  [450_000_000, 'in 5d5h'],
  [7_776_000_000, 'in 90d'],
  [-300_000, '5m ago'],
])('%d ms from now is %s', (ms, text) => expect(relative(1e12 + ms, 1e12)).toBe(text))
