// Asks the API server for its version, and looks at its clock on the way.

import type { Clock, Instant } from '../base/clock.ts'
import { errorFromReply } from '../k8s/errors.ts'
import type { Transport } from '../k8s/transport.ts'

export interface ServerProbe {
  /** `v1.37.2`. */
  readonly version: string
  /** Its Date header, cut to the second; undefined: a proxy took it away. */
  readonly date: Instant | undefined
  /** By this machine's clock, before the request and after the answer. */
  readonly askedAt: Instant
  readonly answeredAt: Instant
}

const DEADLINE_MS = 15_000

/** Rejects with an ApiError. */
export async function probeServer(transport: Transport, clock: Clock): Promise<ServerProbe> {
  const askedAt = clock.now()
  const reply = await transport.request({ method: 'GET', verb: 'get', resource: 'version', path: '/version', deadlineMs: DEADLINE_MS })
  const answeredAt = clock.now()
  const text = await reply.text()
  if (reply.status >= 300) throw errorFromReply(reply.status, text, reply.retryAfterMs)
  return { version: versionIn(text), date: reply.date, askedAt, answeredAt }
}

function versionIn(text: string): string {
  try {
    const { gitVersion } = JSON.parse(text) as { gitVersion?: unknown }
    return typeof gitVersion === 'string' ? gitVersion : 'unknown'
  } catch {
    return 'unknown'
  }
}
