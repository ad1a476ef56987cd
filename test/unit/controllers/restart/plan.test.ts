// The plan of restarts: what is no reason, what is, how long it waits, and in which order the checks come.

import { describe, expect, it } from '@jest/globals'
import { hours, minutes, seconds } from '../../../../src/base/duration.ts'
import type { RestartFacts } from '../../../../src/controllers/restart/facts.ts'
import { planRestart } from '../../../../src/controllers/restart/plan.ts'
import { identityOf, NOW } from '../../../support/identity-facts.ts'
import { askingIdentity, candidateOf, renewedSecret, restarted, restartFacts, SERIAL, workloadOf } from '../../../support/restart-facts.ts'

const planOf = (change: Partial<RestartFacts> = {}, now = NOW) => planRestart(restartFacts(change), now)
const problem = { reason: 'KeyMismatch', detail: 'x' } as const

it('a workload is restarted for a renewed certificate, at exactly its version', () => {
  expect(planOf()).toMatchObject({
    step: { kind: 'restart', workload: { name: 'payments', resourceVersion: '30' }, serialNumber: SERIAL },
    reason: 'Restarted',
  })
})

describe('nothing is restarted, and nothing is waited for,', () => {
  it.each<[string, Partial<RestartFacts>]>([
    ['for an identity that does not ask', { identity: askingIdentity({ spec: identityOf().spec }) }],
    ['for an identity that goes away', { identity: askingIdentity({ deleting: true }) }],
    ['for an identity whose spec cannot be used', { identity: askingIdentity({ problem: 'odd' }) }],
    ['in a namespace that goes away', { namespaceTerminating: true }],
    ['without a Secret', { secret: undefined }],
    ['without a certificate', { secret: renewedSecret({ leaf: undefined }) }],
    ['with a key that does not fit', { secret: renewedSecret({ problem }) }],
    ['for a Secret of another identity', { secret: renewedSecret({ owner: { name: 'payments', uid: 'former' } }) }],
    ['for a Secret without an owner', { secret: renewedSecret({ owner: undefined }) }],
    ['for a Secret of another controller', { secret: renewedSecret({ foreignController: 'Certificate web' }) }],
    ['for a certificate that the status does not report', { identity: askingIdentity({}, '0a') }],
    ['before there is a status', { identity: askingIdentity({ status: { conditions: [] } }) }],
    ['for a certificate that has ended', { secret: renewedSecret({ issuedAt: NOW - hours(24) }) }],
    ['without a workload', { candidates: [] }],
    ['of what an older identity restarts', { candidates: [candidateOf({ claimedBy: 'elder' })] }],
    ['that was restarted for this certificate', { candidates: [candidateOf({}, { restartedFor: restarted(SERIAL, NOW - minutes(50)) })] }],
    [
      'that was restarted for this certificate, as its edited template says, in the future',
      { candidates: [candidateOf({}, { restartedFor: restarted(SERIAL, NOW + hours(1000)) })] },
    ],
    [
      'that this process restarted for this certificate, and whose annotation somebody took away',
      { candidates: [candidateOf({ done: restarted(SERIAL, NOW - minutes(50)) }, { restartedFor: undefined })] },
    ],
    ['whose pods all began after the renewal', { candidates: [candidateOf({}, { createdAt: NOW - minutes(59) })] }],
    [
      'for the first certificate of a Secret, which pods waited for',
      {
        secret: renewedSecret({ createdAt: NOW - hours(1) - seconds(60) }),
        candidates: [candidateOf({}, { restartedFor: undefined })],
      },
    ],
    [
      'for a certificate that is older than its Secret, as after a restore',
      { secret: renewedSecret({ createdAt: NOW - minutes(5) }), candidates: [candidateOf({}, { restartedFor: undefined })] },
    ],
  ])('%s', (_what, change) => {
    expect(planOf(change)).toMatchObject({ step: { kind: 'none' }, reason: 'Current', at: undefined })
  })
})

