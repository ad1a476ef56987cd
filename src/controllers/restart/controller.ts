// Restarts workloads after renewals: one pass is one identity and at most one restart. Runs only where the operator is asked to.
// Errors go to the queue, which backs off; what a person must change is told as an event of the identity besides.

import type { MutualIdentity } from '../../api/mutual-identity.ts'
import { API_VERSION } from '../../api/names.ts'
import { eventType, type Reason } from '../../api/reason.ts'
import type { Clock } from '../../base/clock.ts'
import { OperatorError } from '../../base/errors.ts'
import { isNotFound } from '../../k8s/errors.ts'
import type { Recorder } from '../../k8s/events.ts'
import type { Next, Pass } from '../../runtime/controller.ts'
import type { Caches } from '../caches.ts'
import { reasonOf } from '../readiness.ts'
import { observeRestart } from './observe.ts'
import type { Pace } from './pace.ts'
import { performRestart, type RestartWriter } from './perform.ts'
import { planRestart, type RestartPlan, type RestartStep } from './plan.ts'

export interface RestartDeps extends RestartWriter {
  readonly caches: Caches
  readonly clock: Clock
  readonly events: Recorder
  readonly pace: Pace
}

/** One pass over the identity of a key (`namespace/name`). */
export async function reconcileRestart(pass: Pass, deps: RestartDeps): Promise<Next> {
  const [namespace = '', name = ''] = pass.key.split('/')
  const identity = deps.caches.identities.get(namespace, name)
  const plan = identity && planRestart(observeRestart(identity, deps.caches, deps.pace), deps.clock.now())
  if (plan?.step.kind !== 'restart') deps.pace.leave(pass.key)
  switch (plan?.step.kind) {
    case undefined:
    case 'none':
      return { at: plan?.at }
    case 'tell':
      return tell(plan, identity as MutualIdentity, deps)
    case 'restart': {
      const wait = deps.pace.turn(pass.key, deps.clock.monotonic())
      if (wait > 0) return { at: deps.clock.now() + wait }
      await restart(plan.step, identity as MutualIdentity, pass, deps)
      // There may be others.
      return { at: deps.clock.now() }
    }
  }
}

async function restart(
  { workload, serialNumber }: RestartStep & { kind: 'restart' },
  identity: MutualIdentity,
  pass: Pass,
  deps: RestartDeps,
): Promise<void> {
  const { clock, pace } = deps
  const what = `${workload.kind} ${workload.name}`
  const restarted = { serialNumber, at: clock.now() }
  pace.tried(workload.uid, clock.monotonic())
  try {
    await performRestart(workload, restarted, deps)
  } catch (error) {
    if (isTold(error)) {
      const note = `${what} was not restarted for certificate ${serialNumber}: ${error.message}`
      announce(identity, reasonOf(error), note, deps)
    }
    throw error
  }
  pace.tried(workload.uid, clock.monotonic(), restarted)
  pass.log.info('workload restarted', { reason: 'Restarted', workload: what, serialNumber })
  announce(identity, 'Restarted', `${what} was restarted for certificate ${serialNumber}`, deps)
}

/** Lists may still be under way when a term begins. */
async function tell({ reason, message }: RestartPlan, identity: MutualIdentity, deps: RestartDeps): Promise<Next> {
  const left = deps.pace.graceLeft(deps.clock.monotonic())
  if (left > 0) return { at: deps.clock.now() + left }
  announce(identity, reason, message, deps)
  throw new OperatorError('blocked', reason, message)
}

/** Missing rights, a policy that refuses, a workload that is gone. Conflicts and lost connections pass by themselves. */
function isTold(error: unknown): error is OperatorError {
  return error instanceof OperatorError && (error.consequence === 'blocked' || isNotFound(error))
}

function announce({ namespace, name, uid }: MutualIdentity, reason: Reason, note: string, { events }: RestartDeps): void {
  const regarding = { apiVersion: API_VERSION, kind: 'MutualIdentity', namespace, name, uid }
  void events.record({ regarding, type: eventType(reason), reason, action: 'Restart', note })
}
