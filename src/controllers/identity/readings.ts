// What metrics say of the leaves in the cache, by authority. Pure.

import { labels } from '../../api/names.ts'
import type { LeafSecret } from '../../api/stored/leaf-secret.ts'
import type { Instant } from '../../base/instant.ts'
import type { Lookup } from '../../k8s/store.ts'
import { clampRenewAt } from '../../pki/profile.ts'

/** Seconds since 1970 for the earliest end; a renewal is overdue a minute after its instant. */
export function certificateReadings(
  secrets: Lookup<LeafSecret>,
  now: Instant,
): Record<string, { count: number; earliestNotAfter: number; overdue: number }> {
  const readings: Record<string, { count: number; earliestNotAfter: number; overdue: number }> = {}
  for (const { leaf, renewAt, labels: own } of secrets.all()) {
    if (!leaf) continue
    const authority = own[labels.authority] ?? 'unknown'
    const reading = readings[authority] ?? { count: 0, earliestNotAfter: Number.POSITIVE_INFINITY, overdue: 0 }
    readings[authority] = reading
    reading.count++
    reading.earliestNotAfter = Math.min(reading.earliestNotAfter, leaf.notAfter / 1000)
    if (clampRenewAt(renewAt, leaf) + OVERDUE_MS < now) reading.overdue++
  }
  return readings
}

const OVERDUE_MS = 60_000
