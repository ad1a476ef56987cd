// What the table of status says of one authority. Pure.

import type { Authority } from '../../api/authority.ts'
import { type Instant, parseInstant } from '../../base/instant.ts'
import { relative } from '../output/instant.ts'
import type { Cell } from '../output/table.ts'
import { unwatched, type Watching } from '../watched.ts'
import { reportedState } from './identity-row.ts'
import { STATE_STYLES, type State } from './state.ts'

/** As data, for programs too. Instants are RFC 3339. */
export interface AuthoritySummary {
  readonly kind: string
  readonly namespace: string | undefined
  readonly name: string
  readonly state: State
  readonly reason: string
  readonly message: string
  readonly trustDomain: string | undefined
  /** Of the generation that signs. */
  readonly rootExpiresAt: string | undefined
  readonly expired: boolean
  readonly generations: readonly string[]
  readonly anchors: number | undefined
}

export function authoritySummary({ ref, status, generation }: Authority, now: Instant, settings: Watching = {}): AuthoritySummary {
  const { generations = [], trustBundle, trustDomain, conditions } = status
  const active = generations.find(({ state }) => state === 'Active')
  const endsAt = active && parseInstant(active.notAfter)
  return {
    kind: ref.kind,
    namespace: ref.namespace || undefined,
    name: ref.name,
    ...reportedState(conditions, generation),
    ...unwatched(ref.namespace || undefined, settings),
    trustDomain,
    rootExpiresAt: active?.notAfter,
    expired: endsAt !== undefined && endsAt <= now,
    generations: generations.map(({ number, state }) => `${number} ${state.toLowerCase()}`),
    anchors: trustBundle?.anchors,
  }
}

export const AUTHORITY_HEADER = ['AUTHORITY', 'STATE', 'REASON', 'TRUST DOMAIN', 'ROOT EXPIRES', 'GENERATIONS', 'ANCHORS'] as const

export function authorityRow(summary: AuthoritySummary, now: Instant): Cell[] {
  const { namespace, name, state, reason, trustDomain, expired, generations, anchors } = summary
  const endsAt = summary.rootExpiresAt === undefined ? undefined : parseInstant(summary.rootExpiresAt)
  return [
    namespace === undefined ? name : `mauth ${namespace}/${name}`,
    { text: state, style: STATE_STYLES[state] },
    reason,
    trustDomain ?? '',
    endsAt === undefined
      ? ''
      : { text: expired ? `expired ${relative(endsAt, now)}` : relative(endsAt, now), style: expired ? 'bad' : undefined },
    generations.join(', '),
    anchors === undefined ? '' : String(anchors),
  ]
}
