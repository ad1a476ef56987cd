// Who works, as the Lease says it: whoever holds it renews it every few seconds. Used by check and explain. Pure, but for looking.

import { MANAGER } from '../api/names.ts'
import { type Instant, parseInstant } from '../base/instant.ts'
import type { Client } from '../k8s/client.ts'
import { isForbidden, isNotFound } from '../k8s/errors.ts'
import { type LeaseSpec, specOf } from '../k8s/lease-record.ts'
import { leases, type RawObject } from '../k8s/resource.ts'
import { relative } from './output/instant.ts'

/** `held`: and renewed in time; `late`: not in time, unless clocks differ; `left`: not renewed for so long that nobody works; `ahead`: renewed in the future; `illegible`: its instant cannot be read. */
export type LeaseSeen =
  | { readonly state: 'unknown' | 'none' | 'free' | 'illegible' }
  | { readonly state: 'held' | 'late' | 'left' | 'ahead'; readonly holder: string; readonly renewedAt: Instant }

/** The operator's clock may differ by as much as certificates tolerate. */
const CLOCKS_DIFFER_MS = 60_000

export async function lookAtLease(client: Client, namespace: string, now: () => Instant): Promise<LeaseSeen> {
  try {
    return judgeLease(await client.get(leases, { namespace, name: MANAGER }), now())
  } catch (error) {
    if (isForbidden(error)) return { state: 'unknown' }
    if (isNotFound(error)) return { state: 'none' }
    throw error
  }
}

function judgeLease(found: RawObject, now: Instant): LeaseSeen {
  const { holderIdentity, renewTime, leaseDurationSeconds = 15 }: LeaseSpec = specOf(found)
  if (!holderIdentity) return { state: 'free' }
  const renewedAt = parseInstant(renewTime ?? '')
  if (renewedAt === undefined) return { state: 'illegible' }
  const overdue = now - renewedAt - leaseDurationSeconds * 1000
  return { state: stateOf(overdue, renewedAt - now), holder: holderIdentity, renewedAt }
}

function stateOf(overdueMs: number, aheadMs: number): 'held' | 'late' | 'left' | 'ahead' {
  if (aheadMs > CLOCKS_DIFFER_MS) return 'ahead'
  // An operator that lost its rights with everything else could not give the Lease back: for a minute it looks as if only its clock were behind.
  return overdueMs > CLOCKS_DIFFER_MS ? 'left' : overdueMs > 0 ? 'late' : 'held'
}

/** Whether anybody does what a plan says, in one line. */
export function controllerText(lease: LeaseSeen, now: Instant): string {
  switch (lease.state) {
    case 'unknown':
      return 'unknown: the Lease of the operator may not be read by this account'
    case 'none':
    case 'free':
      return `nobody holds the Lease: ${NOTHING_UNTIL}`
    case 'illegible':
      return 'unknown: the instant in the Lease of the operator cannot be read'
    case 'late':
      return `${lease.holder} renewed the Lease last ${relative(lease.renewedAt, now)}, too long ago unless its clock is behind: does an operator run?`
    case 'left':
      return `${lease.holder} renewed the Lease last ${relative(lease.renewedAt, now)}: ${NOTHING_UNTIL}`
    case 'held':
    case 'ahead':
      // A clock that is ahead by a second should not read "in 1s".
      return `held by ${lease.holder}, renewed ${relative(lease.renewedAt, Math.max(now, lease.renewedAt + 1))}`
  }
}

const NOTHING_UNTIL = 'nothing is done until an operator runs'
