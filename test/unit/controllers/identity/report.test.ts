import { describe, expect, it } from '@jest/globals'
import type { MutualIdentityStatus } from '../../../../src/api/mutual-identity.ts'
import { hours } from '../../../../src/base/duration.ts'
import { OperatorError } from '../../../../src/base/errors.ts'
import { formatInstant } from '../../../../src/base/instant.ts'
import type { IdentityFacts, SecretFacts } from '../../../../src/controllers/identity/facts.ts'
import type { Outcome } from '../../../../src/controllers/identity/perform.ts'
import { planIdentity } from '../../../../src/controllers/identity/plan.ts'
import { announce, nextStatus } from '../../../../src/controllers/identity/report.ts'
import { fingerprintOf } from '../../../../src/pki/fingerprint.ts'
import { authorityOf, factsOf, identityOf, NOW, secretFor, servedFacts } from '../../../support/identity-facts.ts'

const NONE: Outcome = { kind: 'none' }
const issued = (created: boolean): Outcome => ({
  kind: 'issued',
  created,
  wasHidden: false,
  serialNumber: '0b',
  notAfter: NOW + hours(24),
  renewAt: NOW + hours(13),
})
const failure = (error: unknown): Outcome => ({ kind: 'failed', error })
const unreachable = new OperatorError('retry', 'NotSent', 'no connection')
const notOwned = new OperatorError('blocked', 'SecretNotOwned', 'not ours')

const statusAfter = (facts: IdentityFacts, outcome: Outcome = NONE): MutualIdentityStatus =>
  nextStatus(facts, planIdentity(facts, NOW), outcome, NOW)
