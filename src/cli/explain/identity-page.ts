// Facts and plan of an identity as a page for people. Pure: text in one column of names and one of values.

import { authorityText } from '../../api/names.ts'
import { type Instant, parseInstant } from '../../base/instant.ts'
import type { IdentityFacts, SecretFacts } from '../../controllers/identity/facts.ts'
import { currentRenewAt } from '../../controllers/identity/leaf-checks.ts'
import type { IdentityPlan } from '../../controllers/identity/plan.ts'
import { controllerText, type LeaseSeen } from '../lease-seen.ts'
import { instantText } from '../output/instant.ts'
import type { PageRow } from '../output/table.ts'
import { identitySummary } from '../status/identity-row.ts'
import { STATE_STYLES } from '../status/state.ts'
import type { Standing } from './standing.ts'
import { failureText, stateCell } from './state.ts'

/** All that is told of an identity; programs get it as it is. */
export interface IdentityExplained {
  readonly facts: IdentityFacts
  readonly plan: IdentityPlan
  readonly standing: Standing
  /** Whether anybody does what is planned. */
  readonly lease: LeaseSeen
}

export function identityPage(explained: IdentityExplained, now: Instant): PageRow[] {
  const { facts, lease } = explained
  const { identity } = facts
  return [
    ['Identity', `${identity.namespace}/${identity.name}`],
    ...authorityRows(facts, now),
    ...trustRows(facts, now),
    ['Pods', known(facts, 'pods', `${facts.selectedPods} selected, service accounts: ${facts.observedAccounts.join(', ') || 'none'}`)],
    ['Account', identity.spec.serviceAccountName ?? `observed${facts.recordedAccount ? `, recorded: ${facts.recordedAccount}` : ''}`],
    ['DNS names', known(facts, 'services', namesText(facts))],
    ...secretRows(facts.secret, now),
    ...facts.formerSecrets.map(({ name }): PageRow => ['Old Secret', name]),
    undefined,
    ...(explained.standing.asReported ? reportedRows(explained, now) : planRows(explained, now)),
    ['Controller', controllerText(lease, now)],
    ...(identity.status.lastFailure ? [['Last failure', failureText(identity.status.lastFailure)] as const] : []),
  ]
}

function planRows({ facts, plan, standing }: IdentityExplained, now: Instant): PageRow[] {
  if (standing.reason === 'NotWatched')
    return [
      ['State', stateCell(standing)],
      ['Next step', 'nothing, while the operator does not watch the namespace'],
    ]
  return [
    ['State', stateCell(standing)],
    ['Next step', plan.held ? 'nothing before the next attempt' : stepText(plan)],
    ['Why', `${plan.reason}: ${plan.message}`],
    ['When', whenText(facts, plan, now)],
  ]
}

/** How it stands says the operator, who sees everything; what it will do next cannot be told by whoever does not. */
function reportedRows({ facts: { identity, secret }, plan: { readiness }, standing }: IdentityExplained, now: Instant): PageRow[] {
  const { state, reason, message } = standing
  const { expired } = identitySummary(identity, now)
  const { notAfter, renewAt } = identity.status.certificate ?? {}
  const [endsAt, renewsAt] = [notAfter, renewAt].map((text) => parseInstant(text ?? ''))
  return [
    ['State', { text: `${state}: ${reason}: ${message} (as reported)`, style: STATE_STYLES[state] }],
    // Where the Secret may be read, its own certificate stands above.
    ...(endsAt === undefined || secret !== 'unknown' ? [] : [untilRow(endsAt, expired, now)]),
    ...(renewsAt === undefined ? [] : [['Renewal', `at ${instantText(renewsAt, now)} (as reported)`] as const]),
    ['Next step', { text: `cannot tell, because ${readiness.message}`, style: 'waiting' }],
  ]
}

function untilRow(endsAt: Instant, expired: boolean, now: Instant): PageRow {
  return [
    'Certificate',
    { text: `${expired ? 'expired, ' : ''}until ${instantText(endsAt, now)} (as reported)`, style: expired ? 'bad' : undefined },
  ]
}

/** The text, or that this account may not read what it comes from. */
function known({ unknown }: IdentityFacts, collection: string, text: string): string {
  return unknown.includes(collection) ? `unknown: ${collection} of this namespace may not be read by this account` : text
}

