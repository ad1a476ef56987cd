// One pass of the authority controller: observe, plan, perform, report.

import type { AuthorityStatus } from '../../api/authority.ts'
import { authorityResources } from '../../api/kinds.ts'
import { API_VERSION, type AuthorityKind, authorityOfKey } from '../../api/names.ts'
import { minutes } from '../../base/duration.ts'
import { consequenceOf, OperatorError } from '../../base/errors.ts'
import { parseInstant } from '../../base/instant.ts'
import type { Log } from '../../base/log.ts'
import { isConflict, isNotFound } from '../../k8s/errors.ts'
import type { Recorder } from '../../k8s/events.ts'
import { type ObjectRef, type RawObject, secrets } from '../../k8s/resource.ts'
import type { Next, Pass } from '../../runtime/controller.ts'
import { authorityOf, type Caches } from '../caches.ts'
import { logFailure } from '../log-failure.ts'
import { readyReason, statusDiffers } from '../readiness.ts'
import { writeStatus } from '../write-status.ts'
import type { AuthorityFacts } from './facts.ts'
import { observeAuthorityState, type TrustDomainRules } from './observe.ts'
import { type AuthorityOutcome, type AuthorityPerformDeps, performAuthority } from './perform.ts'
import { planAuthority } from './plan.ts'
import type { AuthorityPlan } from './plan-step.ts'
import { announceAuthority, nextAuthorityStatus } from './report.ts'

export interface AuthorityDeps extends AuthorityPerformDeps {
  readonly caches: Caches
  readonly rules: TrustDomainRules
  readonly events: Recorder
  readonly wroteAuthority: (kind: AuthorityKind, raw: RawObject) => void
  readonly sawSource: (ref: ObjectRef, raw: RawObject | undefined) => void
}

/** A Secret that others keep is not watched: it is looked at so often. */
const LOOK_AGAIN = minutes(1)

/** One pass over one authority; the key is authorityKey's. */
export async function reconcileAuthority(pass: Pass, deps: AuthorityDeps): Promise<Next> {
  const authority = authorityOf(deps.caches, authorityOfKey(pass.key))
  if (!authority || authority.deleting) return { at: undefined }
  const { backEnd } = authority.spec
  // A spec that cannot be used may hold an empty name, by which the whole collection would be read.
  const unread = backEnd.kind === 'caSecret' && authority.problem === undefined ? await lookAtSource(backEnd.name, deps) : undefined
  const facts = observeAuthorityState(authority, deps.caches, deps.rules)
  const plan = planAuthority(facts, deps.clock.now())
  const outcome = await attempt(facts, plan, unread, deps)
  // What was written came back into the cache: the next pass sees it and tells people where things stand.
  if (outcome.kind === 'changed') {
    const where = plan.step.kind === 'publish' || plan.step.kind === 'deleteRecord' ? { configMap: outcome.name } : { secret: outcome.name }
    pass.log.info('authority changed', { reason: plan.reason, detail: plan.message, ...where })
    announce(facts, plan, outcome, deps)
    return { at: 0 }
  }
  const status = await report(facts, plan, outcome, deps, pass.log)
  // Told to people; the loop keeps the stack, and waits.
  if (outcome.kind === 'failed' && consequenceOf(outcome.error) === 'bug') throw outcome.error
  if (outcome.kind === 'failed') return { at: status.lastFailure && parseInstant(status.lastFailure.nextAttemptAt) }
  if (backEnd.kind !== 'caSecret') return { at: plan.next }
  return { at: Math.min(plan.next ?? Number.POSITIVE_INFINITY, deps.clock.now() + LOOK_AGAIN) }
}

/** Before anything is observed: what is remembered of the Secret is as it was then. Returns why it could not be read. */
async function lookAtSource(name: string, deps: AuthorityDeps): Promise<OperatorError | undefined> {
  const ref = { namespace: deps.namespace, name }
  try {
    deps.sawSource(ref, await deps.client.get(secrets, ref))
  } catch (error) {
    if (isNotFound(error)) deps.sawSource(ref, undefined)
    else if (error instanceof OperatorError) return error
    else throw error
  }
  return undefined
}

/** A source that cannot be read (`unread`) stops nothing but what needs it: while a copy signs it is for the log alone, before that it is why there is no CA. */
async function attempt(
  facts: AuthorityFacts,
  plan: AuthorityPlan,
  unread: OperatorError | undefined,
  deps: AuthorityDeps,
): Promise<AuthorityOutcome> {
  if (unread && plan.step.kind === 'none') {
    if (facts.generations.length > 0) throw unread
    if (!plan.held) return { kind: 'failed', error: unread }
  }
  try {
    return await performAuthority(plan.step, facts, deps)
  } catch (error) {
    if (isConflict(error)) throw error
    return { kind: 'failed', error }
  }
}

async function report(
  facts: AuthorityFacts,
  plan: AuthorityPlan,
  outcome: AuthorityOutcome,
  deps: AuthorityDeps,
  log: Log,
): Promise<AuthorityStatus> {
  const { authority } = facts
  logPass(facts, plan, outcome, log)
  const status = nextAuthorityStatus(facts, plan, outcome, deps.clock.now())
  if (statusDiffers(authority.status, status)) {
    const stored = await writeStatus(deps.client, authorityResources[authority.ref.kind], authority, status)
    if (stored) deps.wroteAuthority(authority.ref.kind, stored)
  }
  announce(facts, plan, outcome, deps)
  return status
}

function announce(facts: AuthorityFacts, plan: AuthorityPlan, outcome: AuthorityOutcome, deps: AuthorityDeps): void {
  const announcement = announceAuthority(facts, plan, outcome)
  if (!announcement) return
  const { name, uid, ref } = facts.authority
  const regarding = { apiVersion: API_VERSION, kind: ref.kind, namespace: ref.namespace, name, uid }
  void deps.events.record({ regarding, ...announcement })
}

function logPass(facts: AuthorityFacts, plan: AuthorityPlan, outcome: AuthorityOutcome, log: Log): void {
  if (outcome.kind === 'failed') return logFailure(outcome.error, facts.authority.status, log)
  const { state, reason, message } = plan.readiness
  if (plan.held || readyReason(facts.authority.status) === reason) return
  if (state === 'refused') log.warn('authority refused', { reason, detail: message })
  else log.info(state === 'ready' ? 'authority ready' : 'authority waiting', { reason, detail: message })
}
