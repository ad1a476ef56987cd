// Restarts one workload: one merge patch of exactly the version that was decided on, which changes one annotation of its pod template.
// Everything else of the workload stays as its owner wants it.

import { type Restarted, restartPatch, type Workload, type WorkloadKind } from '../../api/stored/workload.ts'
import type { Client } from '../../k8s/client.ts'
import { daemonSets, deployments, type RawObject, type Resource, statefulSets } from '../../k8s/resource.ts'

export interface RestartWriter {
  readonly client: Pick<Client, 'mergePatch'>
  readonly wroteWorkload: (kind: WorkloadKind, raw: RawObject) => void
}

const RESOURCES = { Deployment: deployments, StatefulSet: statefulSets, DaemonSet: daemonSets } as const satisfies Record<
  WorkloadKind,
  Resource
>

/** Rejects with Conflict when somebody changed the workload meanwhile: it is decided anew. */
export async function performRestart(workload: Workload, restarted: Restarted, { client, wroteWorkload }: RestartWriter): Promise<void> {
  const { kind, namespace, name } = workload
  wroteWorkload(kind, await client.mergePatch(RESOURCES[kind], { namespace, name }, restartPatch(workload, restarted)))
}
