// An identity that is switched to another authority waits until its peers accept the new one: then the leaf, then the old anchors go.
// Pure but for the lookups.

import type { MutualIdentity } from '../../../api/mutual-identity.ts'
import { type AuthorityRef, annotations, authorityKey } from '../../../api/names.ts'
import type { LeafSecret } from '../../../api/stored/leaf-secret.ts'
import { type Instant, parseInstant } from '../../../base/instant.ts'
import type { AuthorityFacts } from '../../authority-facts.ts'
import { type Caches, trustedAuthorities } from '../../caches.ts'
import type { Switching } from '../facts.ts'
import { peersOf } from '../trust/observe-peers.ts'
import { sourceOf } from '../trust/observe-trust.ts'

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

/**
 * Since when each Secret of a peer holds the anchors of the new authority; undefined: one does not, or its spec does not ask for them. One that never had
 * a Secret has no program to be refused; where it is only gone, or was renamed, programs go on with what they read from the former one.
 */
function acceptsSince(peer: MutualIdentity, to: AuthorityRef, trustDomain: string | undefined, caches: Caches): number | undefined {
  if (!trustedAuthorities(peer).includes(authorityKey(to))) return undefined
  const { namespace, name, uid, spec, status } = peer
  const present = caches.leafSecrets.get(namespace, spec.delivery.secretName)
  if (!present && status.certificate) return undefined
  const former = caches.leafSecrets
    .by('identity', `${namespace}/${name}`)
    .filter((secret) => secret !== present && secret.owner?.uid === uid && !secret.terminating)
  const since = [...(present ? [present] : []), ...former].map((secret) => heldSince(secret, trustDomain))
  return since.every((at) => at !== undefined) ? Math.max(0, ...since) : undefined
}

/** Since when a Secret holds the anchors of a trust domain. */
function heldSince({ annotations: own }: LeafSecret, trustDomain: string | undefined): number | undefined {
  const held = own[annotations.trustDomains]?.split(',') ?? []
  return trustDomain !== undefined && held.includes(trustDomain) ? parseInstant(own[annotations.trustSince] ?? '') : undefined
}
