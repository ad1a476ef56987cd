// An identity that is switched to another authority waits until its peers accept the new one: then the leaf, then the old anchors go.
// Peers are the identities of its namespace that live by the old authority; those elsewhere are not seen. Pure but for the lookups.

import type { MutualIdentity } from '../../api/mutual-identity.ts'
import { type AuthorityRef, annotations, authorityKey } from '../../api/names.ts'
import { type LeafSecret, labelledAuthority } from '../../api/stored/leaf-secret.ts'
import { type Instant, parseInstant } from '../../base/instant.ts'
import type { AuthorityFacts } from '../authority-facts.ts'
import { type Caches, trustedAuthorities } from '../caches.ts'
import type { Switching } from './facts.ts'
import { sourceOf } from './trust.ts'

/** Reads the caches. `from`: whose certificate, which ends at `until`, the identity has now. */
export function observeSwitching(identity: MutualIdentity, from: AuthorityFacts, until: Instant, caches: Caches): Switching {
  const to = sourceOf(identity.spec.authority, caches)
  const peers = peersOf(identity, from.ref, caches)
  const states = peers.map((peer) => ({ peer, since: acceptsSince(peer, identity.spec.authority, to.bundle?.trustDomain, caches) }))
  return {
    from,
    to,
    until,
    peersNotReady: states.filter(({ since }) => since === undefined).map(({ peer }) => peer.name),
    acceptedSince: Math.max(0, ...states.map(({ since }) => since ?? 0)),
  }
}

/** The others that name the old authority, or hold a certificate of it. */
function peersOf({ namespace, name }: MutualIdentity, from: AuthorityRef, caches: Caches): readonly MutualIdentity[] {
  const key = authorityKey(from)
  const naming = caches.identities.by('trustsInNamespace', `${key}/${namespace}`).filter(({ spec }) => authorityKey(spec.authority) === key)
  const holding = caches.leafSecrets
    .by('signedBy', key)
    .filter((secret) => secret.namespace === namespace && isOf(secret, key))
    .flatMap((secret) => caches.identities.get(namespace, secret.owner?.name ?? '') ?? [])
  return [...new Set([...naming, ...holding])].filter((peer) => peer.name !== name && !peer.deleting)
}

function isOf(secret: LeafSecret, key: string): boolean {
  const present = labelledAuthority(secret)
  return present !== undefined && authorityKey(present) === key
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
