// The table of the chart's values: which there are, and that none stays unexplained.

import { describe, expect, it } from '@jest/globals'
import { chartReadme, chartValues } from '../../../../scripts/generate/chart-values.ts'

describe('the values of a chart', () => {
  it('have the comment above them, also the first of a map and over several lines', () => {
    const text = '# Of the file.\n\n# First.\na: 1\nb:\n  # Below\n  # and more.\n  c: x\n'
    expect(chartValues(text)).toEqual([
      { path: 'a', fallback: 1, help: 'First.' },
      { path: 'b.c', fallback: 'x', help: 'Below and more.' },
    ])
  })

  it('are one where the keys are people’s own', () => {
    expect(chartValues('# Labels.\nlabels:\n  a: b\n')).toEqual([{ path: 'labels', fallback: { a: 'b' }, help: 'Labels.' }])
    expect(chartValues('# None.\nlabels: {}\n')).toEqual([{ path: 'labels', fallback: {}, help: 'None.' }])
  })

  it.each(['a: 1\n', '# A.\na: 1\nb: 2\n', 'a:\n  b: 1\n'])('are refused where one has no comment: %j', (text) => {
    expect(() => chartValues(text)).toThrow(/has no comment/)
  })

  it('stand in a table that a pipe in a comment does not break', () => {
    expect(chartReadme('# This | that.\na: 1\n')).toContain('| `a` | `1` | This \\| that. |\n')
  })
})
