// Errors are named by what happens next. Whoever throws decides that once, here; the controller loop and the reports read it.
// A plain Error that reaches the loop is a bug by definition.

/**
 * What happens next:
 * - `retry`: a passing fault (network, conflict, throttling); tried again after a while, or after `after`;
 * - `blocked`: waits for a person or another object; shown as a condition, tried again when something changes, seldom by itself;
 * - `bug`: our mistake; logged with its stack, backed off.
 */
export type Consequence = 'retry' | 'blocked' | 'bug'

/** An error with a consequence. `reason` is PascalCase and becomes condition reason, log field and metric label. `message` may be shown to people: never key material. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError'
  readonly consequence: Consequence
  readonly reason: string
  /** Milliseconds that must pass before the next try (Retry-After). */
  readonly after: number | undefined

  constructor(consequence: Consequence, reason: string, message: string, options: { after?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.consequence = consequence
    this.reason = reason
    this.after = options.after
  }
}

/** What happens next after any thrown value. */
export function consequenceOf(error: unknown): Consequence {
  return error instanceof OperatorError ? error.consequence : 'bug'
}

/** The message of an error for statuses and events: one that nobody wrote for people (a bug of ours) may hold what must not be shown. */
export function publicMessageOf(error: unknown): string {
  return error instanceof OperatorError ? error.message : 'this program made a mistake; its log has the stack'
}

/** The message of any thrown value, for logs. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
