// Which pods an identity selects. Used by observe and by triggers. Pure but for the lookups.

import { matches } from '../../../api/label-selector.ts'
import type { MutualIdentity } from '../../../api/mutual-identity.ts'
import { type Caches, labelPairs, type Pod } from '../../caches.ts'

/** Live pods that the selector matches: by the rarest of its labels, so that a pass does not scan the namespace. */
export function selectedPods(identity: MutualIdentity, caches: Pick<Caches, 'pods'>): readonly Pod[] {
  const selector = identity.spec.podSelector
  const candidates = labelPairs(identity.namespace, selector.matchLabels)
    .map((pair) => caches.pods.by('label', pair))
    .reduce<readonly Pod[] | undefined>((rarest, pods) => (rarest && rarest.length <= pods.length ? rarest : pods), undefined)
  return (candidates ?? caches.pods.inNamespace(identity.namespace)).filter((pod) => pod.live && matches(selector, pod.labels))
}
