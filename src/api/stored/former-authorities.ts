// The authorities that an identity was switched away from, as a leaf Secret and a status say them. Used by the leaf Secret and the identity controller; no IO.

import { formatInstant, type Instant, parseInstant } from '../../base/instant.ts'
import { type AuthorityRef, authorityRef } from '../names.ts'

/** An authority that an identity was switched away from. */
export interface FormerAuthority {
  readonly ref: AuthorityRef
  readonly until: Instant
}

/** `ClusterMutualAuthority/default/2026-11-24T12:00:00Z`. A namespaced authority is of the Secret's own namespace. */
export const formatFormerAuthorities = (former: readonly FormerAuthority[]): string[] =>
  former.map(({ ref, until }) => `${ref.kind}/${ref.name}/${formatInstant(until)}`)

/** Those entries that can be read; `namespace` is that of the Secret. */
export function readFormerAuthorities(entries: readonly string[], namespace: string): readonly FormerAuthority[] {
  return entries.flatMap((entry) => {
    const [kind, name = '', time = ''] = entry.split('/')
    const until = parseInstant(time)
    if ((kind !== 'ClusterMutualAuthority' && kind !== 'MutualAuthority') || name === '' || until === undefined) return []
    return [{ ref: authorityRef(kind, namespace, name), until }]
  })
}
