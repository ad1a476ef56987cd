// What to do about the copy of an authority's trust bundle in one namespace: observed facts, the plan, both small enough for one file. Pure.

import type { AuthorityRef } from '../../api/names.ts'
import { bundleName } from '../../api/names.ts'
import type { Reason } from '../../api/reason.ts'
import { type BundleCopy, bundleIsCurrent } from '../../api/stored/bundle.ts'
import type { TrustBundle } from '../../pki/bundle.ts'
import type { Caches } from '../caches.ts'

export interface BundleFacts {
  readonly ref: AuthorityRef
  readonly namespace: string
  readonly inOperatorNamespace: boolean
  /** Missing or terminating: nothing can be written. */
  readonly namespaceUsable: boolean
  /** Identities of the namespace that name this authority. */
  readonly identities: number
  /** The last published bundle; undefined: none, or it cannot be read just now, and every copy stays as it is. */
  readonly bundle: TrustBundle | undefined
  readonly copy: BundleCopy | undefined
}

export type BundleStep =
  | { readonly kind: 'none' }
  | { readonly kind: 'create'; readonly bundle: TrustBundle }
  | { readonly kind: 'replace'; readonly bundle: TrustBundle; readonly version: { readonly uid: string; readonly resourceVersion: string } }
  | { readonly kind: 'delete'; readonly version: { readonly uid: string; readonly resourceVersion: string } }

export interface BundlePlan {
  readonly step: BundleStep
  readonly reason: Reason
  readonly message: string
}

/** Reads the caches: one authority's bundle in one namespace. */
export function observeBundle(ref: AuthorityRef, namespace: string, caches: Caches, operatorNamespace: string): BundleFacts {
  const here = caches.namespaces.get('', namespace)
  const [record] = caches.bundleRecords.by('authority', ref.name)
  return {
    ref,
    namespace,
    inOperatorNamespace: namespace === operatorNamespace,
    namespaceUsable: here !== undefined && !here.terminating,
    identities: caches.identities.by('authorityInNamespace', `${ref.name}/${namespace}`).length,
    bundle: record?.bundle,
    copy: caches.bundleCopies.get(namespace, bundleName(ref)),
  }
}

/** A copy is made where an identity is, and kept in sync wherever one is: taking trust away is nobody's by-product. */
export function planBundle(facts: BundleFacts): BundlePlan {
  const { bundle, copy, ref } = facts
  if (facts.inOperatorNamespace) return nothing('the operator namespace holds the record itself')
  if (!facts.namespaceUsable) return nothing(`namespace ${facts.namespace} is gone or going`)
  if (!bundle) return nothing(`${ref.kind} ${ref.name} has published no bundle that can be read`)
  if (!copy) {
    if (facts.identities === 0) return nothing('no identity of the namespace needs it')
    return { step: { kind: 'create', bundle }, reason: 'BundleWritten', message: `${facts.identities} identities of the namespace need it` }
  }
  if (bundleIsCurrent(copy, ref, bundle.fingerprint)) return nothing('the copy is current')
  const version = { uid: copy.uid, resourceVersion: copy.resourceVersion }
  // What is deleted where no identity is would not be made again.
  if (copy.immutable && facts.identities === 0) return nothing('the copy was made immutable, and no identity of the namespace needs it')
  if (copy.immutable && copy.terminating) return nothing('the copy must be made again and finalizers hold it')
  if (copy.immutable)
    return { step: { kind: 'delete', version }, reason: 'BundleRepaired', message: 'the copy was made immutable: it is made again' }
  const outdated = copy.recordedFingerprint !== bundle.fingerprint
  const message = outdated ? 'another bundle was published' : 'the copy was edited'
  return { step: { kind: 'replace', bundle, version }, reason: outdated ? 'BundleWritten' : 'BundleRepaired', message }
}

function nothing(message: string): BundlePlan {
  return { step: { kind: 'none' }, reason: 'Current', message }
}
