// Which identities select given labels. Shared by the controllers of identities and of restarts.
// Pure but for the lookups; nothing scans a namespace.

import { matches } from '../api/label-selector.ts'
import type { MutualIdentity } from '../api/mutual-identity.ts'
import type { Lookup } from '../k8s/store.ts'
import { anyLabel, labelPairs } from './caches.ts'

/** Identities of the namespace whose selector matches these labels of a pod or of a pod template. */
export function identitiesSelecting(
  namespace: string,
  labels: Readonly<Record<string, string>>,
  identities: Lookup<MutualIdentity>,
): readonly MutualIdentity[] {
  const found = [...labelPairs(namespace, labels), anyLabel(namespace)].flatMap((value) => identities.by('matchLabel', value))
  return [...new Set(found)].filter((identity) => matches(identity.spec.podSelector, labels))
}
