// What the caches hold of those whom an identity trusts besides its own authority.

import type { MutualIdentity } from '../../../api/mutual-identity.ts'
import { type AuthorityRef, authorityKey } from '../../../api/names.ts'
import { readFormerAuthorities } from '../../../api/stored/former-authorities.ts'
import type { LeafSecret } from '../../../api/stored/leaf-secret.ts'
import { type Caches, recordOf } from '../../caches.ts'
import { peersOf } from './observe-peers.ts'
import { type FormerSource, mergedFormer, type TrustFacts, type TrustSource } from './trust.ts'

/**
 * Reads the caches. `secrets`: the identity's own, under its name and former ones. Who signed before stands in each and in the status: any of them may be
 * made again, or be edited.
 */
export function observeTrust(identity: MutualIdentity, secrets: readonly LeafSecret[], caches: Caches): TrustFacts {
  const additional = identity.spec.trust.additionalAuthorities
    .filter(({ ref }) => authorityKey(ref) !== authorityKey(identity.spec.authority))
    .map(({ ref, pooled }) => ({ ...sourceOf(ref, caches), pooled }))
  const told = readFormerAuthorities(identity.status.formerAuthorities ?? [], identity.namespace)
  const former = mergedFormer([...secrets.flatMap((secret) => secret.formerAuthorities), ...told]).map(({ ref, until }) => ({
    ...sourceOf(ref, caches),
    pooled: true,
    until,
    ...ofPeers(ref, identity, caches),
  }))
  return { additional, former }
}

/** The source of anchors of an authority: its published record, which outlives it. */
export function sourceOf(ref: AuthorityRef, caches: Pick<Caches, 'bundleRecords'>): Omit<TrustSource, 'pooled'> {
  const record = recordOf(ref, caches)
  // One without a trust domain was written by a version before this one, and is about to be written anew.
  const bundle = record?.bundle?.trustDomain ? record.bundle : undefined
  return { ref, bundle, unreadable: record !== undefined && bundle === undefined }
}

/** Until when it counts for others of the namespace. */
function ofPeers(ref: AuthorityRef, identity: MutualIdentity, caches: Caches): Pick<FormerSource, 'usedByPeers' | 'peersUntil'> {
  const { naming, holding, formerly } = peersOf(identity, ref, caches)
  const untils = formerly
    .filter(({ owner }) => owner !== undefined)
    .flatMap(({ formerAuthorities }) => formerAuthorities)
    .filter((former) => authorityKey(former.ref) === authorityKey(ref))
  return { usedByPeers: naming.length + holding.length > 0, peersUntil: Math.max(0, ...untils.map(({ until }) => until)) }
}
