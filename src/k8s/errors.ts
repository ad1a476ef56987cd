// What can go wrong at the API server, as one error with a consequence (one table), and the questions callers ask of it.
// Thrown by transport, client and watch; never holds headers, request bodies or more of a reply than its Status message.

import { type Consequence, OperatorError } from '../base/errors.ts'

/** metav1.Status.details.causes. */
export interface StatusCause {
  readonly reason?: string
  readonly message?: string
  readonly field?: string
}

/**
 * What happened where there is no Status from the server:
 * - `NotSent`: nothing of the request left this machine: no connection (refused, unknown host, TLS), or none was free in time;
 * - `TimedOut`: sent, and no whole answer came in time: it may have been carried out;
 * - `ConnectionLost`: sent, and the connection broke before the whole answer came: it may have been carried out;
 * - `AnswerTooLarge`: more came than is taken in at once (32 MiB); the rest was not read. Ask for less;
 * - `UnreadableReply`: an answer came that is not what the protocol says (no JSON, a watch line that does not parse);
 * - `Cancelled`: the caller's signal aborted, or the transport was closed.
 */
export type LocalStatus = 'NotSent' | 'TimedOut' | 'ConnectionLost' | 'AnswerTooLarge' | 'UnreadableReply' | 'Cancelled'

/** The reasons an ApiError gives to conditions, logs and metrics: a closed list, unlike Status.reason. */
export type ApiReason =
  | LocalStatus
  | 'Unauthorized'
  | 'Forbidden'
  | 'NamespaceTerminating'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Expired'
  | 'Invalid'
  | 'RefusedByAdmission'
  | 'RequestTooLarge'
  | 'BadRequest'
  | 'Throttled'
  | 'ServerError'

/** By the reason, what happens next. 404 and 409 are mostly handled by the caller; where not, the caches catch up and the next pass knows. */
const CONSEQUENCES: Readonly<Record<ApiReason, Consequence>> = {
  NotSent: 'retry',
  TimedOut: 'retry',
  ConnectionLost: 'retry',
  AnswerTooLarge: 'retry',
  UnreadableReply: 'retry',
  Cancelled: 'retry',
  Unauthorized: 'retry', // also what a server says that is just starting
  Forbidden: 'blocked', // rights, quota: a person changes them
  NamespaceTerminating: 'blocked', // waits for the namespace to go
  NotFound: 'retry',
  AlreadyExists: 'retry',
  Conflict: 'retry',
  Expired: 'retry',
  Invalid: 'blocked', // validation and admission policies alike say 422; a person reads the message
  RefusedByAdmission: 'blocked',
  RequestTooLarge: 'blocked', // the server, a proxy before it, or a policy sets the limit
  BadRequest: 'bug',
  Throttled: 'retry',
  ServerError: 'retry',
}

/** An API call that failed. `code` is the HTTP status, 0 where there was no whole answer; `status` is Status.reason or a LocalStatus. */
export class ApiError extends OperatorError {
  readonly code: number
  readonly status: string
  readonly causes: readonly StatusCause[]

  constructor(
    reason: ApiReason,
    options: { code: number; status: string; message: string; causes?: readonly StatusCause[]; after?: number; cause?: unknown },
  ) {
    super(CONSEQUENCES[reason], reason, options.message, {
      ...(options.after === undefined ? {} : { after: options.after }),
      ...(options.cause === undefined ? {} : { cause: options.cause }),
    })
    this.code = options.code
    this.status = options.status
    this.causes = options.causes ?? []
  }
}

/** An error of this side of the line. `what` names the call (`GET secrets shop/web`). */
export function localError(status: LocalStatus, message: string, cause?: unknown): ApiError {
  return new ApiError(status, { code: 0, status, message, cause })
}

/** The longest server message that is passed on, in characters. */
const MAX_MESSAGE = 1024

/**
 * The error for an answer of the API server. `body` is the text of the answer (a metav1.Status, or whatever a proxy said, which is not passed on).
 * `retryAfterMs` is the Retry-After header.
 */
export function errorFromReply(code: number, body: string, retryAfterMs: number | undefined): ApiError {
  return errorFromStatus(parseStatus(body), code, retryAfterMs)
}

/** The error for a metav1.Status, as in the ERROR event of a watch; `fallbackCode` where the Status has none. */
export function errorFromStatus(status: unknown, fallbackCode: number, retryAfterMs?: number): ApiError {
  const { code = fallbackCode, reason = '', message = `the API server answered ${fallbackCode}`, details } = readStatus(status)
  const causes = details.causes
  const after = retryAfterMs ?? (details.retryAfterSeconds === undefined ? undefined : details.retryAfterSeconds * 1000)
  return new ApiError(reasonOf(code, reason, message, causes), {
    code,
    status: reason,
    message: presentable(message),
    causes,
    ...(after === undefined ? {} : { after }),
  })
}

