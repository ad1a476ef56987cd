// What a plan for an authority consists of. Made by plan.ts and ca-source.ts, done by perform.ts, told by report.ts. Pure.

import type { Reason } from '../../api/reason.ts'
import type { PublishedBundle } from '../../api/stored/bundle.ts'
import type { Duration } from '../../base/duration.ts'
import type { Instant } from '../../base/instant.ts'
import type { RootProfile } from '../../pki/profile.ts'
import type { TrustDomain } from '../../pki/trust-domain.ts'
import type { Readiness } from '../readiness.ts'

/** A version of an object that a write replaces. */
export interface Version {
  readonly uid: string
  readonly resourceVersion: string
}

export type AuthorityStep =
  | { readonly kind: 'none' }
  | { readonly kind: 'createGeneration'; readonly profile: RootProfile; readonly longestLeafLifetime: Duration }
  /** Key and certificate of exactly this version of somebody's Secret become a generation. */
  | {
      readonly kind: 'copyGeneration'
      readonly source: Version & { readonly name: string }
      readonly trustDomain: TrustDomain
      readonly generation: number
      readonly longestLeafLifetime: Duration
    }
  /** The cache shows no CA Secret where there must be one: looked for by name, and given its labels back. */
  | { readonly kind: 'findGeneration'; readonly secretName: string }
  | { readonly kind: 'activate'; readonly secretName: string; readonly version: Version }
  | { readonly kind: 'publish'; readonly bundle: PublishedBundle; readonly replaces: Version | undefined }
  | { readonly kind: 'deleteRecord'; readonly version: Version }

export interface AuthorityPlan {
  readonly step: AuthorityStep
  readonly reason: Reason
  readonly message: string
  readonly readiness: Readiness
  /** A failure's next attempt has not come yet: nothing is done, and what people were told stays. */
  readonly held: boolean
  readonly next: Instant | undefined
}

/** A leaf may last a sixth of its root at most: the rest is for rotating the root. */
export const ROOT_TO_LEAF = 6

/** No step: how it stands. */
export function stop(state: Readiness['state'], reason: Reason, message: string): AuthorityPlan {
  return { step: { kind: 'none' }, reason, message, readiness: { state, reason, message }, held: false, next: undefined }
}
