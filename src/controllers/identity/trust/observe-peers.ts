// The others of a namespace that live by an authority: whoever is switched from it waits for them, and keeps its anchors for them. Those
// elsewhere are not seen. Pure but for the lookups.

import type { MutualIdentity } from '../../../api/mutual-identity.ts'
import { type AuthorityRef, authorityKey } from '../../../api/names.ts'
import { type LeafSecret, labelledAuthority } from '../../../api/stored/leaf-secret.ts'
import type { Caches } from '../../caches.ts'

export interface Peers {
  /** Identities whose specs name it as their own. */
  readonly naming: readonly MutualIdentity[]
  /** Secrets whose certificate is of it; the identity may be gone already. */
  readonly holding: readonly LeafSecret[]
  /** Secrets that say of it that it signed before. */
  readonly formerly: readonly LeafSecret[]
}

/** Reads the caches. */
export function peersOf({ namespace, name }: MutualIdentity, ref: AuthorityRef, caches: Pick<Caches, 'identities' | 'leafSecrets'>): Peers {
  const key = authorityKey(ref)
  const inNamespace = `${key}/${namespace}`
  const naming = caches.identities.by('trustsInNamespace', inNamespace)
  const secrets = caches.leafSecrets.by('signedByInNamespace', inNamespace).filter(({ owner }) => owner?.name !== name)
  return {
    naming: naming.filter((other) => other.name !== name && authorityKey(other.spec.authority) === key),
    holding: secrets.filter((secret) => {
      const present = labelledAuthority(secret)
      return present !== undefined && authorityKey(present) === key
    }),
    formerly: secrets.filter(({ formerAuthorities }) => formerAuthorities.some((former) => authorityKey(former.ref) === key)),
  }
}
