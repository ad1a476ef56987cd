// How a readiness and a failure are told, alike for identities and authorities. Pure.

import type { LastFailure } from '../../api/reading-status.ts'
import type { Readiness } from '../../controllers/readiness.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import type { Style } from '../output/colour.ts'
import type { Cell } from '../output/table.ts'

const STYLES: Readonly<Record<Readiness['state'], Style>> = { ready: 'good', waiting: 'waiting', refused: 'bad' }

export function stateCell({ state, reason, message }: Readiness): Cell {
  return { text: `${state}: ${reason}: ${message}`, style: STYLES[state] }
}

export function failureText({ reason, message, at, attempts, nextAttemptAt }: LastFailure): string {
  return `${reason}: ${message} (attempt ${attempts} at ${at}, next at ${nextAttemptAt})`
}

/** Of a plan: good is ready with nothing to do. */
export function exitOf(plan: { readonly readiness: Readiness; readonly step: { readonly kind: string } }): ExitCode {
  if (plan.readiness.state === 'refused') return EXIT.refused
  return plan.readiness.state === 'ready' && plan.step.kind === 'none' ? EXIT.good : EXIT.waiting
}
