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

/** How messages name a collection: `secrets`, `mutualidentities.mutualidentity.io`. */
export const collectionName = ({ plural, group }: { readonly plural: string; readonly group: string }): string =>
  group === '' ? plural : `${plural}.${group}`

/** How messages name a kind: `Secret`, `MutualIdentity.mutualidentity.io`. */
export const kindName = ({ kind, group }: { readonly kind: string; readonly group: string }): string =>
  group === '' ? kind : `${kind}.${group}`

export const notFound = (collection: string, name: string): Failure => new Failure(404, 'NotFound', `${collection} "${name}" not found`)
export const notServed = (): Failure => new Failure(404, 'NotFound', 'the server could not find the requested resource')
export const badRequest = (message: string): Failure => new Failure(400, 'BadRequest', message)
/** Errors that the server has no reason for. */
export const internal = (message: string): Failure => new Failure(500, '', message)

const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again'

export const conflict = (of: string, name: string, why = MODIFIED): Failure =>
  new Failure(409, 'Conflict', `Operation cannot be fulfilled on ${of} "${name}": ${why}`)

/** One cause of a 422. */
export interface Violation {
  readonly reason: `FieldValue${'Required' | 'Invalid' | 'NotSupported' | 'TypeInvalid' | 'TooLong' | 'TooMany' | 'Duplicate' | 'Forbidden'}`
  readonly field: string
  readonly message: string
}

export const violation = (reason: Violation['reason'], field: string, message: string): Violation => ({ reason, field, message })

/** `of` is what kindName says. */
export function invalid(of: string, name: string, causes: readonly Violation[]): Failure {
  const texts = causes.map(({ field, message }) => `${field}: ${message}`)
  const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  return new Failure(422, 'Invalid', `${of} "${name}" is invalid: ${text}`, { causes })
}
