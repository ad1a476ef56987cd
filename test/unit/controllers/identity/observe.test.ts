// Real stores, filled with raw objects that hold real keys and certificates.

import { describe, expect, it } from '@jest/globals'
import { annotations } from '../../../../src/api/names.ts'
import type { IdentityFacts } from '../../../../src/controllers/identity/facts.ts'
import { observeIdentity } from '../../../../src/controllers/identity/observe.ts'
import type { RawObject } from '../../../../src/k8s/resource.ts'
import type { Stores } from '../../../../src/stores.ts'
import {
  authorityObject,
  b64,
  bundleMap,
  bundleOf,
  caSecret,
  filledStores,
  identityObject,
  leafProfile,
  leafSecret,
  makeCA,
  namespaceObject,
  OPERATOR_NAMESPACE,
  podObject,
  serviceObject,
} from '../../../support/material.ts'

const [ca, stranger] = await Promise.all([makeCA(), makeCA()])
const leaf = await leafSecret(ca)
const surroundings = { operatorNamespace: OPERATOR_NAMESPACE, clusterDomain: 'cluster.local', restartWorkloads: true }

type Objects = Parameters<typeof filledStores>[0]
const served = (change: Objects = {}): Stores =>
  filledStores({
    identities: [identityObject()],
    authorities: [authorityObject()],
    caSecrets: [caSecret(ca)],
    bundleRecords: [bundleMap(bundleOf(ca))],
    namespaces: [namespaceObject('shop')],
    pods: [podObject('a')],
    services: [serviceObject('payments')],
    leafSecrets: [leaf],
    ...change,
  })
function observe(stores: Stores, namespace = 'shop', name = 'payments'): IdentityFacts {
  const identity = stores.identities.get(namespace, name)
  if (!identity) throw new Error(`there is no identity ${name}`)
  return observeIdentity(identity, stores, surroundings)
}

describe('the facts of an identity', () => {
  it('are all there for one that is served', () => {
    expect(observe(served())).toMatchObject({
      inOperatorNamespace: false,
      namespaceTerminating: false,
      selectedPods: 1,
      observedAccounts: ['payments'],
      recordedAccount: 'payments',
      serviceDnsNames: ['payments.shop', 'payments.shop.svc', 'payments.shop.svc.cluster.local'],
      secret: { name: 'payments-mtls', trusted: { ok: true }, problem: undefined },
    })
  })

  it('hold no certificate bytes and no key', () => {
    const text = JSON.stringify(observe(served()).secret)
    const { 'tls.crt': chain = '', 'tls.key': key = '' } = leaf['data'] as Record<string, string>
    expect(text).not.toContain('chain')
    for (const bytes of [chain, key]) expect(text).not.toContain(bytes.slice(60, 100))
  })

  it('say that a namespace is being deleted', () => {
    const namespaces = [namespaceObject('shop', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })]
    expect(observe(served({ namespaces })).namespaceTerminating).toBe(true)
  })

  it('say that the namespace is the operator’s own', () => {
    const identities = [identityObject({}, { metadata: { namespace: OPERATOR_NAMESPACE } })]
    expect(observe(served({ identities }), OPERATOR_NAMESPACE).inOperatorNamespace).toBe(true)
  })

  it('know no Secret where there is none, and leave it open where Secrets may not be read', () => {
    const stores = served({ leafSecrets: [] })
    expect(observe(stores).secret).toBeUndefined()
    stores.leafSecrets.markUnreadable()
    expect(observe(stores).secret).toBe('unknown')
  })
})

