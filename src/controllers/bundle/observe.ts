// Reads the caches and returns the facts about one copy of a bundle. Writes nothing.

import { type AuthorityRef, authorityKey, bundleName } from '../../api/names.ts'
import { authorityOf, type Caches, recordOf } from '../caches.ts'
import { type BundleFacts, wantsCopy } from './plan.ts'

/** Reads the caches: one authority's bundle in one namespace. */
export function observeBundle(ref: AuthorityRef, namespace: string, caches: Caches, operatorNamespace: string): BundleFacts {
  const here = caches.namespaces.get('', namespace)
  const record = recordOf(ref, caches)
  return {
    ref,
    namespace,
    inOperatorNamespace: namespace === operatorNamespace,
    namespaceUsable: here !== undefined && !here.terminating,
    identities: caches.identities.by('trustsInNamespace', `${authorityKey(ref)}/${namespace}`).length,
    wanted: here !== undefined && wantsCopy(authorityOf(caches, ref), here),
    // One that was not counted was written by a version before this one, and is about to be written anew.
    bundle: record && record.sequence > 0 ? record.bundle : undefined,
    copy: caches.bundleCopies.get(namespace, bundleName(ref)),
  }
}
