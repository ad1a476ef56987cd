// How the parsers of this layer say no: one error per rule, with the value, the rule and what to write instead.
// Used by the parsers of names beside it. Never for key material: the value is quoted.

import { OperatorError } from '../base/errors.ts'

/** Longest part of a refused value that is repeated in a message. */
const MAX_QUOTED = 80

/** What a parser refused. `remedy` completes the sentence "...: <remedy>". */
export interface Refusal {
  readonly reason: string
  /** What the value should have been: `trust domain`. */
  readonly what: string
  readonly value: string
  /** What the value does wrong: `holds upper case letters`. */
  readonly rule: string
  readonly remedy: string
}

/** The error of a refused value: it waits for a person (`blocked`). */
export function refuse({ reason, what, value, rule, remedy }: Refusal): OperatorError {
  return new OperatorError('blocked', reason, `${what} ${quote(value)} ${rule}: ${remedy}`)
}

/** JSON quoting shows control characters and look-alike blanks; long values are cut. */
function quote(value: string): string {
  return value.length > MAX_QUOTED ? `${JSON.stringify(value.slice(0, MAX_QUOTED))}... (${value.length} characters)` : JSON.stringify(value)
}
