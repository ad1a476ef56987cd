// One pass of the authority controller: observe, plan, perform, report.

import type { ClusterMutualAuthority, ClusterMutualAuthorityStatus } from '../../api/cluster-mutual-authority.ts'
import { clusterMutualAuthorities } from '../../api/kinds.ts'
import { API_VERSION } from '../../api/names.ts'
import { consequenceOf, messageOf } from '../../base/errors.ts'
import { parseInstant } from '../../base/instant.ts'
import type { Log } from '../../base/log.ts'
import { isConflict, isNotFound } from '../../k8s/errors.ts'
import type { Recorder } from '../../k8s/events.ts'
import type { RawObject } from '../../k8s/resource.ts'
import type { Next, Pass } from '../../runtime/controller.ts'
import type { Caches } from '../caches.ts'
import { readyReason, reasonOf, statusDiffers } from '../readiness.ts'
import type { AuthorityFacts } from './facts.ts'
import { observeAuthorityState } from './observe.ts'
import { type AuthorityOutcome, type AuthorityPerformDeps, performAuthority } from './perform.ts'
import { type AuthorityPlan, planAuthority } from './plan.ts'
import { announceAuthority, nextAuthorityStatus } from './report.ts'

export interface AuthorityDeps extends AuthorityPerformDeps {
  readonly caches: Caches
  /** Used where neither the spec nor a generation says. */
  readonly defaultTrustDomain: string
  readonly events: Recorder
  readonly wroteAuthority: (raw: RawObject) => void
}

/** One pass over one authority; the key is its name. */
export async function reconcileAuthority(pass: Pass, deps: AuthorityDeps): Promise<Next> {
  const authority = deps.caches.authorities.get('', pass.key)
  if (!authority || authority.deleting) return { at: undefined }
  const facts = observeAuthorityState(authority, deps.caches, deps.defaultTrustDomain)
  const plan = planAuthority(facts, deps.clock.now())
  const outcome = await attempt(facts, plan, deps)
  // What was written came back into the cache: the next pass sees it and tells people where things stand.
  if (outcome.kind === 'changed') {
    pass.log.info('authority changed', { reason: plan.reason, detail: plan.message, secret: outcome.name })
    await announce(facts, plan, outcome, deps)
    return { at: 0 }
  }
  const status = await report(facts, plan, outcome, deps, pass.log)
  return { at: outcome.kind === 'failed' ? status.lastFailure && parseInstant(status.lastFailure.nextAttemptAt) : plan.next }
}

async function attempt(facts: AuthorityFacts, plan: AuthorityPlan, deps: AuthorityDeps): Promise<AuthorityOutcome> {
  try {
    return await performAuthority(plan.step, facts, deps)
  } catch (error) {
    if (isConflict(error) || consequenceOf(error) === 'bug') throw error
    return { kind: 'failed', error }
  }
}

async function report(
  facts: AuthorityFacts,
  plan: AuthorityPlan,
  outcome: AuthorityOutcome,
  deps: AuthorityDeps,
  log: Log,
): Promise<ClusterMutualAuthorityStatus> {
  const { authority } = facts
  logPass(facts, plan, outcome, log)
  const status = nextAuthorityStatus(facts, plan, outcome, deps.clock.now())
  if (statusDiffers(authority.status, status)) await writeStatus(authority, status, deps)
  await announce(facts, plan, outcome, deps)
  return status
}

async function announce(facts: AuthorityFacts, plan: AuthorityPlan, outcome: AuthorityOutcome, deps: AuthorityDeps): Promise<void> {
  const announcement = announceAuthority(facts, plan, outcome)
  if (!announcement) return
  const { name, uid } = facts.authority
  const regarding = { apiVersion: API_VERSION, kind: 'ClusterMutualAuthority', namespace: '', name, uid }
  await deps.events.record({ regarding, ...announcement })
}

async function writeStatus(authority: ClusterMutualAuthority, status: ClusterMutualAuthorityStatus, deps: AuthorityDeps): Promise<void> {
  const { name, uid } = authority
  const object = { apiVersion: API_VERSION, kind: 'ClusterMutualAuthority', metadata: { name, uid }, status }
  try {
    deps.wroteAuthority(await deps.client.apply(clusterMutualAuthorities, object, { subresource: 'status' }))
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

function logPass(facts: AuthorityFacts, plan: AuthorityPlan, outcome: AuthorityOutcome, log: Log): void {
  if (outcome.kind === 'failed') return log.warn('step failed', { reason: reasonOf(outcome.error), detail: messageOf(outcome.error) })
  const { state, reason, message } = plan.readiness
  if (plan.held || readyReason(facts.authority.status) === reason) return
  if (state === 'refused') log.warn('authority refused', { reason, detail: message })
  else log.info(state === 'ready' ? 'authority ready' : 'authority waiting', { reason, detail: message })
}