describe('the pods of an identity', () => {
  it.each<[string, RawObject, number]>([
    ['a running pod', podObject('p'), 1],
    ['a pod that waits for its Secret', podObject('p', { phase: 'Pending' }), 1],
    ['a completed pod', podObject('p', { phase: 'Succeeded' }), 0],
    ['a failed pod', podObject('p', { phase: 'Failed' }), 0],
    ['a terminating pod', podObject('p', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }), 0],
    ['a pod of other labels', podObject('p', { labels: { app: 'other' } }), 0],
    ['a pod with more labels', podObject('p', { labels: { app: 'payments', version: '2' } }), 1],
    ['a pod of another namespace', podObject('p', { metadata: { namespace: 'other' } }), 0],
  ])('%s counts as it should', (_what, pod, count) => {
    expect(observe(served({ pods: [pod] })).selectedPods).toBe(count)
  })

  it('are found by expressions too', () => {
    const matchExpressions = [{ key: 'version', operator: 'In', values: ['2'] }]
    const identities = [identityObject({ podSelector: { matchExpressions } })]
    const pods = [podObject('one', { labels: { version: '1' } }), podObject('two', { labels: { version: '2' } })]
    expect(observe(served({ identities, pods })).selectedPods).toBe(1)
  })

  it('must satisfy every label, whichever is looked up', () => {
    const identities = [identityObject({ podSelector: { matchLabels: { app: 'payments', tier: 'back' } } })]
    const pods = [
      podObject('a'),
      podObject('b', { labels: { tier: 'back' } }),
      podObject('c', { labels: { app: 'payments', tier: 'back' } }),
    ]
    expect(observe(served({ identities, pods })).selectedPods).toBe(1)
  })

  it('are all of the namespace for an empty selector', () => {
    const pods = [podObject('a'), podObject('b', { labels: {} }), podObject('c', { metadata: { namespace: 'other' } })]
    expect(observe(served({ identities: [identityObject({ podSelector: {} })], pods })).selectedPods).toBe(2)
  })

  it('name each of their accounts once, sorted', () => {
    const pods = [podObject('a', { account: 'z' }), podObject('b', { account: 'y' }), podObject('c', { account: 'z' })]
    expect(observe(served({ pods })).observedAccounts).toEqual(['y', 'z'])
  })
})

describe('the recorded account', () => {
  it('is that of the leaf, not of any annotation', () => {
    const edited = {
      ...leaf,
      metadata: { ...leaf.metadata, annotations: { ...leaf.metadata.annotations, [annotations.renewedFor]: 'admin' } },
    }
    expect(observe(served({ leafSecrets: [edited], pods: [] })).recordedAccount).toBe('payments')
  })

  it('is not taken from a leaf of a stranger’s CA', async () => {
    const forged = await leafSecret(stranger, { profile: leafProfile({ account: 'admin' }) })
    const facts = observe(served({ leafSecrets: [forged], pods: [] }))
    expect([facts.recordedAccount, (facts.secret as { trusted?: { ok: boolean } }).trusted?.ok]).toEqual([undefined, false])
  })

  it('is not taken from a leaf that was made for another namespace', async () => {
    const { workloadId } = await import('../../../../src/pki/spiffe-id.ts')
    const { spiffeId } = leafProfile()
    const moved = await leafSecret(ca, { profile: leafProfile({ spiffeId: workloadId(spiffeId.trustDomain, 'other', 'admin') }) })
    expect(observe(served({ leafSecrets: [moved], pods: [] })).recordedAccount).toBeUndefined()
  })

  it('is not known while there is no published bundle', () => {
    const facts = observe(served({ bundleRecords: [], pods: [] }))
    expect([facts.recordedAccount, (facts.secret as { trusted?: unknown }).trusted]).toEqual([undefined, undefined])
  })
})

describe('trust in the present leaf', () => {
  it('is judged anew when another bundle is published', () => {
    const stores = served()
    expect(observe(stores).secret).toMatchObject({ trusted: { ok: true } })
    stores.bundleRecords.wrote({
      ...bundleMap(bundleOf(stranger)),
      metadata: { ...bundleMap(bundleOf(stranger)).metadata, resourceVersion: '99999' },
    })
    expect(observe(stores).secret).toMatchObject({ trusted: { ok: false } })
  })
})

