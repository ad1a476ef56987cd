// `explain`: what the controller would do next about identities or authorities, why, and when - from the controller's own observe and plan, under the
// rights of the person who asks. Reads only; facts that may not be read are unknown.

import type { Authority } from '../../api/authority.ts'
import type { MutualIdentity } from '../../api/mutual-identity.ts'
import { messageOf } from '../../base/errors.ts'
import { formatInstant, type Instant } from '../../base/instant.ts'
import { observeAuthorityState } from '../../controllers/authority/observe.ts'
import { planAuthority } from '../../controllers/authority/plan.ts'
import { observeIdentity } from '../../controllers/identity/observe.ts'
import { planIdentity } from '../../controllers/identity/plan.ts'
import type { Certificate } from '../../pki/certificate.ts'
import { parseTrustDomain } from '../../pki/trust-domain.ts'
import type { Stores } from '../../stores.ts'
import { withCluster } from '../asking.ts'
import type { OperatorSettings } from '../check/deployment.ts'
import { type ExitCode, worst } from '../exit-code.ts'
import { authorityPage, reportedAuthorityPage } from '../explain/authority-page.ts'
import { identityPage } from '../explain/identity-page.ts'
import { exitOfIdentity, identityStanding } from '../explain/standing.ts'
import { exitOf, standingOf } from '../explain/state.ts'
import { readTarget, type Target } from '../explain/targets.ts'
import { fillStores } from '../fill-stores.ts'
import { findAuthorities, findIdentities } from '../find.ts'
import { readFormat } from '../flags.ts'
import { lookAtSources } from '../look-at-sources.ts'
import { lookAtOperator } from '../operator-seen.ts'
import { dataText } from '../output/data.ts'
import { type PageRow, page } from '../output/table.ts'
import { usageError } from '../usage-error.ts'
import type { Question, Verb } from '../verb.ts'
import { unwatched } from '../watched.ts'

const FORMATS = ['text', 'json', 'yaml'] as const

export const explain: Verb = {
  name: 'explain',
  summary: 'What the controller would do next, why, and when',
  usage: '[NAME | authority [NAME]]',
  details: [
    'Of one identity, or of every one of the namespace without NAME; of authorities after the word authority. It is the controller’s own observation and',
    'plan, made under your rights. What you may not read is called unknown; the state then is the one that was reported, and the step cannot be told.',
    'Exit code 0: ready and nothing to do; 3: waiting, something is to be done, or the step cannot be told; 4: refused, a person is needed.',
  ],
  examples: [
    'kubectl mutual explain payments -n shop',
    'kubectl mutual explain -n shop',
    'kubectl mutual explain authority default',
    'kubectl mutual explain mauth/internal -n shop -o yaml',
  ],
  flags: {
    all: { help: 'every one of the namespace; the same as no NAME' },
    'trust-domain': { value: 'NAME', help: 'trust domain of the operator, for authorities that have no CA yet [cluster.local]' },
  },
  formats: FORMATS,
  words: 'identities-and-authorities',
  run(call) {
    const target = readTarget(call.given.positionals, call.given.switches.has('all'))
    return withCluster(call, (question) => answer(question, target))
  },
}

/** What is told of one object. */
interface Explained {
  readonly rows: readonly PageRow[]
  readonly data: object
  readonly exitCode: ExitCode
}

async function answer(question: Question, target: Target): Promise<ExitCode> {
  const format = readFormat(question.given.values['output'], FORMATS)
  const explained = target.kind === 'identity' ? await explainIdentities(question, target) : await explainAuthorities(question, target)
  const { write } = question.session
  if (format === 'text') write(explained.map(({ rows }) => page(rows, question.paint)).join('\n'))
  else write(dataText(format, dataOf(explained, target)))
  return worst(explained.map(({ exitCode }) => exitCode))
}

/** One object as it is, several as a list. */
function dataOf(explained: readonly Explained[], { name }: Target): object {
  const all = explained.map(({ data }) => data)
  return plainData(name !== undefined && all.length === 1 ? (all[0] as object) : { items: all })
}

async function explainIdentities(question: Question, { name }: Target): Promise<readonly Explained[]> {
  const { namespace, operatorNamespace, clusterDomain } = question
  const stores = await fillStores(question.cluster.client, { namespace, operatorNamespace })
  const identities = await findIdentities(question.cluster.client, stores, namespace, name)
  if (identities.length === 0) {
    question.session.complain(`there are no identities in namespace ${namespace}\n`)
    return []
  }
  const { lease, settings } = await lookAtOperator(question.cluster.client, operatorNamespace, () => question.session.clock.now())
  // Where its Deployment does not tell whether it restarts workloads, its own status of the identity does.
  const surroundings = { operatorNamespace, clusterDomain, restartWorkloads: settings.restartWorkloads ?? true }
  const now = question.session.clock.now()
  return identities.map((identity: MutualIdentity) => {
    const facts = observeIdentity(identity, stores, surroundings)
    const plan = planIdentity(facts, now)
    const standing = identityStanding(facts, plan, unwatched(namespace, settings), now)
    const data = { facts, plan, standing, lease }
    return { rows: identityPage(data, now), data, exitCode: exitOfIdentity(facts, plan, standing, now) }
  })
}

