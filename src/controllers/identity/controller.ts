// One pass of the identity controller: observe, plan, perform, report. What wakes it stands in triggers.ts.

import { mutualIdentities } from '../../api/kinds.ts'
import type { MutualIdentity, MutualIdentityStatus } from '../../api/mutual-identity.ts'
import { API_VERSION, authorityText } from '../../api/names.ts'
import { consequenceOf } from '../../base/errors.ts'
import { formatInstant, type Instant, parseInstant } from '../../base/instant.ts'
import type { Log } from '../../base/log.ts'
import { isConflict, isNamespaceTerminating, isNotFound } from '../../k8s/errors.ts'
import type { Recorder } from '../../k8s/events.ts'
import type { ObjectRef, RawObject } from '../../k8s/resource.ts'
import type { Next, Pass } from '../../runtime/controller.ts'
import type { Caches } from '../caches.ts'
import { logFailure } from '../log-failure.ts'
import { metricLabel } from '../metric-label.ts'
import { readyReason, reasonOf, statusDiffers } from '../readiness.ts'
import { writeStatus } from '../write-status.ts'
import type { IdentityFacts } from './facts.ts'
import { observeIdentity, type Surroundings } from './observe.ts'
import { servingSecret } from './ownership.ts'
import type { Patience } from './patience.ts'
import { type Outcome, type PerformDeps, performIdentity } from './perform.ts'
import { type IdentityPlan, planIdentity } from './plan.ts'
import type { PodCounts } from './pods/pod-counts.ts'
import { announce, nextStatus, RENEWALS } from './report.ts'

export interface IdentityDeps extends PerformDeps {
  readonly caches: Caches
  readonly surroundings: Surroundings
  readonly events: Recorder
  readonly wroteIdentity: (raw: RawObject) => void
  /** Lets the events of an identity wait until the function that it returns is called: for the time of a write. */
  readonly holdIdentity: (ref: ObjectRef) => () => void
  readonly patience: Patience
  readonly podCounts: PodCounts
  /** Told of each step that was done or failed; telemetry listens. */
  readonly onOutcome?: (outcome: IdentityOutcome) => void
}

/** For metrics: labels that do not grow with the objects. */
export interface IdentityOutcome {
  readonly kind: Outcome['kind']
  readonly reason: string
  readonly authority: string
  readonly durationMs: number
}

const KEY_SEPARATOR = '/'

/** The queue key of an identity. */
export const identityKey = (namespace: string, name: string): string => `${namespace}${KEY_SEPARATOR}${name}`

/** One pass over one identity. Returns when to look again without an event. */
export async function reconcileIdentity(pass: Pass, deps: IdentityDeps): Promise<Next> {
  const [namespace = '', name = ''] = pass.key.split(KEY_SEPARATOR)
  const identity = deps.caches.identities.get(namespace, name)
  if (!identity || identity.deleting) {
    deps.patience.forget(pass.key)
    deps.podCounts.forget(pass.key)
    return { at: undefined }
  }
  const startedAt = deps.clock.monotonic()
  const facts = observeIdentity(identity, deps.caches, deps.surroundings)
  const plan = planIdentity(facts, deps.clock.now())
  const outcome = await attempt(facts, plan, deps)
  // The cache of namespaces is behind. Its next event wakes the identity, and until then there is nothing to tell.
  if (outcome.kind === 'failed' && isNamespaceTerminating(outcome.error)) return { at: undefined }
  const patience = patienceLeft(pass.key, plan, deps)
  if (patience > 0) return { at: deps.clock.now() + patience }
  const { status, again } = await report(facts, plan, outcome, deps, pass)
  if (outcome.kind !== 'none') {
    const reason = outcome.kind === 'failed' ? reasonOf(outcome.error) : plan.reason
    deps.onOutcome?.({
      kind: outcome.kind,
      reason,
      authority: metricLabel(identity.spec.authority, deps.caches),
      durationMs: deps.clock.monotonic() - startedAt,
    })
  }
  // Told to people; the loop keeps the stack, and waits.
  if (outcome.kind === 'failed' && consequenceOf(outcome.error) === 'bug') throw outcome.error
  const expiry = outcome.kind === 'issued' ? outcome.notAfter : servingSecret(facts)?.leaf?.notAfter
  return { at: earliest(checkAgainAt(plan, outcome, status), again), ...(expiry === undefined ? {} : { deadline: expiry }) }
}

/** Milliseconds for which a waiting identity is still left untold. */
function patienceLeft(key: string, { readiness, step }: IdentityPlan, { patience, clock }: IdentityDeps): number {
  if (readiness.state === 'waiting' && step.kind === 'none') return patience.left(key, clock.monotonic())
  patience.forget(key)
  return 0
}

