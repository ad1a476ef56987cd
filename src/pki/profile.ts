// Profiles: the rules certificates are made by, and when a leaf is renewed. Used by plans, which only compute, and by signing.
// No clock and no key here; randomness is an argument.

import { type Duration, minutes } from '../base/duration.ts'
import type { Instant } from '../base/instant.ts'
import type { Random } from '../base/random.ts'
import type { DnsName } from './dns-name.ts'
import type { KeyType } from './key-type.ts'
import type { SpiffeId } from './spiffe-id.ts'
import type { TrustDomain } from './trust-domain.ts'

/** A self-managed root. `generation` counts from 1. */
export interface RootProfile {
  readonly trustDomain: TrustDomain
  readonly generation: number
  readonly keyType: KeyType
  readonly lifetime: Duration
}

/** A leaf (X509-SVID). `lifetime` is notAfter - notBefore, backdating included. */
export interface LeafProfile {
  readonly spiffeId: SpiffeId
  readonly dnsNames: readonly DnsName[]
  readonly keyType: KeyType
  readonly lifetime: Duration
}

/** The two times of a certificate. */
export interface Validity {
  readonly notBefore: Instant
  readonly notAfter: Instant
}

/** Behind which the clock of a peer may be. */
const MOST_BACKDATING = minutes(5)

/**
 * How long before its issue a certificate begins: a peer whose clock is behind refuses what begins in its future. A tenth of a short
 * lifetime at most, which clampRenewAt relies on.
 */
export function backdating(lifetime: Duration): Duration {
  return Math.min(MOST_BACKDATING, Math.floor(lifetime / 10)) as Duration
}

/** Renewal falls into this part of what is left at issue. Wide enough to spread what was issued in one minute. */
const RENEW_FROM = 0.5
const RENEW_TO = 0.6
/** With a backdating of up to a quarter, 0.6 of what is left ends before 0.7 of the whole. */
const LATEST = 0.7

/** Where people say how long before the end: up to a tenth of that sooner, so that what was issued at once is not renewed at once. */
const SPREAD = 0.1
/** No renewal so soon that it comes at every pass (backdating takes a tenth), nor so late that there is no second try. */
const SOONEST_ASKED = 0.12
const LATEST_ASKED = 0.95

/**
 * When to renew: drawn once for each certificate and stored with it; uniformly in 0.5 to 0.6 of its time from `issuedAt`, or just before
 * `renewBefore` its end.
 */
export function drawRenewAt(certificate: Validity, issuedAt: Instant, random: Random, renewBefore?: Duration): Instant {
  const { notAfter } = certificate
  const part = RENEW_FROM + (RENEW_TO - RENEW_FROM) * random.uniform()
  const drawn =
    renewBefore === undefined
      ? issuedAt + part * (notAfter - issuedAt)
      : notAfter - renewBefore * (1 + SPREAD * ((part - RENEW_FROM) / (RENEW_TO - RENEW_FROM)))
  return clampRenewAt(Math.round(drawn), certificate, renewBefore)
}

/**
 * The stored instant, kept within what drawRenewAt can have drawn: the store can be edited, and nobody may stop a renewal or force one at
 * every pass. Without a stored instant the latest one.
 */
export function clampRenewAt(renewAt: Instant | undefined, { notBefore, notAfter }: Validity, renewBefore?: Duration): Instant {
  const lifetime = notAfter - notBefore
  const at = (part: number): Instant => notBefore + Math.floor(part * lifetime)
  if (renewBefore === undefined) return within(renewAt, at(RENEW_FROM), at(LATEST))
  // A tenth is backdating, and it is rounded to a second: in a leaf of half a minute twelve hundredths may be over when it is issued.
  const soonest = Math.max(at(SOONEST_ASKED), at(0.1) + 2000)
  const asked = (instant: number): Instant => within(Math.floor(instant), soonest, at(LATEST_ASKED))
  return within(renewAt, asked(notAfter - renewBefore * (1 + SPREAD)), asked(notAfter - renewBefore))
}

function within(instant: Instant | undefined, earliest: Instant, latest: Instant): Instant {
  return instant === undefined ? latest : Math.min(Math.max(instant, earliest), latest)
}
