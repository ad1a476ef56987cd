// One HTTP request to the API server and its answer, as plain types between client, transport and exchange.

import type { Instant } from '../base/instant.ts'

/** One HTTP request. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** The Kubernetes verb (get, list, watch, create, update, patch, delete), for samples and messages. */
  readonly verb: string
  /** Plural of the resource, for samples and messages. */
  readonly resource: string
  /** Percent-encoded, without the path of the server's URL. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: string
  /** Of the body; application/json unless given. */
  readonly contentType?: string
  /** From now to the end of the answer (of a stream: to its head), with the wait for a free connection. */
  readonly deadlineMs: number
  /** Makes it a stream: an answer of 2xx is handed out as lines while it comes; silence for so long breaks it. */
  readonly idleMs?: number
  readonly signal?: AbortSignal
  /** Called when a connection takes it, which may be long after the call; where that aborts the signal, it is not sent. */
  readonly beforeSending?: () => void
}

/** An answer of whatever status. Of a stream only the head is there yet, of everything else the whole body. */
export interface Reply {
  readonly status: number
  /** Milliseconds of the Retry-After header. */
  readonly retryAfterMs: number | undefined
  /** The Date header, cut to the second (RFC 9110 s. 6.6.1): the clock of whoever answered. */
  readonly date?: Instant | undefined
  /** The whole body. Rejects with an ApiError. */
  text(): Promise<string>
  /** The body line by line, without the line ends and empty lines. Throws an ApiError when it breaks, with an incomplete last line too. */
  lines(): AsyncIterable<string>
}
