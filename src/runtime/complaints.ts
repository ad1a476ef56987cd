// Says of each failing key once what is wrong with it, at the level it deserves, and once that it is well again.
// Used by the controller, which is the one place that logs the errors of passes. Decides nothing but the level.

import type { Clock } from '../base/clock.ts'
import { consequenceOf, messageOf, OperatorError } from '../base/errors.ts'
import type { Log, LogFields, LogLevel } from '../base/log.ts'

/** An unchanged complaint is repeated at its own level after so long, in case the first has been rotated away. */
const REPEAT_MS = 3_600_000
/** A conflict or a lost connection is no news when the next tries succeed. */
const QUIET_RETRIES = 2

interface Complaint {
  readonly text: string
  readonly level: LogLevel
  readonly at: number
}

/**
 * Levels: `blocked` warns at once; `retry` is information for the first two failures, then a warning; a bug is an error with its stack.
 * The same reason and message of the same key again is at debug for an hour.
 */
export class Complaints {
  readonly #clock: Clock
  readonly #said = new Map<string, Complaint>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The pass of `key` threw `error`, for the `attempts`th time in a row. */
  failed(key: string, error: unknown, attempts: number, log: Log): void {
    const consequence = consequenceOf(error)
    const level = consequence === 'bug' ? 'error' : consequence === 'blocked' || attempts > QUIET_RETRIES ? 'warn' : 'info'
    const reason = error instanceof OperatorError ? error.reason : 'InternalError'
    const text = `${reason}: ${messageOf(error)}`
    const said = this.#said.get(key)
    const now = this.#clock.monotonic()
    const isNew = said?.text !== text || said.level !== level || now - said.at >= REPEAT_MS
    if (isNew) this.#said.set(key, { text, level, at: now })
    const fields: LogFields = { reason, error: messageOf(error), attempts }
    if (consequence === 'bug' && error instanceof Error && error.stack !== undefined) fields.stack = error.stack
    log[isNew ? level : 'debug'](MESSAGES[consequence], fields)
  }

  /** The pass of `key` succeeded. */
  worked(key: string, log: Log): void {
    const said = this.#said.get(key)
    if (said === undefined) return
    this.#said.delete(key)
    if (said.level !== 'info') log.info('works again', { detail: `was ${said.text}` })
  }
}

const MESSAGES = {
  retry: 'failed, will try again',
  blocked: 'waits for a change',
  bug: 'failed because of a defect in this program',
} as const