describe('a workload without the annotation', () => {
  const candidates = [candidateOf({}, { restartedFor: undefined })]
  it('is restarted for a certificate that is not the first of its Secret', () => {
    expect(planOf({ candidates, secret: renewedSecret({ createdAt: NOW - hours(1) - seconds(61) }) }).step.kind).toBe('restart')
  })
  it('and with it also for the first one of a Secret that was made again', () => {
    expect(planOf({ secret: renewedSecret({ createdAt: NOW - hours(1) }) }).step.kind).toBe('restart')
  })
})

describe('a restart waits', () => {
  const issued = (issuedAt: number, lifetime: number = hours(24)) => ({ secret: renewedSecret({ issuedAt, lifetime }) })
  const last = (at: number) => ({ candidates: [candidateOf({}, { restartedFor: restarted('0a', at) })] })
  it.each<[string, Partial<RestartFacts>, number | undefined]>([
    ['two minutes from the issue of the certificate', issued(NOW - minutes(1)), NOW + minutes(1)],
    ['no longer than that', issued(NOW - minutes(2)), undefined],
    ['a tenth of a short life', issued(NOW, minutes(10)), NOW + minutes(1)],
    ['an hour from the last one', last(NOW - minutes(20)), NOW + minutes(40)],
    ['no longer than an hour', last(NOW - minutes(60)), undefined],
    [
      'an hour from the last one of this process, whatever the template says',
      { candidates: [candidateOf({ done: restarted('0a', NOW - minutes(20)) }, { restartedFor: undefined })] },
      NOW + minutes(40),
    ],
    ['for the later of the two', { ...issued(NOW - minutes(1)), ...last(NOW - minutes(59) - seconds(30)) }, NOW + minutes(1)],
    ['not for a recorded instant in the future, which would stop it until then', last(NOW + 1), undefined],
  ])('%s', (_what, change, at) => {
    expect(planOf(change)).toMatchObject(at === undefined ? { step: { kind: 'restart' } } : { step: { kind: 'none' }, at })
  })
})

describe('of several workloads', () => {
  const named = (name: string, change: Parameters<typeof candidateOf>[0] = {}, more = {}) => candidateOf(change, { name, ...more })
  const chosen = (...candidates: ReturnType<typeof candidateOf>[]) => {
    const { step } = planOf({ candidates })
    return step.kind === 'restart' ? step.workload.name : undefined
  }
  it('the first that is due is restarted, one a plan', () => {
    expect(chosen(named('a', {}, { restartedFor: restarted('0a', NOW - minutes(5)) }), named('b'), named('c'))).toBe('b')
  })
  it('one whose restart failed does not hold up the others', () => {
    expect([chosen(named('a', { triedAt: 7 }), named('b')), chosen(named('a', { triedAt: 7 }), named('b', { triedAt: 5 }))]).toEqual([
      'b',
      'b',
    ])
  })
  it('the plan comes again when the first of them is due', () => {
    const at = (minutesAgo: number) => ({ restartedFor: restarted('0a', NOW - minutes(minutesAgo)) })
    expect(planOf({ candidates: [named('a', {}, at(5)), named('b', {}, at(30))] }).at).toBe(NOW + minutes(30))
  })
})

describe('workloads that cannot be listed', () => {
  const unreadable = ['StatefulSet', 'DaemonSet'] as const
  it('are told of, with what is missing', () => {
    expect(planOf({ candidates: [], unreadable })).toMatchObject({
      step: { kind: 'tell' },
      reason: 'WorkloadsUnreadable',
      message: expect.stringMatching(/^StatefulSets, DaemonSets cannot be listed.*restartWorkloads/),
    })
  })
  it('do not hold up those that can', () => {
    expect(planOf({ unreadable }).step.kind).toBe('restart')
  })
  it('are no news to an identity that does not ask, or has no certificate', () => {
    const quiet = [planOf({ unreadable, identity: identityOf() }), planOf({ unreadable, secret: undefined })]
    expect(quiet.map(({ step }) => step.kind)).toEqual(['none', 'none'])
  })
})

it('a plan is the same for the same facts, and changes none', () => {
  const facts = restartFacts({ candidates: [candidateOf({ triedAt: 3 }), candidateOf({}, workloadOf({ name: 'b' }))] })
  const before = structuredClone(facts)
  expect(planRestart(facts, NOW)).toEqual(planRestart(facts, NOW))
  expect(facts).toEqual(before)
})
