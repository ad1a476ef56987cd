// One verb of the API as a call with its retries and its decoded answer. Used by the client's verbs.
// Messages quote nothing of an answer.

import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Call, Reply } from './call.ts'
import { errorFromReply, localError } from './errors.ts'
import type { RawObject } from './resource.ts'
import { isVersion } from './resource-version.ts'
import { withRetries } from './retry.ts'
import type { Transport } from './transport.ts'

/** What every call may be given. */
export interface CallOptions {
  /** Ends the call and its waits with a `Cancelled`. */
  readonly signal?: AbortSignal
  /** Over all tries, milliseconds; default 30 s (60 s for a page of a list). */
  readonly deadlineMs?: number
  /** See Call; before each try. */
  readonly beforeSending?: () => void
}

/** What a verb asks for. */
export interface Request<T> {
  readonly call: Omit<Call, 'deadlineMs' | 'signal'>
  /** See RetryOptions. */
  readonly repeatable: boolean
  /** Runs within a try, so that an unreadable answer is repeated like a lost one. */
  readonly decode: (reply: Reply) => Promise<T>
  /** Of one try; default 15 s. */
  readonly tryMs?: number
}

export type Perform = <T>(request: Request<T>, options?: CallOptions) => Promise<T>

const DEADLINE_MS = 30_000
const TRY_MS = 15_000

export function createPerform(transport: Transport, clock: Clock, random: Random): Perform {
  return ({ call, repeatable, decode, tryMs = TRY_MS }, { signal, deadlineMs = DEADLINE_MS, beforeSending } = {}) => {
    const given = { ...(signal === undefined ? {} : { signal }), ...(beforeSending === undefined ? {} : { beforeSending }) }
    return withRetries({ clock, random, repeatable, deadlineMs, tryMs, signal }, async (timeLeft) => {
      const reply = await transport.request({ ...call, ...given, deadlineMs: timeLeft })
      if (reply.status >= 300) throw errorFromReply(reply.status, await reply.text(), reply.retryAfterMs)
      return await decode(reply)
    })
  }
}

/** The answer as a JSON object; throws isUnreadable. */
export async function decodeJson(reply: Reply): Promise<Record<string, unknown>> {
  const text = await reply.text()
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // JSON.parse quotes what it could not read, so its message must not go on.
  }
  throw localError('UnreadableReply', `the API server answered ${reply.status} with something that is not a JSON object`)
}

/** The answer as an object with metadata; throws isUnreadable. */
export async function decodeObject(reply: Reply): Promise<RawObject> {
  const value = await decodeJson(reply)
  if (typeof value.metadata !== 'object' || value.metadata === null) {
    throw localError('UnreadableReply', 'the API server answered with an object without metadata')
  }
  return value as RawObject
}

/** The answer as an object that is stored: it has a name and a version. What has none would be written again and again, since no cache takes it. */
export async function decodeStored(reply: Reply): Promise<RawObject> {
  const object = await decodeObject(reply)
  if (typeof object.metadata.name === 'string' && isVersion(object.metadata.resourceVersion)) return object
  throw localError('UnreadableReply', 'the API server answered with an object without name or resourceVersion')
}
