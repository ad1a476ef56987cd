import { describe, expect, it } from '@jest/globals'
import { projectLeafSecret } from '../../../../src/api/stored/leaf-secret.ts'
import { projectPod, projectService } from '../../../../src/controllers/caches.ts'
import {
  identitiesOfAuthority,
  identitiesOfNamespace,
  identitiesOfPod,
  identitiesOfPodChange,
  identitiesOfSecret,
  identitiesOfService,
} from '../../../../src/controllers/identity/triggers.ts'
import { changed, filledStores, identityObject, podObject, serviceObject } from '../../../support/material.ts'

const identity = (name: string, podSelector: object, more: object = {}, namespace = 'shop') =>
  identityObject({ podSelector, ...more }, { metadata: { name, namespace } })
const stores = filledStores({
  identities: [
    identity('app', { matchLabels: { app: 'payments' } }),
    identity('both', { matchLabels: { app: 'payments', tier: 'back' } }),
    identity('all', {}),
    identity('expression', { matchExpressions: [{ key: 'version', operator: 'Exists' }] }),
    identity('elsewhere', { matchLabels: { app: 'payments' } }, { authorityRef: { name: 'other' } }, 'other'),
  ],
  pods: [podObject('v2', { labels: { app: 'payments', version: '2' } })],
})

describe('a pod concerns', () => {
  it.each<[string, Record<string, string>, string[]]>([
    ['identities whose labels it has', { app: 'payments' }, ['shop/app', 'shop/all']],
    ['identities all of whose labels it has', { app: 'payments', tier: 'back' }, ['shop/app', 'shop/both', 'shop/all']],
    ['identities whose expressions it satisfies', { version: '1' }, ['shop/all', 'shop/expression']],
    ['identities that select everything, without any label', {}, ['shop/all']],
  ])('%s', (_what, labels, keys) => {
    expect(identitiesOfPod(projectPod(podObject('p', { labels })), stores.identities).sort()).toEqual([...keys].sort())
  })
})

describe('a change of a pod wakes its identities', () => {
  type Change = Parameters<typeof podObject>[1]
  const V1 = { app: 'payments', version: '1' }
  /** What wakes when a pod of V1 goes over from the one to the other beside `others`; undefined: it is not there. */
  function wakes({ before, after, others = [] }: { before?: Change; after?: Change; others?: Change[] }, selector: object = {}) {
    const pod = (name: string, change: Change) => podObject(name, { labels: V1, ...change })
    const crowd = filledStores({
      identities: [identity('app', { matchLabels: { app: 'payments' }, ...selector })],
      pods: [...others.map((change, index) => pod(`other-${index}`, change)), ...(after ? [pod('p', after)] : [])],
    })
    const projected = (change: Change | undefined) => change && projectPod(pod('p', change))
    const { atOnce, soon } = identitiesOfPodChange({ before: projected(before), after: projected(after) }, crowd)
    return { atOnce: [...atOnce], soon: [...soon] }
  }
  const AT_ONCE = { atOnce: ['shop/app'], soon: [] }
  const SOON = { atOnce: [], soon: ['shop/app'] }
  const NEVER = { atOnce: [], soon: [] }
  const terminating = { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }
  const ofStatefulSet = (index: number) => ({ labels: { ...V1, 'statefulset.kubernetes.io/pod-name': `db-${index}` } })

  it.each<[string, Parameters<typeof wakes>[0], object]>([
    ['at once where it is the first', { after: {} }, AT_ONCE],
    ['at once where it was the last', { before: {} }, AT_ONCE],
    ['at once where it is the last and ends', { before: {}, after: terminating }, AT_ONCE],
    ['at once where it is the first of its account', { after: { account: 'batch' }, others: [{}] }, AT_ONCE],
    ['at once where it was the last of its account', { before: { account: 'batch' }, others: [{}] }, AT_ONCE],
    ['at once where it is the first with its labels', { after: { labels: { app: 'payments', version: '2' } }, others: [{}] }, AT_ONCE],
    ['at once where others of its kind are ending', { after: {}, others: [terminating, { phase: 'Succeeded' }] }, AT_ONCE],
    [
      'at once where its labels make it the first of another kind',
      { before: {}, after: { labels: { app: 'payments' } }, others: [{}] },
      AT_ONCE,
    ],
    ['soon where it comes to others of its kind', { after: {}, others: [{}] }, SOON],
    ['soon where it leaves others of its kind behind', { before: {}, others: [{}] }, SOON],
    ['soon where it ends before others of its kind', { before: {}, after: terminating, others: [{}] }, SOON],
    ['soon where only a label of its own tells it from others', { after: ofStatefulSet(1), others: [ofStatefulSet(0)] }, SOON],
    ['not at all where it was ending and is gone', { before: terminating }, NEVER],
    ['not at all where they do not select it', { after: { labels: { app: 'shop' } } }, NEVER],
  ])('%s', (_when, change, woken) => {
    expect(wakes(change)).toEqual(woken)
  })

  it.each([
    ['labels', { matchLabels: { 'statefulset.kubernetes.io/pod-name': 'db-1' } }],
    ['expressions', { matchExpressions: [{ key: 'statefulset.kubernetes.io/pod-name', operator: 'In', values: ['db-1'] }] }],
  ])('at once where they select it by a label of its own (%s)', (_by, selector) => {
    expect(wakes({ after: ofStatefulSet(1), others: [ofStatefulSet(0)] }, selector)).toEqual(AT_ONCE)
  })
})

describe('a Service concerns', () => {
  const concerned = (spec: object) => identitiesOfService(projectService(serviceObject('s', spec)), stores).sort()
  it('identities whose labels hold its selector, also without pods', () => {
    expect(concerned({ selector: { tier: 'back' } })).toEqual(['shop/both'])
  })
  it('identities whose pods it selects', () => {
    expect(concerned({ selector: { version: '2' } })).toEqual(['shop/all', 'shop/app', 'shop/expression'])
  })
  it('nobody without a selector', () => {
    expect(concerned({ selector: {} })).toEqual([])
  })
  it('nobody through a pod that has only a part of its selector', () => {
    expect(concerned({ selector: { app: 'payments', version: '3' } })).toEqual([])
  })
})

describe('a Secret concerns', () => {
  const secret = (name: string) => projectLeafSecret(changed({ metadata: { namespace: 'shop', name } }))
  it('the identity that its name says, since labels can be edited', () => {
    expect(identitiesOfSecret(secret('app-mtls'), stores.identities)).toEqual(['shop/app'])
  })
  it('nobody where no identity names it', () => {
    expect(identitiesOfSecret(secret('payments-tls'), stores.identities)).toEqual([])
  })
})

it('an authority concerns the identities that name it, in whatever namespace', () => {
  expect(identitiesOfAuthority('other', stores.identities)).toEqual(['other/elsewhere'])
})

it('a namespace concerns the identities in it', () => {
  expect(identitiesOfNamespace('other', stores.identities)).toEqual(['other/elsewhere'])
})