async function explainAuthorities(question: Question, target: Target & { kind: 'authority' }): Promise<readonly Explained[]> {
  const { namespace, operatorNamespace, cluster, session } = question
  const stores = await fillStores(cluster.client, {
    namespace,
    operatorNamespace,
    everywhere: ['namespacedAuthorities'],
    only: ['authorities', 'namespacedAuthorities', 'caSecrets', 'bundleRecords'],
  })
  const authorities = await findAuthorities(cluster.client, stores, namespace, target)
  if (target.name === undefined) complainOfUnread(question, stores, target)
  if (authorities.length === 0) {
    session.complain(`there are no authorities in the cluster or namespace ${namespace}\n`)
    return []
  }
  const { settings } = await lookAtOperator(cluster.client, operatorNamespace, () => session.clock.now())
  const unreadable = await lookAtSources(cluster.client, operatorNamespace, authorities, stores)
  const now = session.clock.now()
  return authorities.map((authority) => explainAuthority(authority, stores, { question, unreadable, settings, now }))
}

/** A list without them would look like all there are. */
function complainOfUnread(
  { session }: Question,
  { authorities, namespacedAuthorities }: Stores,
  { of }: Target & { kind: 'authority' },
): void {
  const unread = of.filter((kind) => !(kind === 'MutualAuthority' ? namespacedAuthorities : authorities).readable)
  for (const kind of unread) session.complain(`${kind.replace(/y$/, 'ies')} may not be read by this account\n`)
}

interface Asked {
  readonly question: Question
  /** Secrets of others that CAs are taken from and that may not be read. */
  readonly unreadable: ReadonlySet<string>
  readonly settings: OperatorSettings
  readonly now: Instant
}

function explainAuthority(authority: Authority, stores: Stores, { question, unreadable, settings, now }: Asked): Explained {
  const { operatorNamespace, given } = question
  const unknown = unknownOf(authority, stores, unreadable, operatorNamespace)
  if (unknown !== undefined) {
    return { rows: reportedAuthorityPage(authority, unknown), data: { authority, unknown }, exitCode: exitOf(UNKNOWN, UNKNOWN.readiness) }
  }
  const defaultTrustDomain = trustDomainFlag(given.values['trust-domain'] ?? 'cluster.local')
  // What the flag --namespaced-trust-domains of the operator allows cannot be told from here: the status of the authority says so.
  const named = authority.spec.trustDomain
  const namespacedTrustDomains = named === undefined ? {} : { [authority.namespace]: [named] }
  const facts = observeAuthorityState(authority, stores, { operatorNamespace, defaultTrustDomain, namespacedTrustDomains })
  const plan = planAuthority(facts, now)
  const standing = unwatched(authority.namespace || undefined, settings) ?? standingOf(plan, authority.status)
  const data = { facts, plan, standing }
  return { rows: authorityPage(data, now), data, exitCode: exitOf(plan, standing) }
}

function trustDomainFlag(text: string): string {
  try {
    return parseTrustDomain(text)
  } catch (error) {
    throw usageError(`--trust-domain: ${messageOf(error)}`)
  }
}

const UNKNOWN = { readiness: { state: 'waiting', reason: 'FactsUnknown', message: '' }, held: false, step: { kind: 'none' } } as const

function unknownOf({ spec }: Authority, stores: Stores, unreadable: ReadonlySet<string>, where: string): string | undefined {
  const missing = [
    ...(stores.caSecrets.readable ? [] : ['CA Secrets']),
    ...(stores.bundleRecords.readable ? [] : ['the published bundles']),
    ...(spec.backEnd.kind === 'caSecret' && unreadable.has(spec.backEnd.name) ? [`Secret ${spec.backEnd.name}`] : []),
  ]
  return missing.length === 0 ? undefined : `${missing.join(' and ')} in namespace ${where} may not be read by this account`
}

/** Fields that hold an instant, by their names; all else that is a number counts something, or is a span in milliseconds. */
const INSTANT = /(?:At|[nN]otAfter|[nN]otBefore|[uU]ntil|Since|^next)$/

/** Certificates and bundles as what identifies them, since bytes and key objects are of no use in a text; instants as RFC 3339. */
function plainData(value: object): object {
  return JSON.parse(
    JSON.stringify(value, (key, inner: unknown) => {
      // In a status anchors are a number.
      if (Array.isArray(inner) && inner.length > 0 && inner.every(isCertificate)) return inner.map(({ fingerprint }) => fingerprint)
      // The anchors say the same.
      if (key === 'json') return undefined
      if (key === 'certificate' || key === 'root') return isCertificate(inner) ? certificateData(inner) : inner
      // 0 stands for never.
      return typeof inner === 'number' && inner > 0 && INSTANT.test(key) ? formatInstant(inner) : inner
    }),
  )
}

const isCertificate = (value: unknown): value is Certificate => typeof value === 'object' && value !== null && 'x509' in value

function certificateData({ fingerprint, subject, issuer, serialNumber, notBefore, notAfter, keyType }: Certificate): object {
  return { fingerprint, subject, issuer, serialNumber, notBefore, notAfter, keyType }
}
