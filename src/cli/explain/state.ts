// How an object stands and a failure are told, alike for identities and authorities. Pure.

import type { LastFailure } from '../../api/reading-status.ts'
import { isReason } from '../../api/reason.ts'
import type { Readiness, ReportedStatus } from '../../controllers/readiness.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import type { Style } from '../output/colour.ts'
import type { Cell } from '../output/table.ts'

const STYLES: Readonly<Record<Readiness['state'], Style>> = { ready: 'good', waiting: 'waiting', refused: 'bad' }

export function stateCell({ state, reason, message }: Pick<Readiness, 'state' | 'message'> & { readonly reason: string }): Cell {
  return { text: `${state}: ${reason}: ${message}`, style: STYLES[state] }
}

export function failureText({ reason, message, at, attempts, nextAttemptAt }: LastFailure): string {
  return `${reason}: ${message} (attempt ${attempts} at ${at}, next at ${nextAttemptAt})`
}

type Plan = { readonly readiness: Readiness; readonly held: boolean; readonly step: { readonly kind: string } }

/**
 * How an object stands now. A plan says how it will stand once its step is done: where a failure holds that back, the status says how it stands until
 * then.
 */
export function standingOf({ readiness, held }: Plan, { conditions }: ReportedStatus): Readiness {
  const ready = held ? conditions.find(({ type }) => type === 'Ready') : undefined
  if (!ready || !isReason(ready.reason)) return readiness
  const stalled = conditions.some(({ type, status }) => type === 'Stalled' && status === 'True')
  return { state: ready.status === 'True' ? 'ready' : stalled ? 'refused' : 'waiting', reason: ready.reason, message: ready.message }
}

/** Good is ready with nothing to do. */
export function exitOf(plan: Plan, standing: Pick<Readiness, 'state'>): ExitCode {
  if (standing.state === 'refused') return EXIT.refused
  return standing.state === 'ready' && plan.step.kind === 'none' && !plan.held ? EXIT.good : EXIT.waiting
}
