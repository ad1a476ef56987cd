import { describe, expect, it } from '@jest/globals'
import { OperatorError } from '../../../../src/base/errors.ts'
import { formatInstant } from '../../../../src/base/instant.ts'
import { observeAuthorityState } from '../../../../src/controllers/authority/observe.ts'
import type { AuthorityOutcome } from '../../../../src/controllers/authority/perform.ts'
import { planAuthority } from '../../../../src/controllers/authority/plan.ts'
import { announceAuthority, nextAuthorityStatus } from '../../../../src/controllers/authority/report.ts'
import type { RawObject } from '../../../../src/k8s/resource.ts'
import { authorityObject, bundleMap, bundleOf, caSecret, filledStores, makeCA, NOW, OPERATOR_NAMESPACE } from '../../../support/material.ts'

const ca = await makeCA()
const NONE: AuthorityOutcome = { kind: 'none' }
const failure = (error: unknown): AuthorityOutcome => ({ kind: 'failed', error })
const throttled = new OperatorError('retry', 'Throttled', 'slow down', { after: 60_000 })
const taken = new OperatorError('blocked', 'NameTaken', 'that Secret is not ours')

function scene(objects: { authority?: RawObject; secrets?: RawObject[]; record?: RawObject } = {}) {
  const { authority = authorityObject(), secrets = [caSecret(ca)], record = bundleMap(bundleOf(ca)) } = objects
  const stores = filledStores({ authorities: [authority], caSecrets: secrets, bundleRecords: [record] })
  const observed = stores.authorities.get('', 'default')
  if (!observed) throw new Error('the authority is not in its store')
  const facts = observeAuthorityState(observed, stores, {
    operatorNamespace: OPERATOR_NAMESPACE,
    defaultTrustDomain: 'cluster.local',
    namespacedTrustDomains: {},
  })
  const plan = planAuthority(facts, NOW)
  return {
    status: (outcome: AuthorityOutcome) => nextAuthorityStatus(facts, plan, outcome, NOW),
    event: (outcome: AuthorityOutcome) => announceAuthority(facts, plan, outcome),
    facts,
  }
}
const withStatus = (status: object) => authorityObject({}, { fields: { status: { observedGeneration: 1, conditions: [], ...status } } })
const lastFailure = (nextAttemptAt: number, attempts = 1) => ({
  lastFailure: { reason: 'Throttled', message: 'x', at: formatInstant(NOW - 1000), attempts, nextAttemptAt: formatInstant(nextAttemptAt) },
})
const refused = (reason: string) => ({
  conditions: [{ type: 'Ready', status: 'False', reason, message: 'x', lastTransitionTime: formatInstant(NOW), observedGeneration: 1 }],
})

describe('the status of an authority', () => {
  it('of one that signs says so, with its root and its bundle', () => {
    const status = scene().status(NONE)
    expect(status).toMatchObject({
      observedGeneration: 1,
      conditions: [{ type: 'Ready', status: 'True', reason: 'Current', lastTransitionTime: formatInstant(NOW) }],
      trustDomain: 'cluster.local',
      generations: [
        { number: 1, state: 'Active', fingerprint: ca.certificate.fingerprint, notAfter: formatInstant(ca.certificate.notAfter) },
      ],
      trustBundle: { fingerprint: bundleOf(ca).fingerprint, anchors: 1 },
    })
    expect(status.lastFailure).toBeUndefined()
  })

  it('loses a failure that is over', () => {
    expect(scene({ authority: withStatus(lastFailure(NOW - 1)) }).status(NONE).lastFailure).toBeUndefined()
  })

  it('of a failure that passes is Reconciling, with the next attempt no sooner than the server asked for', () => {
    expect(scene().status(failure(throttled))).toMatchObject({
      conditions: [
        { type: 'Ready', status: 'False', reason: 'Throttled' },
        { type: 'Reconciling', status: 'True' },
      ],
      lastFailure: { reason: 'Throttled', attempts: 1, nextAttemptAt: formatInstant(NOW + 60_000) },
    })
  })

  it('of a failure that needs a person is Stalled', () => {
    expect(
      scene()
        .status(failure(taken))
        .conditions.map(({ type, reason }) => `${type} ${reason}`),
    ).toEqual(['Ready NameTaken', 'Stalled NameTaken'])
  })

  it('stays to the letter while a failure holds the next step back', () => {
    const world = scene({ authority: withStatus(lastFailure(NOW + 8000)), secrets: [caSecret(ca, { activatedAt: undefined })] })
    expect(world.status(NONE)).toBe(world.facts.authority.status)
  })

  it('shows no bundle where the record cannot be read', () => {
    const record = bundleMap(bundleOf(ca), { data: { 'ca.crt': 'garbage' } })
    expect(scene({ record }).status(NONE).trustBundle).toBeUndefined()
  })
})

describe('the event of a pass over an authority', () => {
  const changed: AuthorityOutcome = { kind: 'changed', name: 'default-ca-1' }
  it('tells what was changed, and why', () => {
    const world = scene({ secrets: [caSecret(ca, { activatedAt: undefined })] })
    expect(world.event(changed)).toEqual({
      type: 'Normal',
      reason: 'GenerationActivated',
      action: 'Reconcile',
      note: 'generation 1 was not marked active',
    })
  })

  it('is none for a quiet pass', () => {
    expect(scene().event(NONE)).toBeUndefined()
  })

  const broken = [caSecret(ca, { data: { 'tls.key': undefined } })]
  it('warns of a refusal', () => {
    expect(scene({ secrets: broken }).event(NONE)).toMatchObject({ type: 'Warning', reason: 'CAKeyInvalid' })
  })
  it('is not repeated while the refusal stays', () => {
    expect(scene({ secrets: broken, authority: withStatus(refused('CAKeyInvalid')) }).event(NONE)).toBeUndefined()
  })
  it('warns of another refusal', () => {
    expect(scene({ secrets: broken, authority: withStatus(refused('CAKeyMissing')) }).event(NONE)).toMatchObject({ reason: 'CAKeyInvalid' })
  })

  it('warns of a failure once', () => {
    expect(scene().event(failure(throttled))).toMatchObject({ type: 'Warning', reason: 'Throttled', note: 'slow down' })
    expect(scene({ authority: withStatus(lastFailure(NOW - 1)) }).event(failure(throttled))).toBeUndefined()
  })
})
