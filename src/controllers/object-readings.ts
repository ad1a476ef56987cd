// What metrics say of our objects in the cache: how they stand, and when authorities end. Statuses can be forged and names be invented, so that
// whatever is not ours makes no series of its own. Pure.

import type { Condition } from '../api/condition.ts'
import { authorityKey } from '../api/names.ts'
import { isReason } from '../api/reason.ts'
import { allAuthorities, type Caches } from './caches.ts'
import { metricLabel } from './metric-label.ts'

export interface ObjectReading {
  readonly kind: string
  readonly ready: 'true' | 'false'
  /** Of the closed list; empty while nothing was told. */
  readonly reason: string
  readonly count: number
}

interface Standing {
  readonly deleting: boolean
  readonly status: { readonly conditions: readonly Condition[] }
}

/** Objects by kind, readiness and reason. */
export function objectReadings(caches: Pick<Caches, 'authorities' | 'namespacedAuthorities' | 'identities'>): readonly ObjectReading[] {
  return [
    ...counted('MutualIdentity', caches.identities.all()),
    ...counted('ClusterMutualAuthority', caches.authorities.all()),
    ...counted('MutualAuthority', caches.namespacedAuthorities.all()),
  ]
}

function counted(kind: string, objects: Iterable<Standing>): ObjectReading[] {
  const counts = new Map<string, ObjectReading>()
  for (const { deleting, status } of objects) {
    if (deleting) continue
    const condition = status.conditions.find(({ type }) => type === 'Ready')
    const ready = condition?.status === 'True' ? 'true' : 'false'
    const reason = condition === undefined ? '' : isReason(condition.reason) ? condition.reason : 'InternalError'
    const key = `${ready}/${reason}`
    counts.set(key, { kind, ready, reason, count: (counts.get(key)?.count ?? 0) + 1 })
  }
  return [...counts.values()]
}

/** By metricLabel: when the first CA of its authorities ends, in seconds since 1970. */
export function authorityEnds(
  caches: Pick<Caches, 'authorities' | 'namespacedAuthorities' | 'caSecrets'>,
): Readonly<Record<string, number>> {
  const ends: Record<string, number> = {}
  for (const { ref } of allAuthorities(caches)) {
    const label = metricLabel(ref, caches)
    for (const { certificate, problem } of caches.caSecrets.by('authority', authorityKey(ref))) {
      if (certificate && problem === undefined) ends[label] = Math.min(ends[label] ?? Number.POSITIVE_INFINITY, certificate.notAfter / 1000)
    }
  }
  return ends
}
