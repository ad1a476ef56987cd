// An identity that asks for restarts of an operator that makes none is told so, and is ready all the same.

import { describe, expect, it } from '@jest/globals'
import { observeIdentity } from '../../../../src/controllers/identity/observe.ts'
import { planIdentity } from '../../../../src/controllers/identity/plan.ts'
import { NOW, servedFacts } from '../../../support/identity-facts.ts'
import { filledStores, identityObject, OPERATOR_NAMESPACE } from '../../../support/material.ts'

describe('restarts are unavailable', () => {
  it.each<[string, boolean, boolean, boolean]>([
    ['to an identity that asks where none are made', true, false, true],
    ['to nobody who does not ask', false, false, false],
    ['to nobody where they are made', true, true, false],
  ])('%s', (_what, onRenewal, restartWorkloads, expected) => {
    const stores = filledStores({ identities: [identityObject({ restart: { onRenewal } })] })
    const surroundings = { operatorNamespace: OPERATOR_NAMESPACE, clusterDomain: 'cluster.local', restartWorkloads }
    const [identity] = stores.identities.all()
    expect(identity && observeIdentity(identity, stores, surroundings).restartUnavailable).toBe(expected)
  })
})

describe('an identity to which they are', () => {
  it('is ready, with that reason and what to do', () => {
    expect(planIdentity(servedFacts({ restartUnavailable: true }), NOW)).toMatchObject({
      step: { kind: 'none' },
      readiness: { state: 'ready', reason: 'RestartNotEnabled', message: expect.stringContaining('--restart-workloads') },
    })
  })

  it('is told of overlapping pods first', () => {
    const facts = servedFacts({ restartUnavailable: true, overlap: { name: 'elder', pods: 1 } })
    expect(planIdentity(facts, NOW).readiness.reason).toBe('PodsOverlap')
  })
})
