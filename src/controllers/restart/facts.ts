// The one record that a plan of restarts is made from: an identity, its certificate, and the workloads that are this identity's to restart.
// Plain data without secrets.

import type { MutualIdentity } from '../../api/mutual-identity.ts'
import type { LeafSecret } from '../../api/stored/leaf-secret.ts'
import type { Restarted, Workload, WorkloadKind } from '../../api/stored/workload.ts'

/** The Secret, as far as restarts look at it. */
export type RestartSecret = Pick<LeafSecret, 'createdAt' | 'owner' | 'foreignController' | 'problem' | 'leaf'>

/** A workload that opted in and whose pods the identity selects. */
export interface RestartCandidate {
  readonly workload: Workload
  /** An older identity that asks for restarts and selects the same pods: the workload is that one's. */
  readonly claimedBy: string | undefined
  /** What this process did to it, whatever the pod template says by now. */
  readonly done: Restarted | undefined
  /** When this process last tried, in milliseconds of a clock that never goes back; undefined: never. */
  readonly triedAt: number | undefined
}

export interface RestartFacts {
  readonly identity: MutualIdentity
  readonly namespaceTerminating: boolean
  readonly secret: RestartSecret | undefined
  /** By kind and name. */
  readonly candidates: readonly RestartCandidate[]
  /** Kinds of workloads of which no complete list was had yet. */
  readonly unreadable: readonly WorkloadKind[]
}
