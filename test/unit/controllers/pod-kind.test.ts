// Pods of one kind are alike to plans.

import { expect, it } from '@jest/globals'
import { projectPod } from '../../../src/controllers/caches.ts'
import { observeIdentity } from '../../../src/controllers/identity/observe.ts'
import { podKind } from '../../../src/controllers/pod-kind.ts'
import { filledStores, identityObject, OPERATOR_NAMESPACE, podObject, serviceObject } from '../../support/material.ts'

const kindOf = (...pod: Parameters<typeof podObject>): string => podKind(projectPod(podObject(...pod)))

it.each<[string, Parameters<typeof podObject>[1]]>([
  ['namespace', { metadata: { namespace: 'bank' } }],
  ['account', { account: 'batch' }],
  ['label', { labels: { app: 'other' } }],
])('another %s makes another kind', (_what, change) => {
  expect(kindOf('a', change)).not.toBe(kindOf('a'))
})

it('names, and labels that each pod of a Job has to itself, do not', () => {
  const labels = { app: 'payments', 'batch.kubernetes.io/job-completion-index': '7' }
  expect(kindOf('b', { labels })).toBe(kindOf('a'))
})

it('a second pod of a kind changes no fact but how many there are', () => {
  const selected = { app: 'payments', tier: 'back' }
  const facts = (...names: string[]) => {
    const caches = filledStores({
      identities: [
        identityObject(),
        identityObject({ podSelector: {} }, { metadata: { name: 'all', uid: 'elder', creationTimestamp: '2020-01-01T00:00:00Z' } }),
      ],
      pods: [
        podObject('x', { account: 'batch', labels: { app: 'payments' } }),
        ...names.map((name) => podObject(name, { labels: selected })),
      ],
      services: [serviceObject('front'), serviceObject('back', { selector: { tier: 'back' } })],
    })
    const identity = caches.identities.get('shop', 'payments')
    if (!identity) throw new Error('there is no identity')
    const surroundings = { operatorNamespace: OPERATOR_NAMESPACE, clusterDomain: 'cluster.local', restartWorkloads: false }
    const { identity: _same, selectedPods: _all, podsByAccount, overlap, ...rest } = observeIdentity(identity, caches, surroundings)
    return { ...rest, accounts: Object.keys(podsByAccount), overlap: overlap?.name }
  }
  expect(facts('a', 'b')).toEqual(facts('a'))
  expect(facts('a')).not.toEqual(facts())
})
