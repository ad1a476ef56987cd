import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Condition } from '../../../src/api/condition.ts'
import { OperatorError } from '../../../src/base/errors.ts'
import { formatInstant, parseInstant } from '../../../src/base/instant.ts'
import {
  conditionsFor,
  failureAfter,
  heldUntil,
  type Readiness,
  type ReportedStatus,
  readyReason,
  reasonOf,
  statusDiffers,
} from '../../../src/controllers/readiness.ts'
import { NOW } from '../../support/material.ts'

const readiness = (state: Readiness['state'], message = 'why'): Readiness => ({ state, reason: 'Current', message })
const lastFailure = (attempts: number, nextAttemptAt = NOW) => ({
  reason: 'X',
  message: 'x',
  at: formatInstant(NOW),
  attempts,
  nextAttemptAt: formatInstant(nextAttemptAt),
})
const failedStatus = (attempts: number, nextAttemptAt = NOW): ReportedStatus => ({
  observedGeneration: 1,
  conditions: [],
  lastFailure: lastFailure(attempts, nextAttemptAt),
})

describe('the reason of an error', () => {
  it.each<[string, unknown, string]>([
    ['of ours, in the closed list', new OperatorError('retry', 'Throttled', 'x'), 'Throttled'],
    ['of ours, that is not in the list', new OperatorError('retry', 'Whatever', 'x'), 'InternalError'],
    ['whose reason is a word that every object has', new OperatorError('retry', 'constructor', 'x'), 'InternalError'],
    ['that is a mistake', new TypeError('x'), 'InternalError'],
    ['that is no error', 'x', 'InternalError'],
  ])('%s', (_what, error, reason) => {
    expect(reasonOf(error)).toBe(reason)
  })
})

describe('conditions', () => {
  const told = (state: Readiness['state'], previous: readonly Condition[] = []) =>
    conditionsFor(readiness(state), previous, 3, NOW).map(({ type, status }) => `${type}=${status}`)
  it.each<[Readiness['state'], string[]]>([
    ['ready', ['Ready=True']],
    ['waiting', ['Ready=False', 'Reconciling=True']],
    ['refused', ['Ready=False', 'Stalled=True']],
  ])('of %s are %j, whatever was told before', (state, conditions) => {
    for (const before of ['ready', 'waiting', 'refused'] as const) {
      expect(told(state, conditionsFor(readiness(before), [], 2, NOW - 1000))).toEqual(conditions)
    }
  })

  it('name the generation that was looked at', () => {
    expect(conditionsFor(readiness('refused'), [], 3, NOW).map(({ observedGeneration }) => observedGeneration)).toEqual([3, 3])
  })

  it('cut a message that the API server would refuse', () => {
    expect(conditionsFor(readiness('ready', 'x'.repeat(40_000)), [], 1, NOW)[0]?.message).toHaveLength(1000)
  })
})

describe('a failure', () => {
  it.each<[number, number]>([
    [1, 2],
    [2, 4],
    [3, 8],
    [8, 256],
    [9, 300],
    [1000, 300],
  ])('number %i in a row waits %i seconds', (attempts, seconds) => {
    const failure = failureAfter(failedStatus(attempts - 1), 1, new Error('x'), NOW)
    expect([failure.attempts, (parseInstant(failure.nextAttemptAt) ?? 0) - NOW]).toEqual([attempts, seconds * 1000])
  })

  it('waits as long as the server asked for, where that is longer', () => {
    const error = new OperatorError('retry', 'Throttled', 'x', { after: 400_000 })
    expect(failureAfter({ conditions: [] }, 1, error, NOW).nextAttemptAt).toBe(formatInstant(NOW + 400_000))
  })

  it('of a changed spec is the first again', () => {
    expect(failureAfter(failedStatus(7), 2, new Error('x'), NOW).attempts).toBe(1)
  })

  it('never keeps a long message', () => {
    const long = new OperatorError('retry', 'ServerError', 'x'.repeat(5000))
    expect(failureAfter({ conditions: [] }, 1, long, NOW).message).toHaveLength(500)
  })

  it('says of a bug no word that nobody wrote for people', () => {
    expect(failureAfter({ conditions: [] }, 1, new Error('-----BEGIN PRIVATE KEY'), NOW)).toMatchObject({
      reason: 'InternalError',
      message: 'this program made a mistake; its log has the stack',
    })
  })
})

