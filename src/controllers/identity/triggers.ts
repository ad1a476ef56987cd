// Which identities a change concerns. Level-triggered: only keys are passed on, never what changed.

import { contained } from '../../api/label-selector.ts'
import type { MutualIdentity } from '../../api/mutual-identity.ts'
import type { LeafSecret } from '../../api/stored/leaf-secret.ts'
import type { Change, Lookup } from '../../k8s/store.ts'
import { type Caches, labelPairs, type Pod, type Service } from '../caches.ts'
import { podKind, tellsPodsApart } from '../pod-kind.ts'
import { identitiesSelecting } from '../selecting.ts'
import { identityKey } from './controller.ts'
import { identitiesNear } from './pods/observe-overlaps.ts'
import { selectedPods } from './pods/observe-pods.ts'

const keyOf = (identity: MutualIdentity): string => identityKey(identity.namespace, identity.name)

/** The identities whose Secret this is: those that name it, and the one that owns it, which may have named it before. */
export function identitiesOfSecret(secret: LeafSecret, identities: Lookup<MutualIdentity>): string[] {
  const naming = identities.by('secretName', `${secret.namespace}/${secret.name}`).map(keyOf)
  const owner = secret.owner && identities.get(secret.namespace, secret.owner.name)
  return [...new Set([...naming, ...(owner ? [keyOf(owner)] : [])])]
}

/** The identities that a change of another one concerns: those that name the same Secret or select the same pods. */
export function identitiesBeside(identity: MutualIdentity, caches: Pick<Caches, 'identities' | 'pods'>): string[] {
  const naming = caches.identities.by('secretName', `${identity.namespace}/${identity.spec.delivery.secretName}`)
  const near = identitiesNear(identity, selectedPods(identity, caches), caches)
  return [...new Set([...naming, ...near].map(keyOf))]
}

/** Identities whose selector matches the pod. */
export function identitiesOfPod(pod: Pod, identities: Lookup<MutualIdentity>): string[] {
  return identitiesSelecting(pod.namespace, pod.labels, identities).map(keyOf)
}

/** Keys of identities, by when they are to look. */
export interface Wakes {
  readonly atOnce: ReadonlySet<string>
  readonly soon: ReadonlySet<string>
}

/**
 * Identities that a change of a pod concerns. A plan depends on which kinds of live pods there are, and how many there are of each is only counted in
 * the status. So the first and the last of a kind wake at once; one that comes to others or leaves others behind, soon. Of a list that brings several
 * of a new kind together none is the first: they wake soon, which is the most that it costs.
 */
export function identitiesOfPodChange(
  { before, after }: Pick<Change<Pod>, 'before' | 'after'>,
  caches: { readonly identities: Lookup<MutualIdentity>; readonly pods: { count(index: 'kind', value: string): number } },
): Wakes {
  const [atOnce, soon] = [new Set<string>(), new Set<string>()]
  const look = (pod: Pod | undefined, others: number): void => {
    if (!pod?.live) return
    const alone = caches.pods.count('kind', podKind(pod)) <= others
    for (const identity of identitiesSelecting(pod.namespace, pod.labels, caches.identities)) {
      ;(alone || selectsByPod(identity) ? atOnce : soon).add(keyOf(identity))
    }
  }
  look(before, 0)
  look(after, 1)
  for (const key of atOnce) soon.delete(key)
  return { atOnce, soon }
}

/** To it pods of one kind are not the same. */
function selectsByPod({ spec: { podSelector } }: MutualIdentity): boolean {
  return tellsPodsApart([...Object.keys(podSelector.matchLabels), ...podSelector.matchExpressions.map(({ key }) => key)])
}

/** Identities that a Service covers or may cover: by their matchLabels, or through a pod it selects. */
export function identitiesOfService(service: Service, caches: Pick<Caches, 'identities' | 'pods'>): string[] {
  const [pair] = labelPairs(service.namespace, service.selector).sort()
  if (pair === undefined) return []
  const byLabels = caches.identities
    .by('matchLabel', pair)
    .filter((identity) => contained(service.selector, identity.spec.podSelector.matchLabels))
  const byPods = caches.pods.by('label', pair).filter((pod) => contained(service.selector, pod.labels))
  return [...new Set([...byLabels.map(keyOf), ...byPods.flatMap((pod) => identitiesOfPod(pod, caches.identities))])]
}

/** All identities that an authority signs for, by its key. */
export function identitiesOfAuthority(key: string, identities: Lookup<MutualIdentity>): string[] {
  return identities.by('authority', key).map(keyOf)
}

/** All identities whose Secrets hold the anchors of an authority: they name it, or it signed for them before. */
export function identitiesTrusting(key: string, caches: Pick<Caches, 'identities' | 'leafSecrets'>): string[] {
  const naming = caches.identities.by('trusts', key).map(keyOf)
  const holding = caches.leafSecrets
    .by('signedBy', key)
    .flatMap(({ namespace, owner }) => (owner ? [identityKey(namespace, owner.name)] : []))
  return [...new Set([...naming, ...holding])]
}

/** All identities of a namespace. */
export function identitiesOfNamespace(name: string, identities: Lookup<MutualIdentity>): string[] {
  return identities.inNamespace(name).map(keyOf)
}