/**
 * A message of the API server without what it echoes: a patch that does not decode comes back as `Invalid value: "{...the whole object}"`, and the
 * object may be a Secret. Short values of single fields stay, they help.
 */
function presentable(message: string): string {
  return message
    .replace(ECHO, leaveOut)
    .replace(/, error found in #[\s\S]*$/, '')
    .slice(0, MAX_MESSAGE)
}

const ECHO = /(Invalid|Unsupported|Duplicate) value: ("(?:[^"\\]|\\.)*"?|[{[][\s\S]*|\S+)/g
const MAX_ECHO = 100

function leaveOut(whole: string, kind: string, value: string): string {
  return value.length > MAX_ECHO || /^"?[{[]/.test(value) ? `${kind} value (left out)` : whole
}

function reasonOf(code: number, status: string, message: string, causes: readonly StatusCause[]): ApiReason {
  if (/^admission webhook "/.test(message)) return 'RefusedByAdmission'
  // Strict validation says 400 to a create, 422 to a patch and 500 to an apply.
  if (/strict decoding error|^failed to create typed patch object/.test(message)) return 'BadRequest'
  if (code === 403 && causes.some((cause) => cause.reason === 'NamespaceTerminating')) return 'NamespaceTerminating'
  if (code === 409) return status === 'AlreadyExists' ? 'AlreadyExists' : 'Conflict'
  const reason = REASONS[code]
  if (reason !== undefined) return reason
  return code >= 500 ? 'ServerError' : 'BadRequest'
}

const REASONS: Readonly<Record<number, ApiReason>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  410: 'Expired',
  413: 'RequestTooLarge',
  422: 'Invalid',
  429: 'Throttled',
}

function parseStatus(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

interface StatusFields {
  readonly code?: number
  readonly reason?: string
  readonly message?: string
  readonly details: { readonly causes: readonly StatusCause[]; readonly retryAfterSeconds?: number }
}

/** Takes what is of the right type out of something that should be a Status. */
function readStatus(value: unknown): StatusFields {
  const status = asRecord(value)
  if (status?.kind !== 'Status') return { details: { causes: [] } }
  const details = asRecord(status.details)
  const causes = Array.isArray(details?.causes) ? details.causes.map(readCause) : []
  return {
    ...(typeof status.code === 'number' ? { code: status.code } : {}),
    ...(typeof status.reason === 'string' ? { reason: status.reason } : {}),
    ...(typeof status.message === 'string' && status.message !== '' ? { message: status.message } : {}),
    details: { causes, ...(typeof details?.retryAfterSeconds === 'number' ? { retryAfterSeconds: details.retryAfterSeconds } : {}) },
  }
}

function readCause(value: unknown): StatusCause {
  const cause = asRecord(value)
  return {
    ...(typeof cause?.reason === 'string' ? { reason: cause.reason } : {}),
    ...(typeof cause?.message === 'string' ? { message: presentable(cause.message) } : {}),
    ...(typeof cause?.field === 'string' ? { field: cause.field } : {}),
  }
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
}

const hasReason = (error: unknown, reason: ApiReason): boolean => error instanceof ApiError && error.reason === reason

export const isNotFound = (error: unknown): boolean => hasReason(error, 'NotFound')
export const isForbidden = (error: unknown): boolean => hasReason(error, 'Forbidden')
export const isAlreadyExists = (error: unknown): boolean => hasReason(error, 'AlreadyExists')
/** The resourceVersion or uid that was sent is not the object's any more. */
export const isConflict = (error: unknown): boolean => hasReason(error, 'Conflict')
/** A version or continue token that the server has forgotten (410): list again. */
export const isGone = (error: unknown): boolean => hasReason(error, 'Expired')
export const isNamespaceTerminating = (error: unknown): boolean => hasReason(error, 'NamespaceTerminating')
/** Sent, and no answer came: it may have been carried out. */
export const isConnectionLost = (error: unknown): boolean => hasReason(error, 'ConnectionLost')
/** The caller's own signal, or the end of the transport. */
export const isCancelled = (error: unknown): boolean => hasReason(error, 'Cancelled')
/** The same question for fewer objects may be answered. */
export const isAnswerTooLarge = (error: unknown): boolean => hasReason(error, 'AnswerTooLarge')
/** A watch line or reply that does not parse: what it said is lost, so list again. */
export const isUnreadable = (error: unknown): boolean => hasReason(error, 'UnreadableReply')

/** The server has not seen this resourceVersion yet (another server, or a restored etcd): wait, or list again without one. */
export function isTooLargeResourceVersion(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false
  return error.causes.some((cause) => cause.reason === 'ResourceVersionTooLarge') || error.message.startsWith('Too large resource version')
}
