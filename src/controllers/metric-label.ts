// How an authority is named in metrics: by labels that tenants cannot multiply. Pure.

import type { AuthorityRef } from '../api/names.ts'
import type { Caches } from './caches.ts'

/** Authorities of the cluster by name; those that tenants make are one series, and so are those that there are not: tenants invent names. */
export function metricLabel({ kind, name }: AuthorityRef, { authorities }: Pick<Caches, 'authorities'>): string {
  if (kind === 'MutualAuthority') return kind
  return authorities.get('', name) ? name : NONE
}

/** No authority can be called so. */
const NONE = '(none)'
