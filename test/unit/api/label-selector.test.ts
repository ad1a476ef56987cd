// Label selectors: what they match, against a model that spells the rules out, and what becomes of what cannot be read.

import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { contained, type LabelSelector, MATCHES_NOTHING, matches, OPERATORS, readLabelSelector } from '../../../src/api/label-selector.ts'

const key = fc.constantFrom('app', 'tier', 'example.org/zone', 'constructor', 'toString')
const value = fc.constantFrom('', 'a', 'b', 'c')
const labels = fc.dictionary(key, value, { noNullPrototype: true })
const requirement = fc
  .tuple(key, fc.constantFrom(...OPERATORS), fc.array(value, { minLength: 1, maxLength: 3 }))
  .map(([on, operator, values]) => ({ key: on, operator, values: operator === 'In' || operator === 'NotIn' ? values : [] }))
const selector = fc.record({ matchLabels: labels, matchExpressions: fc.array(requirement, { maxLength: 3 }) })

/** The documentation of metav1.LabelSelector, word by word. */
function model({ matchLabels, matchExpressions }: LabelSelector, given: Readonly<Record<string, string>>): boolean {
  const has = new Map(Object.entries(given))
  const equalities = Object.entries(matchLabels).map(([name, wanted]) => ({ key: name, operator: 'In', values: [wanted] }))
  for (const { key: name, operator, values } of [...equalities, ...matchExpressions]) {
    const present = has.get(name)
    if (operator === 'In' && (present === undefined || !values.includes(present))) return false
    if (operator === 'NotIn' && present !== undefined && values.includes(present)) return false
    if (operator === 'Exists' && present === undefined) return false
    if (operator === 'DoesNotExist' && present !== undefined) return false
  }
  return true
}

describe('a label selector', () => {
  it('matches what the model matches', () => {
    fc.assert(
      fc.property(selector, labels, (given, on) => {
        expect(matches(given, on)).toBe(model(given, on))
      }),
      { numRuns: 2000 },
    )
  })

  it('that is empty matches everything', () => {
    expect(matches({ matchLabels: {}, matchExpressions: [] }, {})).toBe(true)
    expect(matches({ matchLabels: {}, matchExpressions: [] }, { app: 'web' })).toBe(true)
  })

  it('is not met by what every object inherits', () => {
    expect(matches({ matchLabels: {}, matchExpressions: [{ key: 'constructor', operator: 'Exists', values: [] }] }, {})).toBe(false)
  })

  it('that stands for one that cannot be read matches nothing', () => {
    fc.assert(fc.property(labels, (given) => !matches(MATCHES_NOTHING, given)))
  })
})

describe('reading a label selector', () => {
  it('keeps what is valid', () => {
    fc.assert(
      fc.property(selector, (given) => {
        const problems: string[] = []
        expect(readLabelSelector(problems, JSON.parse(JSON.stringify(given)), 'spec.podSelector')).toEqual(given)
        expect(problems).toEqual([])
      }),
    )
  })

  it('fills in what is absent', () => {
    const exists = { matchExpressions: [{ key: 'app', operator: 'Exists' }] }
    expect(readLabelSelector([], exists, 'spec.podSelector')).toEqual({
      matchLabels: {},
      matchExpressions: [{ key: 'app', operator: 'Exists', values: [] }],
    })
  })

  it.each<[string, unknown]>([
    ['a text', 'app=web'],
    ['a list', []],
    ['labels that are a list', { matchLabels: ['app'] }],
    ['a label that is a number', { matchLabels: { app: 1 } }],
    ['requirements that are an object', { matchExpressions: {} }],
    ['a requirement that is null', { matchExpressions: [null] }],
    ['an unknown operator', { matchExpressions: [{ key: 'app', operator: 'Gt', values: ['1'] }] }],
    ['In without values', { matchExpressions: [{ key: 'app', operator: 'In' }] }],
    ['Exists with values', { matchExpressions: [{ key: 'app', operator: 'Exists', values: ['a'] }] }],
    ['a value that is a number', { matchExpressions: [{ key: 'app', operator: 'In', values: [1] }] }],
  ])('makes a problem of %s, and then nothing is matched', (_what, raw) => {
    const problems: string[] = []
    expect(readLabelSelector(problems, raw, 'spec.podSelector')).toBe(MATCHES_NOTHING)
    expect(problems).toEqual([`spec.podSelector ${JSON.stringify(raw).slice(0, 60)} is not a valid label selector`])
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.jsonValue(), (raw) => void readLabelSelector([], raw, 'spec.podSelector')))
  })
})

describe('one set of labels is contained in another', () => {
  it.each<[object, object, boolean]>([
    [{}, { a: '1' }, true],
    [{ a: '1' }, { a: '1', b: '2' }, true],
    [{ a: '2' }, { a: '1' }, false],
    [{ a: '1' }, {}, false],
    [{ constructor: '1' }, {}, false],
  ])('%j in %j: %s', (selector, labels, is) => {
    expect(contained(selector as Record<string, string>, labels as Record<string, string>)).toBe(is)
  })
})
