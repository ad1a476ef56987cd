import { describe, expect, it } from '@jest/globals'
import type { AuthorityRef } from '../../../../src/api/names.ts'
import { observeAuthorityState } from '../../../../src/controllers/authority/observe.ts'
import type { RawObject } from '../../../../src/k8s/resource.ts'
import { parseTrustDomain } from '../../../../src/pki/trust-domain.ts'
import type { Stores } from '../../../../src/stores.ts'
import { authorityObject, bundleMap, bundleOf, caSecret, filledStores, makeCA, OPERATOR_NAMESPACE } from '../../../support/material.ts'

const OTHER: AuthorityRef = { kind: 'ClusterMutualAuthority', namespace: '', name: 'other' }
const [one, two, ten, foreign] = await Promise.all([
  makeCA(),
  makeCA({ generation: 2 }),
  makeCA({ generation: 10 }),
  makeCA({ trustDomain: parseTrustDomain('example.org') }),
])

const observe = (stores: Stores, name = 'default', defaultTrustDomain = 'cluster.local') => {
  const authority = stores.authorities.get('', name)
  if (!authority) throw new Error(`there is no authority ${name}`)
  return observeAuthorityState(authority, stores, { operatorNamespace: OPERATOR_NAMESPACE, defaultTrustDomain, namespacedTrustDomains: {} })
}
const born = (name: string, creationTimestamp: string, spec: object = {}, uid = `uid-${name}`): RawObject =>
  authorityObject(spec, { metadata: { name, creationTimestamp, uid } })

describe('the CA Secrets of an authority', () => {
  it('are its own only, in order of their numbers', () => {
    const caSecrets = [caSecret(ten), caSecret(two), caSecret(one), caSecret(foreign, { authority: OTHER })]
    const facts = observe(filledStores({ authorities: [authorityObject()], caSecrets }))
    expect(facts.secrets.map(({ name }) => name)).toEqual(['default-ca-1', 'default-ca-2', 'default-ca-10'])
  })

  it('are shown also where they cannot be read, but are no generations then', () => {
    const caSecrets = [caSecret(one, { data: { 'tls.key': undefined } }), caSecret(two)]
    const facts = observe(filledStores({ authorities: [authorityObject()], caSecrets }))
    expect([facts.secrets.length, facts.generations.map(({ number }) => number)]).toEqual([2, [2]])
  })
})

describe('the published bundle of an authority', () => {
  it('is its own', () => {
    const bundleRecords = [bundleMap(bundleOf(foreign), { authority: OTHER }), bundleMap(bundleOf(one))]
    expect(observe(filledStores({ authorities: [authorityObject()], bundleRecords })).record?.bundle?.fingerprint).toBe(
      bundleOf(one).fingerprint,
    )
  })
})

describe('the elder of an authority', () => {
  const elderOf = (name: string, authorities: RawObject[], caSecrets: RawObject[] = [], defaultTrustDomain?: string) =>
    observe(filledStores({ authorities, caSecrets }), name, defaultTrustDomain).elder

  it('is the older of two that claim one trust domain', () => {
    const both = [born('a', '2026-01-02T00:00:00Z'), born('b', '2026-01-01T00:00:00Z')]
    expect([elderOf('a', both), elderOf('b', both)]).toEqual([expect.objectContaining({ name: 'b' }), undefined])
  })

  it('is the one with the smaller uid where both are of one second', () => {
    const both = [born('a', '2026-01-01T00:00:00Z', {}, 'u2'), born('b', '2026-01-01T00:00:00Z', {}, 'u1')]
    expect([elderOf('a', both), elderOf('b', both)]).toEqual([expect.objectContaining({ name: 'b' }), undefined])
  })

  it('is not one that is being deleted', () => {
    const gone = authorityObject(
      {},
      { metadata: { name: 'b', creationTimestamp: '2020-01-01T00:00:00Z', deletionTimestamp: '2026-01-01T00:00:00Z' } },
    )
    expect(elderOf('a', [born('a', '2026-01-01T00:00:00Z'), gone])).toBeUndefined()
  })

  it('is not one of another trust domain', () => {
    expect(
      elderOf('a', [born('a', '2026-01-02T00:00:00Z'), born('b', '2026-01-01T00:00:00Z', { trustDomain: 'example.org' })]),
    ).toBeUndefined()
  })

  it('claims what its CA was made for, whatever the flags of the operator say now', () => {
    const both = [born('a', '2026-01-02T00:00:00Z', { trustDomain: 'example.org' }), born('other', '2026-01-01T00:00:00Z')]
    expect(elderOf('a', both, [caSecret(foreign, { authority: OTHER })], 'changed.example')).toMatchObject({ name: 'other' })
  })

  it('is one that has a CA, also where it is younger: it signs already', () => {
    const both = [born('a', '2026-01-01T00:00:00Z'), born('other', '2026-01-02T00:00:00Z')]
    const signing = [caSecret(one, { authority: OTHER })]
    expect([elderOf('a', both, signing), elderOf('other', both, signing)]).toEqual([expect.objectContaining({ name: 'other' }), undefined])
  })
})
