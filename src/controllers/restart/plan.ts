// What to restart for an identity, and when: pure. The first check that fires gives the step.
//
//   certificate issued --SETTLED--> restart --an hour--> restart for whatever certificate is the present one then

import type { Reason } from '../../api/reason.ts'
import type { LeafFacts } from '../../api/stored/leaf-secret.ts'
import type { Restarted, Workload } from '../../api/stored/workload.ts'
import { type Duration, hours, minutes } from '../../base/duration.ts'
import { formatInstant, type Instant } from '../../base/instant.ts'
import { backdating } from '../../pki/profile.ts'
import type { RestartCandidate, RestartFacts } from './facts.ts'

/**
 * How long after its issue a certificate is restarted for. A kubelet took up to 86 s to bring a changed Secret into a running pod, but a new pod
 * waits for no such round: its kubelet reads the Secret anew, or from a watch that is seconds behind. So two minutes are ample, and more would
 * bring nothing. They cost nothing either - there are hours until the end - while a pod that began with the old files would run into theirs.
 * And what is reissued several times in a row, as Services are added, costs one restart.
 */
const SETTLED = minutes(2)
/** Of a life of less than 20 minutes not more than this part, or the end would come first. */
const SETTLED_PART = 0.1
/** Pods wait for their Secret, so the first certificate is the one that they start with. A minute: two clocks, the operator's and the API server's. */
const FIRST_WITHIN = minutes(1)
/** A workload is restarted at most so often, whatever is renewed. */
const REST = hours(1)

export type RestartStep =
  | { readonly kind: 'none' }
  | { readonly kind: 'restart'; readonly workload: Workload; readonly serialNumber: string }
  /** Something that a person must change keeps it from being known what to restart. */
  | { readonly kind: 'tell' }

export interface RestartPlan {
  readonly step: RestartStep
  readonly reason: Reason
  readonly message: string
  /** When something becomes due without an event; undefined: never. */
  readonly at: Instant | undefined
}

/** Total and pure. At most one restart a plan. */
export function planRestart(facts: RestartFacts, now: Instant): RestartPlan {
  const { identity, unreadable } = facts
  if (!identity.spec.restart.onRenewal) return nothing('spec.restart.onRenewal is not set')
  if (identity.deleting || identity.problem !== undefined) return nothing('the identity is going away, or its spec cannot be used')
  if (facts.namespaceTerminating) return nothing('the namespace is going away')
  const leaf = servingLeaf(facts)
  if (typeof leaf === 'string') return nothing(leaf)
  if (leaf.notAfter <= now) return nothing('the certificate has ended: a restart would not help')
  const due = facts.candidates.map((candidate) => ({ candidate, at: dueAt(candidate, leaf, facts, now) }))
  const [next] = due.filter(({ at }) => at !== undefined && at <= now).sort((a, b) => triedAt(a) - triedAt(b))
  if (next) return restart(next.candidate.workload, leaf)
  if (unreadable.length > 0) {
    const message = `${unreadable.map((kind) => `${kind}s`).join(', ')} cannot be listed: the operator’s account lacks the rights for restarts (the chart's value restartWorkloads gives them; files/rights/restart.yaml)`
    return { step: { kind: 'tell' }, reason: 'WorkloadsUnreadable', message, at: undefined }
  }
  const later = due.flatMap(({ at }) => (at === undefined ? [] : [at]))
  if (later.length === 0) return nothing('no workload has a reason to be restarted')
  const at = Math.min(...later)
  return { ...nothing(`${later.length} workloads are restarted later, the first at ${formatInstant(at)}`), at }
}

function restart(workload: Workload, { serialNumber }: LeafFacts): RestartPlan {
  const message = `${workload.kind} ${workload.name} is restarted for certificate ${serialNumber}`
  return { step: { kind: 'restart', workload, serialNumber }, reason: 'Restarted', message, at: undefined }
}

function nothing(message: string): RestartPlan {
  return { step: { kind: 'none' }, reason: 'Current', message, at: undefined }
}

/** Those that were not tried yet come first: one that the API server refuses must not hold up the others. */
const triedAt = ({ candidate }: { candidate: RestartCandidate }): number => candidate.triedAt ?? -1

/**
 * The leaf that programs are to load, or why there is none: in a Secret that is this very identity's, with its own key, and reported in the status.
 * The identity's controller reports no certificate that does not verify to the published bundle, so a Secret that somebody edited rolls nobody.
 */
function servingLeaf({ secret, identity }: RestartFacts): LeafFacts | string {
  if (!secret?.leaf || secret.problem !== undefined) return 'there is no certificate'
  if (secret.foreignController !== undefined || secret.owner?.uid !== identity.uid) return 'the Secret belongs to somebody else'
  if (identity.status.certificate?.serialNumber !== secret.leaf.serialNumber) return 'the certificate is not reported in the status yet'
  return secret.leaf
}

/** From when on a workload may be restarted for this certificate; undefined: it has no reason. */
function dueAt({ workload, claimedBy, done }: RestartCandidate, leaf: LeafFacts, facts: RestartFacts, now: Instant): Instant | undefined {
  const lifetime = (leaf.notAfter - leaf.notBefore) as Duration
  const issuedAt = leaf.notBefore + backdating(lifetime)
  const recorded = workload.restartedFor
  if (claimedBy !== undefined) return undefined
  if (recorded?.serialNumber === leaf.serialNumber || done?.serialNumber === leaf.serialNumber) return undefined
  // All of its pods began with this certificate.
  if (workload.createdAt >= issuedAt) return undefined
  // Also where the Secret is younger than its leaf, as after a restore. One that was deleted and made again is taken for a first one as well:
  // a workload that was never restarted then waits for the next renewal.
  if (!recorded && !done && issuedAt <= (facts.secret?.createdAt ?? 0) + FIRST_WITHIN) return undefined
  const settledAt = issuedAt + Math.min(SETTLED, lifetime * SETTLED_PART)
  return Math.max(settledAt, ...restartsBefore(recorded, done, now).map((at) => at + REST))
}

/** When it was restarted before. The pod template can be edited: an instant in the future would stop all restarts until then, so it counts for nothing. */
function restartsBefore(recorded: Restarted | undefined, done: Restarted | undefined, now: Instant): Instant[] {
  return [recorded, done].flatMap((restarted) => (restarted && restarted.at <= now ? [restarted.at] : []))
}
