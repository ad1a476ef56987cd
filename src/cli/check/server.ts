// The API server: does it answer, is it new enough, does its clock agree with this machine's. Pure judgements over one probe.

import { type Duration, formatDuration, minutes, seconds } from '../../base/duration.ts'
import type { ServerProbe } from '../server-version.ts'
import { bad, type CheckFinding, good, warning } from './finding.ts'

/** ValidatingAdmissionPolicy v1 (KEP-3488) came with 1.30; the CEL of our kinds (messageExpression, fieldPath) is older. */
const OLDEST_MINOR = 30
/** Certificates begin a little in the past, so that clocks may differ by a minute; below five seconds nobody notices. */
const NOTICED: Duration = seconds(5)
const TOLERATED: Duration = minutes(1)
/** The Date header is cut to the second. */
const SECOND = 1_000

export function versionFinding(version: string): CheckFinding {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? []
  const remedy = `use Kubernetes 1.${OLDEST_MINOR} or newer`
  if (major === undefined || minor === undefined) return warning(`API server says version ${version}, which tells nothing`, remedy)
  const isNew = Number(major) > 1 || Number(minor) >= OLDEST_MINOR
  return isNew ? good(`API server is ${version}`) : bad(`API server is ${version}, older than 1.${OLDEST_MINOR}`, remedy)
}

export function clockFinding({ date, askedAt, answeredAt }: Pick<ServerProbe, 'date' | 'askedAt' | 'answeredAt'>): CheckFinding {
  if (date === undefined)
    return warning('clock of the API server: unknown, the answer had no Date', 'look whether a proxy takes headers away')
  const ahead = Math.max(0, date - answeredAt)
  const behind = Math.max(0, askedAt - (date + SECOND))
  const skew = Math.max(ahead, behind)
  if (skew < NOTICED) return good('clock of this machine agrees with the API server')
  const text = `clock of the API server is ${formatDuration(skew)} ${ahead > 0 ? 'ahead of' : 'behind'} this machine`
  const remedy = 'set both clocks by NTP: certificates begin and end by them'
  return skew > TOLERATED ? bad(text, remedy) : warning(text, remedy)
}