describe('the authority of an identity', () => {
  it('is not there when it is being deleted', () => {
    const authorities = [authorityObject({}, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })]
    expect(observe(served({ authorities })).authority).toBeUndefined()
  })

  it('signs with the version of the CA Secret that is in the cache', () => {
    const secret = caSecret(ca)
    expect(observe(served({ caSecrets: [secret] })).authority?.signing).toMatchObject({
      number: 1,
      secretName: 'default-ca-1',
      secretUid: secret.metadata.uid,
      secretResourceVersion: secret.metadata.resourceVersion,
      certificateFingerprint: ca.certificate.fingerprint,
    })
  })

  it.each<[string, Objects, string]>([
    ['its root is not published', { bundleRecords: [] }, 'it has no generation that signs yet'],
    ['another root is published', { bundleRecords: [bundleMap(bundleOf(stranger))] }, 'it has no generation that signs yet'],
    ['its generation is not active', { caSecrets: [caSecret(ca, { activatedAt: undefined })] }, 'it has no generation that signs yet'],
    ['its key is garbage', { caSecrets: [caSecret(ca, { data: { 'tls.key': b64('x') } })] }, 'it has no generation that signs yet'],
    ['its record was edited', { bundleRecords: [bundleMap(bundleOf(ca), { data: { 'ca.crt': 'x' } })] }, 'the bundle is refused'],
  ])('does not sign when %s, and says why', (_what, change, problem) => {
    const { authority } = observe(served(change))
    expect(authority?.signing).toBeUndefined()
    expect(authority?.problem).toContain(problem)
  })

  it('says what its own condition says, where that explains it', () => {
    const conditions = [{ type: 'Ready', status: 'False', reason: 'CAKeyMissing', message: 'the key is gone' }]
    const authorities = [authorityObject({}, { fields: { status: { conditions } } })]
    expect(observe(served({ authorities, caSecrets: [] })).authority?.problem).toBe('the key is gone')
  })

  it.each(['caSecrets', 'bundleRecords'] as const)('says that %s may not be read, so that nobody takes it for broken', (cache) => {
    const stores = served({ [cache]: [] })
    stores[cache].markUnreadable()
    expect(observe(stores).authority?.unreadable).toBe('its CA Secrets or its bundle may not be read by this account')
  })

  it('is not missing where authorities may not be read', () => {
    const stores = served({ authorities: [] })
    stores.authorities.markUnreadable()
    expect(observe(stores).authority?.unreadable).toBe('it may not be read by this account')
  })
})

describe('an authority that is refused does not sign', () => {
  const elder = authorityObject({}, { metadata: { name: 'elder', uid: 'elder', creationTimestamp: '2020-01-01T00:00:00Z' } })
  it.each<[string, Objects]>([
    ['its spec cannot be read', { authorities: [authorityObject({ leaf: { lifetime: '90d' } })] }],
    ['its spec names another trust domain than its CA', { authorities: [authorityObject({ trustDomain: 'example.org' })] }],
    [
      'an elder one has a CA of the same trust domain',
      {
        authorities: [authorityObject(), elder],
        caSecrets: [caSecret(ca), caSecret(stranger, { authority: { kind: 'ClusterMutualAuthority', namespace: '', name: 'elder' } })],
      },
    ],
  ])('when %s', (_what, change) => {
    const { authority } = observe(served(change))
    expect(authority?.signing).toBeUndefined()
    expect(authority?.problem).toBeTruthy()
  })
})

describe('what was decided for an identity', () => {
  const noPods = (secret: RawObject, status?: object) =>
    observe(served({ pods: [], leafSecrets: [secret], identities: [identityObject({}, status ? { fields: { status } } : {})] }))

  it('is read from its leaf, with the names it held', () => {
    expect(noPods(leaf)).toMatchObject({ recordedAccount: 'payments', serviceDnsNames: expect.arrayContaining(['payments.shop']) })
  })
  it('is not read from a certificate without its key, which anybody can put there', () => {
    const stolen = { ...leaf, data: { ...(leaf['data'] as object), 'tls.key': b64('garbage') } }
    expect(noPods(stolen).recordedAccount).toBeUndefined()
  })
  it('is not read from a leaf that the status contradicts', () => {
    expect(noPods(leaf, { spiffeID: 'spiffe://cluster.local/ns/shop/sa/other' }).recordedAccount).toBeUndefined()
  })
  it('is not read from a Secret of somebody else', () => {
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x', controller: true }]
    expect(noPods({ ...leaf, metadata: { ...leaf.metadata, ownerReferences } }).recordedAccount).toBeUndefined()
  })
})
