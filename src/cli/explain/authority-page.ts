// Facts and plan of an authority as a page for people, and what is said where the facts may not be read. Pure.

import type { Authority } from '../../api/authority.ts'
import { authorityText } from '../../api/names.ts'
import { formatDuration } from '../../base/duration.ts'
import type { Instant } from '../../base/instant.ts'
import type { AuthorityFacts } from '../../controllers/authority/facts.ts'
import type { AuthorityPlan } from '../../controllers/authority/plan-step.ts'
import type { Readiness } from '../../controllers/readiness.ts'
import { instantText } from '../output/instant.ts'
import type { PageRow } from '../output/table.ts'
import type { Unwatched } from '../watched.ts'
import { failureText, stateCell } from './state.ts'

/** What an authority is asked to be. */
function specRows({ ref, spec }: Authority): PageRow[] {
  const { backEnd, leaf, policy } = spec
  return [
    ['Authority', authorityText(ref)],
    [
      'CA',
      backEnd.kind === 'selfManaged'
        ? `own, ${backEnd.keyType}, root for ${formatDuration(backEnd.rootLifetime)}`
        : `from Secret ${backEnd.name}`,
    ],
    [
      'Certificates',
      `${formatDuration(leaf.lifetime)} unless asked otherwise, at least ${formatDuration(leaf.minLifetime)}` +
        (leaf.maxLifetime === undefined ? '' : `, at most ${formatDuration(leaf.maxLifetime)}`),
    ],
    ['Serves', policy.allowedNamespaces === undefined ? 'all namespaces' : `namespaces ${policy.allowedNamespaces.join(', ')}`],
  ]
}

/** All that is told of an authority; programs get it as it is. */
export interface AuthorityExplained {
  readonly facts: AuthorityFacts
  readonly plan: AuthorityPlan
  readonly standing: Readiness | Unwatched
}

/** The page of an authority whose CA Secrets and bundle could be read. */
export function authorityPage({ facts, plan, standing }: AuthorityExplained, now: Instant): PageRow[] {
  const { authority, generations, record, secrets } = facts
  return [
    ...specRows(authority),
    ['Trust domain', secrets[0]?.trustDomain || authority.spec.trustDomain || `${facts.standardTrustDomain} (by default)`],
    ...generations.map(
      ({ number, state, root, certificate }): PageRow => [
        `Generation ${number}`,
        `${state.toLowerCase()}, signs until ${instantText(certificate.notAfter, now)}, root ${root.fingerprint.slice(0, 16)}`,
      ],
    ),
    ...(generations.length === 0 ? [['Generations', 'none that can be read'] as const] : []),
    ['Trust bundle', record?.bundle ? `${anchorCount(record.bundle.anchors.length)}, ${record.bundle.fingerprint.slice(0, 16)}` : 'none'],
    undefined,
    ['State', stateCell(standing)],
    ...(standing.reason === 'NotWatched'
      ? [['Next step', 'nothing, while the operator does not watch the namespace'] as const]
      : [
          ['Next step', stepText(plan)] as const,
          ['Why', `${plan.reason}: ${plan.message}`] as const,
          ['When', whenText(plan, now)] as const,
        ]),
    ...(authority.status.lastFailure ? [['Last failure', failureText(authority.status.lastFailure)] as const] : []),
  ]
}

/** Without its CA Secrets and its record nothing can be planned: what was reported is told, and called that. */
export function reportedAuthorityPage({ status, ...authority }: Authority, unknown: string): PageRow[] {
  const ready = status.conditions.find(({ type }) => type === 'Ready')
  return [
    ...specRows({ ...authority, status }),
    ['Trust domain', status.trustDomain ?? 'unknown'],
    ...(status.generations ?? []).map(
      ({ number, state, notAfter, fingerprint }): PageRow => [
        `Generation ${number}`,
        `${state.toLowerCase()}, root until ${notAfter}, ${fingerprint.slice(0, 16)} (as reported)`,
      ],
    ),
    undefined,
    [
      'State',
      ready
        ? `${ready.status === 'True' ? 'ready' : 'not ready'}: ${ready.reason}: ${ready.message} (as reported)`
        : 'nothing was reported yet',
    ],
    ['Next step', { text: `cannot tell, because ${unknown}`, style: 'waiting' }],
    ...(status.lastFailure ? [['Last failure', failureText(status.lastFailure)] as const] : []),
  ]
}

const anchorCount = (count: number): string => `${count} anchor${count === 1 ? '' : 's'}`

function stepText({ step }: AuthorityPlan): string {
  switch (step.kind) {
    case 'none':
      return 'nothing'
    case 'createGeneration':
      return `make the CA of generation ${step.profile.generation} for trust domain ${step.profile.trustDomain}`
    case 'copyGeneration':
      return `copy the CA in Secret ${step.source.name} as generation ${step.generation}`
    case 'findGeneration':
      return `look for Secret ${step.secretName} by its name`
    case 'activate':
      return `mark Secret ${step.secretName} active`
    case 'publish':
      return `publish a trust bundle of ${anchorCount(step.bundle.anchors.length)}`
    case 'deleteRecord':
      return 'delete the record of the trust bundle, to make it again'
  }
}

function whenText({ step, next, held }: AuthorityPlan, now: Instant): string {
  if (step.kind !== 'none') return 'now'
  if (next === undefined) return 'when something changes'
  return `${held ? 'next attempt' : 'looked at again'} at ${instantText(next, now)}`
}
