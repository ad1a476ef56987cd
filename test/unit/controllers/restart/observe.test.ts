// Real stores, filled with raw objects: which workloads are an identity's to restart, and who comes first.

import { describe, expect, it } from '@jest/globals'
import { hours } from '../../../../src/base/duration.ts'
import { formatInstant } from '../../../../src/base/instant.ts'
import { observeRestart } from '../../../../src/controllers/restart/observe.ts'
import { Pace } from '../../../../src/controllers/restart/pace.ts'
import { filledStores, identityObject, leafSecret, makeCA, NOW, namespaceObject, workloadObject } from '../../../support/material.ts'

const leaf = await leafSecret(await makeCA())
const asking = { restart: { onRenewal: true } }
type Objects = Parameters<typeof filledStores>[0]

function observe(objects: Objects = {}, { spec = {}, pace = new Pace(0) }: { spec?: object; pace?: Pace } = {}) {
  const { identities = [], ...more } = objects
  const stores = filledStores({
    identities: [identityObject({ ...asking, ...spec }), ...identities],
    leafSecrets: [leaf],
    namespaces: [namespaceObject('shop')],
    ...more,
  })
  const identity = stores.identities.get('shop', 'payments')
  if (!identity) throw new Error('the identity is not in its store')
  return observeRestart(identity, stores, pace)
}
const found = (objects: Objects, spec?: object) =>
  observe(objects, spec ? { spec } : {}).candidates.map(({ workload }) => `${workload.kind} ${workload.name}`)
const labelled = (name: string, template: Record<string, string>) => workloadObject(name, { template })

describe('the workloads of an identity', () => {
  it('are those of all three kinds that run pods it selects', () => {
    const objects = {
      deployments: [labelled('b', { app: 'payments', tier: 'back' }), labelled('a', { app: 'payments' }), labelled('c', { app: 'other' })],
      statefulSets: [workloadObject('s')],
      daemonSets: [workloadObject('d')],
    }
    expect(found(objects)).toEqual(['Deployment a', 'Deployment b', 'StatefulSet s', 'DaemonSet d'])
  })

  it('are not those that have not opted in, or not with exactly "true"', () => {
    const saying = (name: string, value: string | undefined) =>
      workloadObject(name, { annotations: { 'mutualidentity.io/restart-on-renewal': value } })
    expect(found({ deployments: [saying('a', undefined), saying('b', 'yes'), saying('c', 'false')] })).toEqual([])
  })

  it('are not those that say so only in their pod template', () => {
    const spec = {
      template: { metadata: { labels: { app: 'payments' }, annotations: { 'mutualidentity.io/restart-on-renewal': 'true' } } },
    }
    expect(
      found({ deployments: [workloadObject('a', { spec, annotations: { 'mutualidentity.io/restart-on-renewal': undefined } })] }),
    ).toEqual([])
  })

  it('are not those that are being deleted, nor those of other namespaces', () => {
    const deployments = [
      workloadObject('a', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      workloadObject('b', { metadata: { namespace: 'other' } }),
    ]
    expect(found({ deployments })).toEqual([])
  })

  it.each<[string, object, string[]]>([
    ['all labels', { matchLabels: { app: 'payments', tier: 'back' } }, ['Deployment b']],
    ['expressions', { matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, ['Deployment b']],
    ['everything', {}, ['Deployment a', 'Deployment b', 'Deployment bare']],
  ])('are found by %s', (_what, podSelector, names) => {
    const deployments = [labelled('a', { app: 'payments' }), labelled('b', { app: 'payments', tier: 'back' }), labelled('bare', {})]
    expect(found({ deployments }, { podSelector })).toEqual(names)
  })
})

describe('a workload is claimed by another identity', () => {
  const rival = (change: Parameters<typeof identityObject>[1] = {}, spec: object = {}) =>
    identityObject({ ...asking, ...spec }, { ...change, metadata: { name: 'rival', uid: 'a', ...change.metadata } })
  const claimed = (other: ReturnType<typeof rival>) =>
    observe({ identities: [other], deployments: [workloadObject()] }).candidates[0]?.claimedBy
  const older = { creationTimestamp: formatInstant(NOW - hours(48)) }
  const younger = { creationTimestamp: formatInstant(NOW - hours(1)) }

  it.each<[string, ReturnType<typeof rival>, string | undefined]>([
    ['that is older', rival({ metadata: older }), 'rival'],
    ['of the same age with a smaller UID', rival(), 'rival'],
    ['not of the same age with a greater UID', rival({ metadata: { uid: 'z' } }), undefined],
    ['not a younger one', rival({ metadata: younger }), undefined],
    ['not one that does not ask', rival({ metadata: older }, { restart: { onRenewal: false } }), undefined],
    ['not one that selects other pods', rival({ metadata: older }, { podSelector: { matchLabels: { app: 'other' } } }), undefined],
    ['not one that is being deleted', rival({ metadata: { ...older, deletionTimestamp: '2026-01-01T00:00:00Z' } }), undefined],
    ['not one whose spec cannot be used', rival({ metadata: older }, { podSelector: {}, trust: 5 }), undefined],
    ['not one of another namespace', rival({ metadata: { ...older, namespace: 'other' } }), undefined],
  ])('%s', (_what, other, by) => {
    expect(claimed(other)).toBe(by)
  })
})

describe('the facts of restarts', () => {
  it('hold the Secret that the spec names, and whether the namespace goes away', () => {
    const { secret, namespaceTerminating } = observe()
    expect([secret?.leaf?.serialNumber, namespaceTerminating]).toEqual([expect.stringMatching(/^[0-9a-f]+$/), false])
    expect(observe({}, { spec: { delivery: { secretName: 'another' } } }).secret).toBeUndefined()
  })

  it('hold what this process did to a workload', () => {
    const pace = new Pace(0)
    pace.tried('uid-payments', 5, { serialNumber: '0a', at: NOW })
    expect(observe({ deployments: [workloadObject()] }, { pace }).candidates).toMatchObject([
      { done: { serialNumber: '0a', at: NOW }, triedAt: 5 },
    ])
  })

  it('name the kinds that could not be listed', () => {
    const stores = filledStores({ identities: [identityObject(asking)] })
    stores.daemonSets.markUnreadable()
    const [identity] = stores.identities.all()
    expect(identity && observeRestart(identity, stores, new Pace(0)).unreadable).toEqual(['DaemonSet'])
  })
})
