// Which copies a change concerns. Level-triggered: only keys are passed on.

import type { MutualIdentity } from '../../api/mutual-identity.ts'
import type { Caches } from '../caches.ts'
import { bundleKey } from './controller.ts'

/** The copy that an identity needs. */
export function copyOfIdentity(identity: MutualIdentity): string {
  return bundleKey(identity.spec.authorityRef.name, identity.namespace)
}

/** All copies of an authority: where identities are, and where a copy is. */
export function copiesOfAuthority(name: string, caches: Pick<Caches, 'identities' | 'bundleCopies'>): string[] {
  const needed = caches.identities.by('authority', name).map(copyOfIdentity)
  const present = caches.bundleCopies.by('authority', name).map((copy) => bundleKey(name, copy.namespace))
  return [...new Set([...needed, ...present])]
}

/** All copies that a namespace needs. */
export function copiesOfNamespace(name: string, caches: Pick<Caches, 'identities'>): string[] {
  return [...new Set(caches.identities.inNamespace(name).map(copyOfIdentity))]
}
