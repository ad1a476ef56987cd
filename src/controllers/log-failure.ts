// The log line of a step that failed. Used by the controllers whose passes report failures.

import { consequenceOf, messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { isOldNews, type ReportedStatus, reasonOf } from './readiness.ts'

/** `status`: as it was before this pass. A bug is logged with its stack by the loop, to which it is thrown once it was reported. */
export function logFailure(error: unknown, status: ReportedStatus, log: Log): void {
  if (consequenceOf(error) === 'bug') return
  log[isOldNews(status, error) ? 'debug' : 'warn']('step failed', { reason: reasonOf(error), detail: messageOf(error) })
}
