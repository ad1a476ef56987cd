// Reads the caches and returns the facts about the restarts of one identity. Writes nothing, and nothing is read after it in a pass.

import { matches } from '../../api/label-selector.ts'
import type { MutualIdentity } from '../../api/mutual-identity.ts'
import type { Workload, WorkloadKind } from '../../api/stored/workload.ts'
import { anyLabel, type Caches, labelPairs } from '../caches.ts'
import { isElder } from '../elder.ts'
import { identitiesSelecting } from '../selecting.ts'
import type { RestartCandidate, RestartFacts } from './facts.ts'
import type { Pace } from './pace.ts'

type WorkloadCaches = Pick<Caches, 'deployments' | 'statefulSets' | 'daemonSets'>

/** Where the workloads of a kind are. */
export const workloadCache = {
  Deployment: 'deployments',
  StatefulSet: 'statefulSets',
  DaemonSet: 'daemonSets',
} as const satisfies Record<WorkloadKind, keyof WorkloadCaches>
const KINDS = Object.keys(workloadCache) as WorkloadKind[]

/** All facts about the restarts of one identity. */
export function observeRestart(identity: MutualIdentity, caches: Caches, pace: Pick<Pace, 'knownOf'>): RestartFacts {
  const { namespace, spec } = identity
  return {
    identity,
    namespaceTerminating: caches.namespaces.get('', namespace)?.terminating ?? false,
    secret: caches.leafSecrets.get(namespace, spec.delivery.secretName),
    candidates: restartable(identity, caches).map((workload) => candidate(workload, identity, caches, pace)),
    unreadable: KINDS.filter((kind) => !caches[workloadCache[kind]].readable),
  }
}

/** Workloads that opted in and whose pods the identity selects: found by the rarest of its labels. */
export function restartable({ namespace, spec }: MutualIdentity, caches: WorkloadCaches): readonly Workload[] {
  const { podSelector } = spec
  const pairs = labelPairs(namespace, podSelector.matchLabels)
  return KINDS.flatMap((kind) => {
    const lists = (pairs.length > 0 ? pairs : [anyLabel(namespace)]).map((pair) => caches[workloadCache[kind]].by('optedIn', pair))
    const rarest = lists.reduce((best, list) => (list.length < best.length ? list : best))
    return rarest.filter((workload) => matches(podSelector, workload.templateLabels))
  })
}

function candidate(
  workload: Workload,
  identity: MutualIdentity,
  caches: Pick<Caches, 'identities'>,
  pace: Pick<Pace, 'knownOf'>,
): RestartCandidate {
  const rivals = identitiesSelecting(workload.namespace, workload.templateLabels, caches.identities)
  const elder = rivals.find((other) => other.uid !== identity.uid && asks(other) && isElder(other, identity))
  const known = pace.knownOf(workload.uid)
  return { workload, claimedBy: elder?.name, done: known?.done, triedAt: known?.triedAt }
}

const asks = ({ spec, deleting, problem }: MutualIdentity): boolean => spec.restart.onRenewal && !deleting && problem === undefined
