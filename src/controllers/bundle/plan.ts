// What to do about the copy of an authority's trust bundle in one namespace: facts and plan, both small enough for one file. Pure.

import type { Authority } from '../../api/authority.ts'
import { matches } from '../../api/label-selector.ts'
import { type AuthorityRef, authorityText } from '../../api/names.ts'
import type { Reason } from '../../api/reason.ts'
import { type BundleCopy, bundleIsCurrent, type PublishedBundle } from '../../api/stored/bundle.ts'
import type { Namespace } from '../caches.ts'

export interface BundleFacts {
  readonly ref: AuthorityRef
  readonly namespace: string
  readonly inOperatorNamespace: boolean
  /** Missing or terminating: nothing can be written. */
  readonly namespaceUsable: boolean
  /** Identities of the namespace that name this authority, or accept it. */
  readonly identities: number
  /** The authority's spec wants a copy here whether there are identities or not. */
  readonly wanted: boolean
  /** The last published bundle; undefined: none, or it cannot be read just now, and every copy stays as it is. */
  readonly bundle: PublishedBundle | undefined
  readonly copy: BundleCopy | undefined
}

export type BundleStep =
  | { readonly kind: 'none' }
  | { readonly kind: 'create'; readonly bundle: PublishedBundle }
  | {
      readonly kind: 'replace'
      readonly bundle: PublishedBundle
      readonly version: { readonly uid: string; readonly resourceVersion: string }
    }
  | { readonly kind: 'delete'; readonly version: { readonly uid: string; readonly resourceVersion: string } }

export interface BundlePlan {
  readonly step: BundleStep
  readonly reason: Reason
  readonly message: string
}

/** Whether the spec of an authority of the cluster wants its bundle in a namespace. */
export function wantsCopy(authority: Authority | undefined, namespace: Namespace): boolean {
  if (!authority || authority.deleting || authority.problem !== undefined || authority.ref.namespace !== '') return false
  const { policy, selector } = authority.spec.trustBundle.namespaces
  return policy === 'All' || (policy === 'Selector' && matches(selector, namespace.labels))
}

/** A copy is made where an identity is, and kept in sync wherever one is: taking trust away is nobody's by-product. */
export function planBundle(facts: BundleFacts): BundlePlan {
  const { bundle, copy, ref } = facts
  if (facts.inOperatorNamespace) return nothing('the operator namespace holds the record itself')
  if (!facts.namespaceUsable) return nothing(`namespace ${facts.namespace} is gone or going`)
  if (ref.namespace !== '' && ref.namespace !== facts.namespace) return nothing('the trust of a namespaced authority ends at its namespace')
  if (!bundle) return nothing(`${authorityText(ref)} has published no bundle that can be read`)
  const needed = facts.identities > 0 || facts.wanted
  if (!copy) {
    if (!needed) return nothing('nobody in the namespace needs it')
    const message =
      facts.identities > 0 ? `identities of the namespace need it` : 'spec.trustBundle.namespaces of the authority asks for it'
    return { step: { kind: 'create', bundle }, reason: 'BundleWritten', message }
  }
  if (bundleIsCurrent(copy, ref, bundle)) return nothing('the copy is current')
  const version = { uid: copy.uid, resourceVersion: copy.resourceVersion }
  // What is deleted where no identity is would not be made again.
  if (copy.immutable && !needed) return nothing('the copy was made immutable, and nobody in the namespace needs it')
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
