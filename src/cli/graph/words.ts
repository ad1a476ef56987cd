// What all drawings of the graph call things alike. Pure.

import type { GraphAuthority, GraphIdentity, Why } from './model.ts'

export const WHY: Readonly<Record<Why, string>> = {
  own: 'accepts',
  additional: 'accepts too',
  pooled: 'accepts too (pooled)',
  former: 'accepts still',
  switching: 'accepts in advance',
}

/** Authorities by trust domain, in the order of their names; those without one last. */
export function byTrustDomain(authorities: readonly GraphAuthority[]): readonly (readonly [string, readonly GraphAuthority[]])[] {
  const groups = new Map<string, GraphAuthority[]>()
  for (const authority of authorities) {
    const domain = authority.trustDomain ?? ''
    groups.set(domain, [...(groups.get(domain) ?? []), authority])
  }
  const sorted = [...groups].sort(([a], [b]) => Number(a === '') - Number(b === '') || (a < b ? -1 : 1))
  return sorted.map(([domain, members]) => [domain === '' ? 'unknown' : domain, members] as const)
}

/** `Secret payments-mtls: ca.crt holds default/1`. */
export function secretText({ secretName, holds }: GraphIdentity): string {
  if (holds === undefined) return `Secret ${secretName}: none yet`
  if (holds === 'unknown') return `Secret ${secretName}: unknown`
  const files = Object.entries(holds).map(([file, anchors]) => `${file} holds ${anchors.join(', ') || 'no anchor that can be read'}`)
  return `Secret ${secretName}: ${files.join('; ') || 'holds no anchors'}`
}

export function switchText({ switching }: GraphIdentity): string | undefined {
  if (!switching) return undefined
  const { to, waitsFor } = switching
  return `switching to ${to}${waitsFor.length === 0 ? '' : `, waits for ${waitsFor.join(', ')}`}`
}

export function authorityLabel({ state, anchors }: GraphAuthority): string {
  return `${state ?? 'not found, or not to be read'}; ${anchors.join(', ') || 'anchors unknown'}`
}