describe('a failure holds back', () => {
  it.each<[string, ReportedStatus, number, number | undefined]>([
    ['until its next attempt', failedStatus(1, NOW + 8000), 1, NOW + 8000],
    ['nothing from that instant on', failedStatus(1, NOW), 1, undefined],
    ['nothing of a changed spec', failedStatus(1, NOW + 8000), 2, undefined],
    ['nothing where there was none', { observedGeneration: 1, conditions: [] }, 1, undefined],
    [
      'nothing where its instant is no instant',
      { ...failedStatus(1), lastFailure: { ...lastFailure(1), nextAttemptAt: 'soon' } },
      1,
      undefined,
    ],
  ])('%s', (_what, status, generation, until) => {
    expect(heldUntil(status, generation, NOW)).toBe(until)
  })
})

describe('a status differs', () => {
  const base: ReportedStatus & Record<string, unknown> = {
    observedGeneration: 1,
    conditions: conditionsFor(readiness('ready'), [], 1, NOW),
    certificate: { a: 1, b: [1, 2] },
  }
  it.each<[string, boolean, object]>([
    ['not when it is the same', false, {}],
    ['not by the time of a transition', false, { conditions: conditionsFor(readiness('ready'), [], 1, NOW + 5000) }],
    ['not by the order of fields', false, { certificate: { b: [1, 2], a: 1 } }],
    ['not by a field that is undefined', false, { lastFailure: undefined }],
    ['by a message', true, { conditions: conditionsFor(readiness('ready', 'another'), [], 1, NOW) }],
    ['by a nested value', true, { certificate: { a: 2, b: [1, 2] } }],
    ['by the order of a list', true, { certificate: { a: 1, b: [2, 1] } }],
    ['by a failure', true, { lastFailure: lastFailure(1) }],
    ['by the generation that was looked at', true, { observedGeneration: 2 }],
  ])('%s', (_what, differs, change) => {
    expect(statusDiffers(base, { ...base, ...change })).toBe(differs)
  })

  it('never from itself, once it went through JSON', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (more) => {
        const status = { conditions: [], more } as unknown as ReportedStatus
        expect(statusDiffers(status, JSON.parse(JSON.stringify(status)))).toBe(false)
      }),
    )
  })
})

it('the reason that Ready had is that of the condition Ready', () => {
  expect(readyReason({ conditions: conditionsFor(readiness('refused'), [], 1, NOW) })).toBe('Current')
  expect(readyReason({ conditions: [] })).toBeUndefined()
})

describe('a status that a wrong clock or a person wrote', () => {
  it('holds nothing back for longer than an hour', () => {
    expect(heldUntil(failedStatus(1, NOW + 3_600_000), 1, NOW)).toBe(NOW + 3_600_000)
    expect(heldUntil(failedStatus(1, NOW + 3_601_000), 1, NOW)).toBeUndefined()
  })
  it('makes no hot loop by a negative count', () => {
    const { attempts, nextAttemptAt } = failureAfter(failedStatus(-100_000), 1, new OperatorError('retry', 'Throttled', 'x'), NOW)
    expect([attempts, parseInstant(nextAttemptAt)]).toEqual([1, NOW + 2000])
  })
})

it('messages hold nothing that the API server cannot read as YAML, also where they are cut', () => {
  const [ready] = conditionsFor(readiness('refused', `a\u007fb\u0000c${'x'.repeat(994)}\u{1f600}`), [], 1, NOW)
  expect(ready?.message).toBe(`a\ufffdb\ufffdc${'x'.repeat(994)}\ufffd`)
})

// Tried on a real API server: of ` a \u2028 b ` it stores `a\u2028b`, so that each pass would write again.
it('messages hold nothing that is stored otherwise than it is sent', () => {
  const [ready] = conditionsFor(readiness('ready', 'a \u2028 b \u2029 c \u0085 d'), [], 1, NOW)
  expect(ready?.message).toBe('a \ufffd b \ufffd c \ufffd d')
})
