// What the caches hold of those whom an identity trusts besides its own authority.

import type { MutualIdentity } from '../../api/mutual-identity.ts'
import { type AuthorityRef, authorityKey } from '../../api/names.ts'
import type { LeafSecret } from '../../api/stored/leaf-secret.ts'
import { type Caches, recordOf } from '../caches.ts'
import { peersOf } from './observe-peers.ts'
import type { FormerSource, TrustFacts, TrustSource } from './trust.ts'

/** Reads the caches. */
export function observeTrust(identity: MutualIdentity, secret: LeafSecret | undefined, caches: Caches): TrustFacts {
  const additional = identity.spec.trust.additionalAuthorities
    .filter(({ ref }) => authorityKey(ref) !== authorityKey(identity.spec.authority))
    .map(({ ref, pooled }) => ({ ...sourceOf(ref, caches), pooled }))
  const former = (secret?.formerAuthorities ?? []).map(({ ref, until }) => ({
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
