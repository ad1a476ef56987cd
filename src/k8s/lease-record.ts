// What a Lease says, what a candidate writes into it, and when another's may be taken. Used by the election. Pure.

import { formatMicroInstant, type Instant } from '../base/clock.ts'
import type { RawObject } from './resource.ts'

/** LeaseSpec (coordination.k8s.io/v1). Its times are other machines' clocks: written for people, never compared with ours. */
export interface LeaseSpec {
  readonly holderIdentity?: string
  readonly leaseDurationSeconds?: number
  readonly acquireTime?: string
  readonly renewTime?: string
  readonly leaseTransitions?: number
}

export const specOf = (lease: RawObject): LeaseSpec => (lease.spec ?? {}) as LeaseSpec

export function firstSpec(identity: string, durationMs: number, now: Instant): LeaseSpec {
  const at = formatMicroInstant(now)
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(durationMs / 1000),
    acquireTime: at,
    renewTime: at,
    leaseTransitions: 0,
  }
}

/** The fields of a holder that acquires or renews. */
export function heldSpec(before: LeaseSpec, identity: string, durationMs: number, now: Instant, acquires: boolean): LeaseSpec {
  const at = formatMicroInstant(now)
  const duration = { holderIdentity: identity, leaseDurationSeconds: Math.ceil(durationMs / 1000), renewTime: at }
  return acquires ? { ...duration, acquireTime: at, leaseTransitions: (before.leaseTransitions ?? 0) + 1 } : duration
}

/** Nobody holds it; the short duration is for candidates that look at the duration only. */
export function releasedSpec(before: LeaseSpec, now: Instant): LeaseSpec {
  return { holderIdentity: '', leaseDurationSeconds: 1, renewTime: formatMicroInstant(now), leaseTransitions: before.leaseTransitions ?? 0 }
}

/** Since when a candidate has seen one and the same record, and until when it leaves it alone (own monotonic clock). */
export interface Sighting {
  readonly record: string
  readonly freeAt: number
}

/** A Lease that somebody edited to a silly duration must not lock everybody out for ever. */
const MAX_DURATION_MS = 10 * 60_000

/**
 * The sighting after `lease` was read at `at`: the old one while the record is unchanged, else a new one. The holder's own duration counts where it is
 * longer than ours. A changed label is no renewal.
 */
export function sight(before: Sighting | undefined, lease: RawObject, at: number, durationMs: number): Sighting {
  const spec = specOf(lease)
  const record = JSON.stringify([lease.metadata.uid, spec])
  if (before?.record === record) return before
  const theirs = Math.min((spec.leaseDurationSeconds ?? 0) * 1000, MAX_DURATION_MS)
  return { record, freeAt: at + Math.max(durationMs, theirs) }
}
