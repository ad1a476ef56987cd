// Where identities meet: pods that two of them select, and Secrets that two of them name. The older one comes first, then the smaller UID.
// Used by observe. Pure but for the lookups.

import { matches } from '../../../api/label-selector.ts'
import type { MutualIdentity } from '../../../api/mutual-identity.ts'
import { anyLabel, type Caches, labelPairs, type Pod } from '../../caches.ts'
import { isElder } from '../../elder.ts'

/** An older identity that selects some of these pods, and how many of them. */
export function overlapOf(
  identity: MutualIdentity,
  pods: readonly Pod[],
  caches: Pick<Caches, 'identities'>,
): { name: string; pods: number } | undefined {
  const elders = identitiesNear(identity, pods, caches).filter((other) => isElder(other, identity))
  for (const elder of elders) {
    const shared = pods.filter((pod) => matches(elder.spec.podSelector, pod.labels)).length
    if (shared > 0) return { name: elder.name, pods: shared }
  }
  return undefined
}

/** Identities of the namespace that may select one of these pods: each label pair is looked up once. */
export function identitiesNear(
  { namespace, name }: MutualIdentity,
  pods: readonly Pod[],
  caches: Pick<Caches, 'identities'>,
): readonly MutualIdentity[] {
  const pairs = new Set(pods.flatMap((pod) => labelPairs(namespace, pod.labels)))
  if (pairs.size === 0 && pods.length === 0) return []
  const found = new Set([...pairs, anyLabel(namespace)].flatMap((pair) => caches.identities.by('matchLabel', pair)))
  return [...found].filter((other) => other.name !== name && !other.deleting)
}

/** The identity that comes first of those that name this one's Secret; whoever holds the Secret already goes on doing so. */
export function secretClaimant(identity: MutualIdentity, caches: Pick<Caches, 'identities' | 'leafSecrets'>): string | undefined {
  const { namespace, uid, spec } = identity
  const claimants = caches.identities.by('secretName', `${namespace}/${spec.delivery.secretName}`)
  if (claimants.length < 2) return undefined
  const holder = caches.leafSecrets.get(namespace, spec.delivery.secretName)?.owner?.uid
  if (holder === uid) return undefined
  return claimants.find((other) => other.uid !== uid && !other.deleting && (other.uid === holder || isElder(other, identity)))?.name
}
