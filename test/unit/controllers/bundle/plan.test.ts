import { describe, expect, it } from '@jest/globals'
import { annotations, labels } from '../../../../src/api/names.ts'
import { observeBundle } from '../../../../src/controllers/bundle/observe.ts'
import { type BundlePlan, planBundle } from '../../../../src/controllers/bundle/plan.ts'
import type { RawObject } from '../../../../src/k8s/resource.ts'
import {
  bundleMap,
  bundleOf,
  DEFAULT_REF,
  filledStores,
  identityObject,
  makeCA,
  namespaceObject,
  OPERATOR_NAMESPACE,
  pemOf,
} from '../../../support/material.ts'

const [ca, stranger] = await Promise.all([makeCA(), makeCA()])
const bundle = bundleOf(ca)
const record = bundleMap(bundle)
const copy = (change: Parameters<typeof bundleMap>[1] = {}, of = bundle) => bundleMap(of, { namespace: 'shop', ...change })

interface World {
  namespace?: RawObject | undefined
  identities?: RawObject[]
  record?: RawObject | undefined
  copy?: RawObject
}
function planOf(world: World, namespace = 'shop'): BundlePlan {
  const { identities = [identityObject()] } = world
  const stores = filledStores({
    namespaces: 'namespace' in world ? (world.namespace ? [world.namespace] : []) : [namespaceObject(namespace)],
    identities,
    bundleRecords: 'record' in world ? (world.record ? [world.record] : []) : [record],
    bundleCopies: world.copy ? [world.copy] : [],
  })
  return planBundle(observeBundle(DEFAULT_REF, namespace, stores, OPERATOR_NAMESPACE))
}
const terminating = namespaceObject('shop', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })
const elsewhere = identityObject({}, { metadata: { namespace: 'other' } })
const ofAnother = identityObject({ authorityRef: { name: 'other' } })

describe('no copy is written', () => {
  it.each<[string, World, string?]>([
    [
      'into the operator’s own namespace, which holds the record',
      { identities: [identityObject({}, { metadata: { namespace: OPERATOR_NAMESPACE } })] },
      OPERATOR_NAMESPACE,
    ],
    ['into a namespace that is gone', { namespace: undefined }],
    ['into a namespace that is going', { namespace: terminating }],
    ['before a bundle was published', { record: undefined }],
    ['from a record that was edited', { record: bundleMap(bundle, { data: { 'ca.crt': pemOf(stranger.certificate) } }) }],
    ['where no identity is', { identities: [elsewhere] }],
    ['where identities name another authority', { identities: [ofAnother] }],
    ['over one that is current', { copy: copy() }],
    ['over one that is current and immutable', { copy: copy({ fields: { immutable: true } }) }],
    ['over an outdated one, when the record cannot be read', { record: undefined, copy: copy({}, bundleOf(stranger)) }],
  ])('%s', (_what, world, namespace = 'shop') => {
    expect(planOf(world, namespace).step).toEqual({ kind: 'none' })
  })
})

describe('a copy', () => {
  it('is created where an identity needs it', () => {
    expect(planOf({})).toMatchObject({ step: { kind: 'create', bundle: { text: bundle.text } }, reason: 'BundleWritten' })
  })

  const version = (raw: RawObject) => ({ uid: raw.metadata.uid, resourceVersion: raw.metadata.resourceVersion })
  const outdated = copy({}, bundleOf(stranger))
  it.each<[string, string, RawObject]>([
    ['BundleWritten', 'another bundle was published', outdated],
    ['BundleRepaired', 'its text was edited', copy({ data: { 'ca.crt': 'edited' } })],
    ['BundleRepaired', 'its text was taken away', copy({ data: { 'ca.crt': undefined } })],
    ['BundleRepaired', 'a label was taken away', copy({ labels: { [labels.authorityKind]: undefined } })],
    ['BundleRepaired', 'its authority was edited', copy({ labels: { [labels.authority]: 'other' } })],
    ['BundleWritten', 'its fingerprint was edited', copy({ annotations: { [annotations.bundleFingerprint]: 'aa' } })],
  ])('is replaced at exactly its version (%s) when %s', (reason, _what, present) => {
    expect(planOf({ copy: present })).toMatchObject({ step: { kind: 'replace', version: version(present) }, reason })
  })

  it('is kept in sync also where no identity is any more: taking trust away is nobody’s by-product', () => {
    expect(planOf({ copy: outdated, identities: [] }).step.kind).toBe('replace')
  })

  const immutable = copy({ fields: { immutable: true } }, bundleOf(stranger))
  it('is deleted, to be made again, when it is immutable and outdated', () => {
    expect(planOf({ copy: immutable }).step).toEqual({ kind: 'delete', version: version(immutable) })
  })

  it('is not deleted where nobody would make it again', () => {
    expect(planOf({ copy: immutable, identities: [] }).step.kind).toBe('none')
  })
})
