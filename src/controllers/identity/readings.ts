// What metrics say of the leaves in the cache, by authority. Only Secrets that an identity owns count, under the authority that it names: labels and
// Secrets of tenants must make neither figures nor series. Pure.

import type { Instant } from '../../base/instant.ts'
import { clampRenewAt } from '../../pki/profile.ts'
import type { Caches } from '../caches.ts'
import { metricLabel } from '../metric-label.ts'
import { ownershipOf } from './ownership.ts'

export interface CertificateReadings {
  count: number
  /** Seconds since 1970. */
  earliestNotAfter: number
  /** A renewal is overdue a minute after its instant. */
  overdue: number
}

/** By metricLabel. */
export function certificateReadings(
  caches: Pick<Caches, 'authorities' | 'identities' | 'leafSecrets'>,
  now: Instant,
): ReadonlyMap<string, CertificateReadings> {
  const readings = new Map<string, CertificateReadings>()
  for (const identity of caches.identities.all()) {
    const secret = caches.leafSecrets.get(identity.namespace, identity.spec.delivery.secretName)
    if (!secret?.leaf || ownershipOf(secret, identity) !== 'own') continue
    const key = metricLabel(identity.spec.authority, caches)
    const reading = readings.get(key) ?? { count: 0, earliestNotAfter: Number.POSITIVE_INFINITY, overdue: 0 }
    readings.set(key, reading)
    reading.count++
    reading.earliestNotAfter = Math.min(reading.earliestNotAfter, secret.leaf.notAfter / 1000)
    if (clampRenewAt(secret.renewAt, secret.leaf, identity.spec.certificate.renewBefore) + OVERDUE_MS < now) reading.overdue++
  }
  return readings
}

const OVERDUE_MS = 60_000
