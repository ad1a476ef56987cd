import { describe, expect, it } from '@jest/globals'
import { consequenceOf, messageOf, OperatorError } from '../../../src/base/errors.ts'

describe('what happens next', () => {
  it.each(['retry', 'blocked', 'bug'] as const)('is %s after an error that says so', (consequence) => {
    expect(consequenceOf(new OperatorError(consequence, 'X', 'x'))).toBe(consequence)
  })
  it.each([new Error('x'), new TypeError('x'), 'text', undefined, null, 5, {}])('is our own mistake after anything else: %p', (thrown) => {
    expect(consequenceOf(thrown)).toBe('bug')
  })
})

it('an error keeps its reason, its message, its wait and its cause', () => {
  const cause = new Error('below')
  expect(new OperatorError('retry', 'Throttled', 'slow down', { after: 5000, cause })).toMatchObject({
    name: 'OperatorError',
    reason: 'Throttled',
    message: 'slow down',
    after: 5000,
    cause,
  })
})

it('an error without a cause has none', () => {
  expect('cause' in new OperatorError('retry', 'X', 'x')).toBe(false)
})

it.each<[unknown, string]>([
  [new Error('why'), 'why'],
  ['why', 'why'],
  [undefined, 'undefined'],
  [5, '5'],
])('the message of %p is for people', (thrown, message) => {
  expect(messageOf(thrown)).toBe(message)
})