/** Those of the next certificate, and why it has no others. */
function namesText({ identity, authority, serviceDnsNames, shortServiceNames, servicesOfOthers, secret }: IdentityFacts): string {
  const { dnsNames } = identity.spec.certificate
  const names: readonly string[] = [...serviceDnsNames, ...(authority?.shortServiceNames ? shortServiceNames : []), ...dnsNames]
  const leaf = typeof secret === 'object' ? secret.leaf : undefined
  const leaving = leaf?.dnsNames.filter((name) => !names.includes(name)) ?? []
  return [
    names.join(', ') || 'none',
    ...(servicesOfOthers.length === 0
      ? []
      : [`not of Service ${servicesOfOthers.join(', ')}: pods of other accounts than ${identity.spec.serviceAccountName} serve it`]),
    ...(leaving.length === 0 ? [] : [`until it is replaced the certificate also has ${leaving.join(', ')}`]),
  ].join('; ')
}

function authorityRows({ authority, identity }: IdentityFacts, now: Instant): PageRow[] {
  const name = authorityText(identity.spec.authority)
  if (!authority) return [['Authority', `${name}: not found`]]
  const { signing, bundle } = authority
  if (authority.unreadable !== undefined) return [['Authority', `${name}: unknown: ${authority.unreadable}`]]
  const signs = signing
    ? `generation ${signing.number} signs until ${instantText(signing.notAfter, now)}`
    : `cannot sign: ${authority.problem}`
  return [
    ['Authority', `${name}, trust domain ${authority.trustDomain ?? 'unknown'}; ${signs}`],
    [
      'Trust bundle',
      bundle ? `${bundle.anchors.length} anchor${bundle.anchors.length === 1 ? '' : 's'}, ${bundle.fingerprint.slice(0, 16)}` : 'none',
    ],
  ]
}

/** Nothing where there is but the own authority, as nearly everywhere. */
function trustRows({ trust, switching }: IdentityFacts, now: Instant): PageRow[] {
  const additional = trust.additional.map(
    ({ ref, bundle, pooled }) => `${authorityText(ref)}${bundle ? '' : ' (no bundle)'}${pooled ? ' (pooled)' : ''}`,
  )
  const former = trust.former.map(
    ({ ref, until, usedByPeers }) => `${authorityText(ref)} ${usedByPeers ? 'while peers live by it' : `until ${instantText(until, now)}`}`,
  )
  const waitsFor = switching?.peersNotReady.join(', ') ?? ''
  return [
    ...(additional.length > 0 ? [['Also trusts', additional.join(', ')] as const] : []),
    ...(former.length > 0 ? [['Still trusts', former.join(', ')] as const] : []),
    ...(switching
      ? [
          [
            'Switching',
            `from ${authorityText(switching.from.ref)}${waitsFor === '' ? '' : `; peers that are not ready: ${waitsFor}`}`,
          ] as const,
        ]
      : []),
  ]
}

function secretRows(secret: IdentityFacts['secret'], now: Instant): PageRow[] {
  if (secret === undefined) return [['Secret', 'none yet']]
  if (secret === 'unknown') return [['Secret', 'unknown: Secrets of this namespace may not be read by this account']]
  return [
    ['Secret', secret.name],
    ['Certificate', certificateText(secret, now)],
    [
      'Verifies',
      secret.trusted === undefined ? 'unknown' : secret.trusted.ok ? 'yes, to the published bundle' : `no: ${secret.trusted.detail}`,
    ],
  ]
}

function certificateText({ leaf, problem }: SecretFacts, now: Instant): string {
  if (problem) return `unusable: ${problem.detail}`
  if (!leaf) return 'none'
  return `${leaf.serialNumber} for ${leaf.uris.join(', ')}, ${leaf.keyType}, until ${instantText(leaf.notAfter, now)}`
}

function stepText({ step }: IdentityPlan): string {
  switch (step.kind) {
    case 'none':
      return 'nothing'
    case 'issue':
      return `issue a certificate for ${step.profile.spiffeId.uri} and ${step.replaces ? 'replace' : 'create'} Secret ${step.secretName}`
    case 'update':
      return `patch Secret ${step.secretName}${step.patch.trust === undefined ? '' : ' (anchors)'}, its key and certificate stay`
    case 'delete':
      return `delete Secret ${step.secretName}`
  }
}

function whenText({ identity, secret }: IdentityFacts, { step, next, held }: IdentityPlan, now: Instant): string {
  if (step.kind !== 'none') return 'now'
  if (next === undefined) return 'when something changes'
  if (held) return `next attempt at ${instantText(next, now)}`
  const renewAt = secret && secret !== 'unknown' ? currentRenewAt(secret, identity.spec.certificate.renewBefore) : undefined
  if (next === renewAt) return `renewal at ${instantText(next, now)}`
  return `looked at again at ${instantText(next, now)}${renewAt === undefined ? '' : `, renewal at ${instantText(renewAt, now)}`}`
}
