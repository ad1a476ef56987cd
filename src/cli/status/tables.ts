// The two tables of status, and the lines that --watch adds to them. Pure.

import type { Authority } from '../../api/authority.ts'
import type { MutualIdentity } from '../../api/mutual-identity.ts'
import type { Instant } from '../../base/instant.ts'
import type { Paint } from '../output/colour.ts'
import { type Cell, table, tableLine, widthsOf } from '../output/table.ts'
import type { Watching } from '../watched.ts'
import { AUTHORITY_HEADER, type AuthoritySummary, authorityRow, authoritySummary } from './authority-row.ts'
import { IDENTITY_HEADER, type IdentitySummary, identityRow, identitySummary } from './identity-row.ts'

export interface Standing {
  readonly identities: readonly IdentitySummary[]
  /** By kind what may not be read; its part of the list is missing. */
  readonly authorities: readonly AuthoritySummary[]
  readonly unknown: readonly string[]
}

/** What is there now. */
export interface Seen {
  readonly identities: Iterable<MutualIdentity>
  readonly authorities: Iterable<Authority>
  readonly unknown: readonly string[]
}

export function standingOf({ identities, authorities, unknown }: Seen, now: Instant, settings: Watching): Standing {
  return {
    identities: [...identities].map((identity) => identitySummary(identity, now, settings)).sort(byName),
    authorities: [...authorities].map((authority) => authoritySummary(authority, now, settings)).sort(byName),
    unknown,
  }
}

const byName = (a: { namespace?: string | undefined; name: string }, b: { namespace?: string | undefined; name: string }): number =>
  compare(a.namespace ?? '', b.namespace ?? '') || compare(a.name, b.name)
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export interface TableOptions {
  readonly now: Instant
  readonly withNamespace: boolean
  readonly paint: Paint
}

export function standingText({ identities, authorities, unknown }: Standing, { now, withNamespace, paint }: TableOptions): string {
  const problems = [...identities, ...authorities].filter(({ state }) => state !== 'ready')
  return [
    identities.length === 0
      ? 'There are no identities.\n'
      : table(
          headerOf(withNamespace),
          identities.map((summary) => identityRow(summary, now, withNamespace)),
          paint,
        ),
    ...(authorities.length === 0
      ? []
      : [
          table(
            AUTHORITY_HEADER,
            authorities.map((summary) => authorityRow(summary, now)),
            paint,
          ),
        ]),
    ...(unknown.length === 0 ? [] : [`unknown: ${unknown.join(' and ')} may not be read by this account\n`]),
    ...(problems.length === 0 ? [] : [problemLines(problems)]),
  ].join('\n')
}

const headerOf = (withNamespace: boolean): string[] => [...(withNamespace ? ['NAMESPACE'] : []), ...IDENTITY_HEADER]

/** Why, of each that is not ready: the message is what helps. */
function problemLines(problems: readonly (IdentitySummary | AuthoritySummary)[]): string {
  const rows = problems.map(({ namespace, name, message }): Cell[] => [
    `${namespace === undefined ? '' : `${namespace}/`}${name}:`,
    message,
  ])
  const widths = widthsOf(rows)
  return rows.map((row) => tableLine(row, widths)).join('')
}

/** A line of --watch, in the columns of the table before it. */
export function changeLine(summary: IdentitySummary | AuthoritySummary, before: Standing, options: TableOptions): string {
  const { now, withNamespace, paint } = options
  const isAuthority = 'kind' in summary
  const row = isAuthority ? authorityRow(summary, now) : identityRow(summary, now, withNamespace)
  const rows = isAuthority
    ? [[...AUTHORITY_HEADER], ...before.authorities.map((one) => authorityRow(one, now))]
    : [headerOf(withNamespace), ...before.identities.map((one) => identityRow(one, now, withNamespace))]
  return tableLine(
    row.map((cell) => (cell === '' ? '-' : cell)),
    widthsOf([...rows, row]),
    paint,
  )
}
