// How an identity stands: by its plan, or as it was reported where this account cannot see what the plan needs. Pure.

import type { Instant } from '../../base/instant.ts'
import type { IdentityFacts } from '../../controllers/identity/facts.ts'
import type { IdentityPlan } from '../../controllers/identity/plan.ts'
import { EXIT, type ExitCode, worst } from '../exit-code.ts'
import { identitySummary } from '../status/identity-row.ts'
import { exitOfState, type State } from '../status/state.ts'
import type { Unwatched } from '../watched.ts'
import { exitOf, standingOf } from './state.ts'

export interface Standing {
  readonly state: State
  readonly reason: string
  readonly message: string
  /** By the status alone: what decides may not be read by this account. */
  readonly asReported: boolean
}

export function identityStanding(facts: IdentityFacts, plan: IdentityPlan, left: Unwatched | undefined, now: Instant): Standing {
  if (left) return { ...left, asReported: false }
  const asReported = cannotTell(plan)
  const { state, reason, message } = asReported ? identitySummary(facts.identity, now) : plannedStanding(facts, plan, now)
  return { state, reason, message, asReported }
}

/** While there is no certificate in force, it waits for the one that is about to be made. */
function plannedStanding({ identity, secret }: IdentityFacts, plan: IdentityPlan, now: Instant) {
  const standing = standingOf(plan, identity.status)
  if (plan.held || plan.step.kind !== 'issue' || standing.state !== 'ready') return standing
  const usable = secret !== undefined && secret !== 'unknown' && secret.trusted?.ok === true && (secret.leaf?.notAfter ?? 0) > now
  return usable ? standing : { state: 'waiting' as const, reason: plan.reason, message: plan.message }
}

/** What is not known is not good, however it was reported. */
export function exitOfIdentity({ identity }: IdentityFacts, plan: IdentityPlan, standing: Standing, now: Instant): ExitCode {
  return standing.asReported ? worst([EXIT.waiting, exitOfState(identitySummary(identity, now))]) : exitOf(plan, standing)
}

/** What this account may not read decides about the step. */
function cannotTell({ readiness: { reason } }: IdentityPlan): boolean {
  return reason === 'FactsUnknown' || reason === 'SecretUnknown' || reason === 'AuthorityUnknown'
}
