// One line of a watch as an event, or the error it stands for. Used by the client. Pure.

import { errorFromStatus, localError } from './errors.ts'
import type { RawObject } from './resource.ts'

/** A BOOKMARK's object has only metadata.resourceVersion (and annotations). */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: RawObject
}

/** Throws an ApiError: what an ERROR event says (isGone, isTooLargeResourceVersion, ...), isUnreadable for a line that is no event. */
export function readWatchEvent(line: string, plural: string): WatchEvent {
  const event = parse(line) as { type?: unknown; object?: { metadata?: unknown } } | null | undefined
  if (event?.type === 'ERROR') throw errorFromStatus(event.object, 500)
  if (isChange(event?.type) && typeof event?.object?.metadata === 'object' && event.object.metadata !== null) return event as WatchEvent
  // The line itself may hold a Secret: it must not go into the message.
  throw localError('UnreadableReply', `watch ${plural}: a line of ${line.length} characters that is no event`)
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function isChange(type: unknown): type is WatchEvent['type'] {
  return type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK'
}
