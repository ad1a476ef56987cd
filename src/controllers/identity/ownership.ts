// Whose a Secret of our name is, and whether it serves. Labels alone prove nothing: a replicator copies them, and tenants write them. Pure.

import { labels } from '../../api/names.ts'
import type { LeafSecret } from '../../api/stored/leaf-secret.ts'
import type { IdentityFacts, SecretFacts } from './facts.ts'

type Owned = Pick<LeafSecret, 'owner' | 'foreignController' | 'labels'>

/**
 * - `own`: the owner reference names this very identity;
 * - `adoptable`: ours by its labels, and it lost its owner or had a former identity of that name: repaired or replaced, never deleted;
 * - `foreign`: anybody else's, which is never touched.
 */
export function ownershipOf(secret: Owned, identity: { readonly name: string; readonly uid: string }): 'own' | 'adoptable' | 'foreign' {
  if (secret.foreignController !== undefined) return 'foreign'
  if (secret.owner?.uid === identity.uid) return 'own'
  if (secret.owner !== undefined) return secret.owner.name === identity.name ? 'adoptable' : 'foreign'
  return secret.labels[labels.identity] === identity.name ? 'adoptable' : 'foreign'
}

/** The present Secret where it serves: not somebody else's, its key fits, its chain verifies to the published bundle. Whether it is still what is asked for, and how long it lasts, is another question. */
export function servingSecret({ secret, identity }: IdentityFacts): SecretFacts | undefined {
  if (!secret || secret === 'unknown' || secret.problem !== undefined || !secret.trusted?.ok) return undefined
  return ownershipOf(secret, identity) === 'foreign' ? undefined : secret
}