/** Failures become facts; what only needs another look (a lost race) goes to the queue. */
async function attempt(facts: IdentityFacts, plan: IdentityPlan, deps: IdentityDeps): Promise<Outcome> {
  try {
    return await performIdentity(plan.step, facts, deps)
  } catch (error) {
    // It changed, or went away, since the caches saw it: the next pass sees it too.
    if (isConflict(error) || isNotFound(error)) throw error
    return { kind: 'failed', error }
  }
}

async function report(
  facts: IdentityFacts,
  plan: IdentityPlan,
  outcome: Outcome,
  deps: IdentityDeps,
  { key, log }: Pick<Pass, 'key' | 'log'>,
): Promise<Reported> {
  const { identity } = facts
  logStep(facts, plan, outcome, log)
  const status = nextStatus(facts, plan, outcome, deps.clock.now())
  const announcement = announce(facts, plan, outcome)
  const differs = statusDiffers(identity.status, status)
  const left = differs && onlyPodsDiffer(identity.status, status) ? deps.podCounts.left(key, deps.clock.monotonic()) : 0
  const telling = differs && left === 0 ? tell(identity, status, deps, key) : undefined
  // Nobody waits for it, and a status that cannot be written does not cost it.
  if (announcement) void deps.events.record({ regarding: regardingOf(identity), ...announcement })
  await telling
  return { status, again: left > 0 ? deps.clock.now() + left : undefined }
}

/** The status as it should be, and when what was not told now is told. */
interface Reported {
  readonly status: MutualIdentityStatus
  readonly again: Instant | undefined
}

function onlyPodsDiffer(before: MutualIdentityStatus, after: MutualIdentityStatus): boolean {
  const { pods: counted, ...rest } = before
  const { pods: _counted, ...restAfter } = after
  return counted !== undefined && !statusDiffers(rest, restAfter)
}

const regardingOf = ({ namespace, name, uid }: MutualIdentity) => ({
  apiVersion: API_VERSION,
  kind: 'MutualIdentity',
  namespace,
  name,
  uid,
})

async function tell(identity: MutualIdentity, status: MutualIdentityStatus, deps: IdentityDeps, key: string): Promise<void> {
  const release = deps.holdIdentity(identity)
  try {
    const stored = await writeStatus(deps.client, mutualIdentities, identity, status)
    if (!stored) return
    deps.wroteIdentity(stored)
    deps.podCounts.told(key, deps.clock.monotonic())
  } finally {
    release()
  }
}

function logStep(facts: IdentityFacts, plan: IdentityPlan, outcome: Outcome, log: Log): void {
  const detail = plan.message
  if (outcome.kind === 'issued' && plan.step.kind === 'issue') {
    log.info(`certificate ${outcome.created ? 'issued' : RENEWALS.has(plan.reason) ? 'renewed' : 'reissued'}`, {
      reason: plan.reason,
      detail,
      spiffeID: plan.step.profile.spiffeId.uri,
      dnsNames: plan.step.profile.dnsNames,
      serialNumber: outcome.serialNumber,
      notAfter: formatInstant(outcome.notAfter),
      renewAt: formatInstant(outcome.renewAt),
      issuedBy: `${authorityText(plan.step.authority)} generation ${plan.step.generation.number}`,
      secret: plan.step.secretName,
    })
  } else if (outcome.kind === 'updated') log.info('secret repaired', { reason: plan.reason, detail })
  else if (outcome.kind === 'deleted') log.info('secret deleted to be made again', { reason: plan.reason, detail })
  else if (outcome.kind === 'failed') logFailure(outcome.error, facts.identity.status, log)
  else {
    const { state, reason, message } = plan.readiness
    const before = readyReason(facts.identity.status)
    if (plan.held || before === reason || (state === 'ready' && before === undefined)) return
    log[state === 'refused' ? 'warn' : 'info'](`identity ${state}`, { reason, detail: message })
  }
}

function checkAgainAt(plan: IdentityPlan, outcome: Outcome, status: MutualIdentityStatus): Instant | undefined {
  if (outcome.kind === 'failed') return status.lastFailure && parseInstant(status.lastFailure.nextAttemptAt)
  if (outcome.kind === 'issued') return outcome.wasHidden ? 0 : earliest(outcome.renewAt, plan.next)
  // A delete is followed by a create at once.
  return outcome.kind === 'deleted' ? 0 : plan.next
}

function earliest(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b)
}
