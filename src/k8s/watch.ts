// One watch: its request, and its lines as events or the errors they stand for. Used by the client. Starts nothing again.

import { errorFromReply, errorFromStatus, localError } from './errors.ts'
import { withoutManagedFields } from './managed-fields.ts'
import { type RawObject, type Resource, resourcePath } from './resource.ts'
import type { Transport } from './transport.ts'

export interface WatchOptions {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly resourceVersion: string
  /** The server ends the watch after so many seconds. */
  readonly timeoutSeconds: number
  /** Silence that counts as a broken connection, milliseconds. */
  readonly idleMs: number
  readonly signal: AbortSignal
}

/** A BOOKMARK's object has only metadata.resourceVersion (and annotations). */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: RawObject
}

/** From the request to the head of the answer. */
const HEAD_MS = 15_000

export async function* watch(transport: Transport, resource: Resource, options: WatchOptions): AsyncGenerator<WatchEvent> {
  const { namespace, labelSelector, fieldSelector, resourceVersion, timeoutSeconds, idleMs, signal } = options
  const reply = await transport.request({
    method: 'GET',
    verb: 'watch',
    resource: resource.plural,
    path: resourcePath(resource, namespace),
    query: {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion,
      timeoutSeconds: String(Math.ceil(timeoutSeconds)),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    },
    deadlineMs: HEAD_MS,
    idleMs,
    signal,
  })
  if (reply.status >= 300) throw errorFromReply(reply.status, await reply.text(), reply.retryAfterMs)
  for await (const line of reply.lines()) yield readWatchEvent(line, resource.plural)
}

/** Throws an ApiError: what an ERROR event says (isGone, isTooLargeResourceVersion, ...), isUnreadable for a line that is no event. */
function readWatchEvent(line: string, plural: string): WatchEvent {
  const event = parse(line) as { type?: unknown; object?: { metadata?: unknown } } | null | undefined
  if (event?.type === 'ERROR') throw errorFromStatus(event.object, 500)
  if (isChange(event?.type) && typeof event?.object?.metadata === 'object' && event.object.metadata !== null) return event as WatchEvent
  // The line itself may hold a Secret: it must not go into the message.
  throw localError('UnreadableReply', `watch ${plural}: a line of ${line.length} characters that is no event`)
}

function parse(line: string): unknown {
  const short = withoutManagedFields(line)
  return parsed(short) ?? (short === line ? undefined : parsed(line))
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function isChange(type: unknown): type is WatchEvent['type'] {
  return type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK'
}