const eventAfter = (facts: IdentityFacts, outcome: Outcome = NONE) => announce(facts, planIdentity(facts, NOW), outcome)
const conditionsAfter = (facts: IdentityFacts, outcome: Outcome = NONE) =>
  statusAfter(facts, outcome).conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`)
const withStatus = (status: Partial<MutualIdentityStatus>) => ({
  identity: identityOf({ status: { observedGeneration: 1, conditions: [], ...status } }),
})
const failedBefore = (reason: string, nextAttemptAt: number) =>
  withStatus({
    lastFailure: { reason, message: 'x', at: formatInstant(NOW - 2000), attempts: 1, nextAttemptAt: formatInstant(nextAttemptAt) },
  })
const leafOf = (change: object): Partial<SecretFacts> => ({
  leaf: { ...(secretFor(factsOf()).leaf as NonNullable<SecretFacts['leaf']>), ...change },
})
/** A renewal that is due; the present certificate lasts four hours more. */
const due = (change: Partial<IdentityFacts> = {}) =>
  servedFacts(change, { renewAt: NOW - 1, ...leafOf({ notBefore: NOW - hours(20), notAfter: NOW + hours(4) }) })

describe('the conditions of an identity', () => {
  it.each<[string, string[], IdentityFacts, Outcome]>([
    ['that has what it needs', ['Ready=True Current'], servedFacts(), NONE],
    ['that was issued just now', ['Ready=True Current'], factsOf(), issued(true)],
    [
      'that waits for others',
      ['Ready=False AuthorityNotFound', 'Reconciling=True AuthorityNotFound'],
      factsOf({ authority: undefined }),
      NONE,
    ],
    [
      'that waits for a person',
      ['Ready=False OperatorNamespace', 'Stalled=True OperatorNamespace'],
      factsOf({ inOperatorNamespace: true }),
      NONE,
    ],
    ['whose first issuance failed', ['Ready=False NotSent', 'Reconciling=True NotSent'], factsOf(), failure(unreachable)],
    ['whose Secret is not its own', ['Ready=False SecretNotOwned', 'Stalled=True SecretNotOwned'], factsOf(), failure(notOwned)],
    ['whose renewal failed while the certificate lasts', ['Ready=True Current'], due(), failure(unreachable)],
    ['whose renewal needs a person', ['Ready=False SecretNotOwned', 'Stalled=True SecretNotOwned'], due(), failure(notOwned)],
    [
      'whose leaf is wrong and cannot be replaced',
      ['Ready=False NotSent', 'Reconciling=True NotSent'],
      servedFacts({}, leafOf({ uris: [] })),
      failure(unreachable),
    ],
    ['that met a mistake of ours', ['Ready=False InternalError', 'Reconciling=True InternalError'], factsOf(), failure(new Error('oops'))],
  ])('%s: %j', (_what, conditions, facts, outcome) => {
    expect(conditionsAfter(facts, outcome)).toEqual(conditions)
  })

  it('of an expired certificate whose renewal fails are not ready', () => {
    const expired = servedFacts({}, { renewAt: NOW - hours(9), ...leafOf({ notBefore: NOW - hours(24), notAfter: NOW - 1 }) })
    expect(conditionsAfter(expired, failure(unreachable))[0]).toBe('Ready=False NotSent')
  })

  it('keep the time of their last change', () => {
    const since = formatInstant(NOW - hours(9))
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'Current',
      message: 'x',
      lastTransitionTime: since,
      observedGeneration: 1,
    } as const
    expect(statusAfter(servedFacts(withStatus({ conditions: [ready] }))).conditions[0]?.lastTransitionTime).toBe(since)
  })
})

describe('the status of an identity', () => {
  it('after an issuance shows the new certificate', () => {
    expect(statusAfter(factsOf(), issued(true))).toMatchObject({
      observedGeneration: 1,
      spiffeID: 'spiffe://cluster.local/ns/shop/sa/payments',
      certificate: {
        serialNumber: '0b',
        notAfter: formatInstant(NOW + hours(24)),
        renewAt: formatInstant(NOW + hours(13)),
        issuedBy: 'ClusterMutualAuthority/default/1',
      },
    })
  })

  it('after a quiet pass shows the certificate of the Secret', () => {
    expect(statusAfter(servedFacts()).certificate).toMatchObject({ serialNumber: '0a', notAfter: formatInstant(NOW + hours(22)) })
  })

  it('keeps what it showed while the Secret cannot be judged', () => {
    const certificate = { serialNumber: '09', notAfter: 'x', renewAt: 'x', issuedBy: 'x' }
    expect(
      statusAfter(factsOf({ ...withStatus({ certificate, spiffeID: 'spiffe://x' }), authority: authorityOf({ signing: undefined }) })),
    ).toMatchObject({
      certificate,
      spiffeID: 'spiffe://x',
    })
  })

  it('does not show a certificate that does not verify', () => {
    const facts = servedFacts(
      { authority: authorityOf({ allowedNamespaces: [] }) },
      { trusted: { ok: false, rule: 'anchor', detail: 'x' } },
    )
    expect([statusAfter(facts).certificate, statusAfter(facts).spiffeID]).toEqual([undefined, undefined])
  })

  it('counts failures, and waits twice as long after each', () => {
    const first = statusAfter(factsOf(), failure(unreachable)).lastFailure
    const second = statusAfter(factsOf(failedBefore('NotSent', NOW)), failure(unreachable)).lastFailure
    expect([first, second].map((last) => [last?.attempts, last?.nextAttemptAt])).toEqual([
      [1, formatInstant(NOW + 2000)],
      [2, formatInstant(NOW + 4000)],
    ])
  })

  it('forgets the failure after a success', () => {
    expect(statusAfter(factsOf(failedBefore('NotSent', NOW)), issued(true)).lastFailure).toBeUndefined()
  })

  it('stays to the letter while a failure holds the next attempt back', () => {
    const facts = factsOf(failedBefore('NotSent', NOW + 8000))
    expect(statusAfter(facts)).toBe(facts.identity.status)
  })
})

describe('the event of a pass over an identity', () => {
  it.each<[string, string | undefined, IdentityFacts, Outcome]>([
    ['a first certificate', 'Issued', factsOf(), issued(true)],
    ['a certificate that was due', 'Renewed', due(), issued(false)],
    [
      'a certificate that was asked for',
      'Renewed',
      { ...servedFacts(), identity: identityOf({ renewRequestedAt: formatInstant(NOW) }) },
      issued(false),
    ],
    ['a certificate that was wrong', 'Reissued', servedFacts({}, leafOf({ uris: [] })), issued(false)],
    ['a repair', 'Repaired', servedFacts({}, { labels: {} }), { kind: 'updated' }],
    ['a Secret that is made again', 'Repaired', servedFacts({}, { immutable: true, bundleFingerprint: undefined }), { kind: 'deleted' }],
    ['a quiet pass', undefined, servedFacts(), NONE],
    ['something to wait for', undefined, factsOf({ authority: undefined }), NONE],
    ['a refusal', 'OperatorNamespace', factsOf({ inOperatorNamespace: true }), NONE],
    ['a failure', 'NotSent', factsOf(), failure(unreachable)],
    ['the same failure again', undefined, factsOf(failedBefore('NotSent', NOW)), failure(unreachable)],
    ['another failure', 'NotSent', factsOf(failedBefore('Throttled', NOW)), failure(unreachable)],
  ])('%s: %s', (_what, reason, facts, outcome) => {
    expect(eventAfter(facts, outcome)?.reason).toBe(reason)
  })

  it('is not repeated while a refusal stays', () => {
    const ready = {
      type: 'Ready',
      status: 'False',
      reason: 'OperatorNamespace',
      message: 'x',
      lastTransitionTime: 'x',
      observedGeneration: 1,
    } as const
    expect(eventAfter(factsOf({ ...withStatus({ conditions: [ready] }), inOperatorNamespace: true }))).toBeUndefined()
  })

  it('is a Warning exactly for refusals and failures', () => {
    expect([eventAfter(factsOf(), issued(true)), eventAfter(factsOf(), failure(unreachable))].map((event) => event?.type)).toEqual([
      'Normal',
      'Warning',
    ])
  })

  it('says of an issuance which certificate, until when and why', () => {
    expect(eventAfter(factsOf(), issued(true))?.note).toBe(
      'certificate 0b until 2026-11-25T12:00:00Z, renews at 2026-11-25T01:00:00Z (SecretMissing: there is no Secret)',
    )
  })

  it('says nothing while a failure holds the next attempt back', () => {
    expect(eventAfter(factsOf(failedBefore('NotSent', NOW + 8000)))).toBeUndefined()
  })
})

it('a bundle that an identity out of service gets does not make it ready', () => {
  const facts = servedFacts({}, { bundleFingerprint: fingerprintOf(Buffer.from('old')) })
  const stopped = { ...facts, authority: authorityOf({ allowedNamespaces: ['other'] }) }
  expect(conditionsAfter(stopped, { kind: 'updated' })).toEqual(['Ready=False NamespaceNotAllowed', 'Stalled=True NamespaceNotAllowed'])
})

it('a certificate in a Secret of somebody else, or without its key, is not reported as this identity’s', () => {
  const none = { kind: 'none' } as const
  for (const change of [{ foreignController: 'ConfigMap x' }, { problem: { reason: 'KeyMismatch', detail: 'x' } as const }]) {
    const facts = servedFacts({}, change)
    expect(nextStatus(facts, planIdentity(facts, NOW), none, NOW).certificate).toBeUndefined()
  }
})
