// An identity that is switched to another authority waits until its peers accept the new one: then the leaf, then the old anchors go.
// Pure but for the lookups.

import type { MutualIdentity } from '../../api/mutual-identity.ts'
import { type AuthorityRef, annotations, authorityKey } from '../../api/names.ts'
import { type Instant, parseInstant } from '../../base/instant.ts'
import type { AuthorityFacts } from '../authority-facts.ts'
import { type Caches, trustedAuthorities } from '../caches.ts'
import type { Switching } from './facts.ts'
import { peersOf } from './observe-peers.ts'
import { sourceOf } from './observe-trust.ts'

/** Reads the caches. `from`: whose certificate, which ends at `until`, the identity has now. */
export function observeSwitching(identity: MutualIdentity, from: AuthorityFacts, until: Instant, caches: Caches): Switching {
  const to = sourceOf(identity.spec.authority, caches)
  const states = identitiesLivingBy(identity, from.ref, caches).map((peer) => ({
    peer,
    since: acceptsSince(peer, identity.spec.authority, to.bundle?.trustDomain, caches),
  }))
  return {
    from,
    to,
    until,
    peersNotReady: states.filter(({ since }) => since === undefined).map(({ peer }) => peer.name),
    acceptedSince: Math.max(0, ...states.map(({ since }) => since ?? 0)),
  }
}

/** The others that name the old authority, or hold a certificate of it. */
function identitiesLivingBy(identity: MutualIdentity, from: AuthorityRef, caches: Caches): readonly MutualIdentity[] {
  const { naming, holding } = peersOf(identity, from, caches)
  const owners = holding.flatMap(({ namespace, owner }) => caches.identities.get(namespace, owner?.name ?? '') ?? [])
  return [...new Set([...naming, ...owners])].filter((peer) => !peer.deleting)
}

/** Since when the Secret of a peer holds the anchors of the new authority; undefined: it does not, or its spec does not ask for them. One without a Secret has no program to be refused. */
function acceptsSince(peer: MutualIdentity, to: AuthorityRef, trustDomain: string | undefined, caches: Caches): number | undefined {
  if (!trustedAuthorities(peer).includes(authorityKey(to))) return undefined
  const secret = caches.leafSecrets.get(peer.namespace, peer.spec.delivery.secretName)
  if (!secret) return 0
  const accepted = secret.annotations[annotations.trustDomains]?.split(',') ?? []
  return trustDomain !== undefined && accepted.includes(trustDomain)
    ? parseInstant(secret.annotations[annotations.trustSince] ?? '')
    : undefined
}
