// The authorities: without one that is ready no certificate is made. From what the operator reported.

import type { Instant } from '../../base/instant.ts'
import type { Stores } from '../../stores.ts'
import { authoritySummary } from '../status/authority-row.ts'
import { bad, type CheckFinding, good, unknown, warning } from './finding.ts'

export function authorityFindings(stores: Pick<Stores, 'authorities' | 'namespacedAuthorities'>, now: Instant): readonly CheckFinding[] {
  const { authorities, namespacedAuthorities } = stores
  const all = [...authorities.all(), ...namespacedAuthorities.all()].map((authority) => authoritySummary(authority, now))
  return [
    ...(authorities.readable ? [] : [unknown('ClusterMutualAuthorities')]),
    ...(authorities.readable && authorities.size === 0
      ? [bad('there is no ClusterMutualAuthority', 'the operator makes the default one when it starts: does it run? Or apply one')]
      : []),
    ...all.map(({ kind, namespace, name, state, reason, message, expired, rootExpiresAt }) => {
      const what = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
      const remedy = `kubectl mutual explain ${kind.toLowerCase()} ${name}${namespace === undefined ? '' : ` -n ${namespace}`}`
      if (expired) return bad(`${what}: its root expired at ${rootExpiresAt}`, remedy)
      if (state === 'ready') return good(`${what} is ready: ${message}`)
      return (state === 'refused' ? bad : warning)(`${what} is ${state}: ${reason}: ${message}`, remedy)
    }),
  ]
}
