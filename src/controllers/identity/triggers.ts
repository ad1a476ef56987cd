// Which identities a change concerns. Level-triggered: only keys are passed on, never what changed.

import { matches } from '../../api/label-selector.ts'
import type { MutualIdentity } from '../../api/mutual-identity.ts'
import { leafSecretName } from '../../api/names.ts'
import type { LeafSecret } from '../../api/stored/leaf-secret.ts'
import type { Lookup } from '../../k8s/store.ts'
import { anyLabel, type Caches, labelPairs, type Pod, type Service } from '../caches.ts'
import { identityKey } from './controller.ts'
import { contained } from './service-names.ts'

const keyOf = (identity: MutualIdentity): string => identityKey(identity.namespace, identity.name)

const LEAF_SUFFIX = leafSecretName('')

/** The identity whose Secret this is, by name: labels can be edited. */
export function identityOfSecret(secret: LeafSecret): string[] {
  return secret.name.endsWith(LEAF_SUFFIX) ? [identityKey(secret.namespace, secret.name.slice(0, -LEAF_SUFFIX.length))] : []
}

/** Identities whose selector matches the pod. */
export function identitiesOfPod(pod: Pod, identities: Lookup<MutualIdentity>): string[] {
  return withLabels(pod.namespace, pod.labels, identities)
    .filter((identity) => matches(identity.spec.podSelector, pod.labels))
    .map(keyOf)
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

/** All identities of an authority. */
export function identitiesOfAuthority(name: string, identities: Lookup<MutualIdentity>): string[] {
  return identities.by('authority', name).map(keyOf)
}

/** All identities of a namespace. */
export function identitiesOfNamespace(name: string, identities: Lookup<MutualIdentity>): string[] {
  return identities.inNamespace(name).map(keyOf)
}

function withLabels(
  namespace: string,
  labels: Readonly<Record<string, string>>,
  identities: Lookup<MutualIdentity>,
): readonly MutualIdentity[] {
  const found = [...labelPairs(namespace, labels), anyLabel(namespace)].flatMap((value) => identities.by('matchLabel', value))
  return [...new Set(found)]
}
