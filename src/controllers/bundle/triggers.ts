// Which copies a change concerns. Level-triggered: only keys are passed on.

import type { MutualIdentity } from '../../api/mutual-identity.ts'
import { type AuthorityRef, authorityKey, authorityOfKey } from '../../api/names.ts'
import { authorityOf, type Caches, trustedAuthorities } from '../caches.ts'
import { bundleKey } from './controller.ts'
import { wantsCopy } from './plan.ts'

type Lookups = Pick<Caches, 'identities' | 'bundleCopies' | 'authorities' | 'namespacedAuthorities' | 'namespaces'>

/** The copies that an identity needs. */
export function copiesOfIdentity(identity: MutualIdentity): string[] {
  return trustedAuthorities(identity).map((key) => bundleKey(authorityOfKey(key), identity.namespace))
}

/** All copies of an authority: where identities are, where its spec wants one, and where one is. */
export function copiesOfAuthority(ref: AuthorityRef, caches: Lookups): string[] {
  const key = authorityKey(ref)
  const authority = authorityOf(caches, ref)
  const needed = caches.identities.by('trusts', key).map(({ namespace }) => namespace)
  const wanted =
    ref.namespace === '' && authority && authority.spec.trustBundle.namespaces.policy !== 'WithIdentities'
      ? [...caches.namespaces.all()]
      : []
  const present = caches.bundleCopies.by('authority', key).map(({ namespace }) => namespace)
  const all = [...needed, ...wanted.filter((namespace) => wantsCopy(authority, namespace)).map(({ name }) => name), ...present]
  return [...new Set(all)].map((namespace) => bundleKey(ref, namespace))
}

/** All copies that a namespace needs. */
export function copiesOfNamespace(name: string, caches: Lookups): string[] {
  const namespace = caches.namespaces.get('', name)
  const wanting = [...caches.authorities.all()].filter((authority) => namespace && wantsCopy(authority, namespace))
  const keys = [...caches.identities.inNamespace(name).flatMap(copiesOfIdentity), ...wanting.map(({ ref }) => bundleKey(ref, name))]
  return [...new Set(keys)]
}
