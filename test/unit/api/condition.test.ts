// Conditions: when a transition is one, and when two lists say the same.

import { describe, expect, it } from '@jest/globals'
import { type Condition, sameConditions, setCondition } from '../../../src/api/condition.ts'

const EARLIER = Date.parse('2026-01-01T00:00:00Z')
const LATER = Date.parse('2026-01-01T01:00:00Z')

const next = (more: Partial<Condition> = {}) =>
  ({ type: 'Ready', status: 'True', reason: 'Current', message: 'm', observedGeneration: 1, ...more }) as const
const condition = (more: Partial<Condition> = {}): Condition => ({ ...next(more), lastTransitionTime: '2026-01-01T00:00:00Z', ...more })

describe('setCondition', () => {
  it('adds a condition with the time', () => {
    expect(setCondition([], next(), EARLIER)).toEqual([condition()])
  })

  it('keeps the time while the status stays the same', () => {
    expect(setCondition([condition()], next({ reason: 'Renewed', observedGeneration: 2 }), LATER)).toEqual([
      condition({ reason: 'Renewed', observedGeneration: 2 }),
    ])
  })

  it('takes the new time when the status changes', () => {
    expect(setCondition([condition()], next({ status: 'False' }), LATER)).toEqual([
      condition({ status: 'False', lastTransitionTime: '2026-01-01T01:00:00Z' }),
    ])
  })

  it('takes the new time where what stood there is none', () => {
    expect(setCondition([condition({ lastTransitionTime: 'x' })], next(), EARLIER)).toEqual([condition()])
  })

  it('leaves the other conditions and their order alone', () => {
    const others = [condition({ type: 'A' }), condition(), condition({ type: 'B' })]
    const types = setCondition(others, next({ status: 'False' }), LATER).map(({ type }) => type)
    expect(types).toEqual(['A', 'Ready', 'B'])
  })

  it('does not change the list it was given', () => {
    const before = [condition()]
    setCondition(before, next({ status: 'False' }), LATER)
    expect(before).toEqual([condition()])
  })
})

describe('sameConditions', () => {
  it('ignores since when and in which order', () => {
    const a = [condition(), condition({ type: 'Stalled' })]
    const b = [condition({ type: 'Stalled', lastTransitionTime: 'x' }), condition({ lastTransitionTime: 'y' })]
    expect(sameConditions(a, b)).toBe(true)
  })

  it.each<[string, Partial<Condition>]>([
    ['status', { status: 'False' }],
    ['reason', { reason: 'Other' }],
    ['message', { message: 'other' }],
    ['generation', { observedGeneration: 2 }],
    ['type', { type: 'Stalled' }],
  ])('sees another %s', (_what, more) => {
    expect(sameConditions([condition()], [condition(more)])).toBe(false)
  })

  it('sees one more and one less', () => {
    expect(sameConditions([condition()], [])).toBe(false)
    expect(sameConditions([condition()], [condition(), condition({ type: 'Stalled' })])).toBe(false)
  })
})
