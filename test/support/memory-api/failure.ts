// What the API server in memory answers when it refuses: a metav1.Status. Thrown by everything behind the router, caught there.

/** metav1.Status.details, as far as it is read. */
export interface FailureDetails {
  readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[]
  readonly retryAfterSeconds?: number
}

/** A refusal. */
export class Failure extends Error {
  readonly code: number
  readonly reason: string
  readonly details: FailureDetails

  constructor(code: number, reason: string, message: string, details: FailureDetails = {}) {
    super(message)
    this.code = code
    this.reason = reason
    this.details = details
  }
}

/** The Status object of a refusal. */
export function statusOf({ code, reason, message, details }: Pick<Failure, 'code' | 'reason' | 'message' | 'details'>): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details, code }
}

export const notFound = (plural: string, name: string): Failure => new Failure(404, 'NotFound', `${plural} "${name}" not found`)

export const conflict = (plural: string, name: string, why = 'the object has been modified'): Failure =>
  new Failure(409, 'Conflict', `Operation cannot be fulfilled on ${plural} "${name}": ${why}`)

export function invalid(kind: string, name: string, violations: readonly string[]): Failure {
  const causes = violations.map((violation) => ({
    reason: 'FieldValueInvalid',
    message: violation,
    field: violation.split(':', 1)[0] ?? '',
  }))
  return new Failure(422, 'Invalid', `${kind} "${name}" is invalid: ${violations.join(', ')}`, { causes })
}
