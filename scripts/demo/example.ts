// The example's manifests (examples/01-two-services): applied as they are, and read for what a kubelet would read in them - programs, environment,
// mounted Secret. Used by show.ts. There is no second copy of anything: what the demo runs is what a person applies.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RawObject } from '../../src/k8s/resource.ts'
import type { Cluster } from '../install/cluster.ts'
import { createOrChange } from '../install/install.ts'
import { PROJECT_FOLDER, readManifests } from '../install/manifests.ts'
import type { Stage } from './stage.ts'

const FOLDER = join('examples', '01-two-services')

/** How a container of the example is started. */
export interface Workload {
  readonly script: string
  readonly environment: Readonly<Record<string, string>>
  readonly secretName: string
}

export interface Example {
  readonly folder: string
  /** In the order of the manifests. */
  readonly objects: readonly RawObject[]
  /** The workload of a Deployment; `script` is a file of this show. */
  workload(deployment: string): Workload
}

/** Reads the manifests and puts the programs of its ConfigMap into the show's folder, where a pod would see them. */
export function readExample(stage: Stage): Example {
  const objects = readManifests(join(PROJECT_FOLDER, FOLDER))
  const programs = join(stage.folder, 'programs')
  mkdirSync(programs)
  for (const { kind, data } of objects) {
    if (kind === 'ConfigMap')
      for (const [name, text] of Object.entries(data as Record<string, string>)) writeFileSync(join(programs, name), text)
  }
  return { folder: FOLDER, objects, workload: (deployment) => readWorkload(objects, deployment, programs) }
}

/** Object by object; what is there from an earlier demo is brought to what the example says. */
export async function applyExample(stage: Stage, cluster: Cluster, { objects }: Example): Promise<void> {
  for (const object of objects) {
    stage.signal.throwIfAborted()
    await createOrChange(cluster.client, object)
    stage.screen.say(`applied ${object.kind} ${object.metadata.name}`)
  }
}

interface PodSpec {
  readonly containers: readonly {
    readonly command: readonly string[]
    readonly env?: readonly { readonly name: string; readonly value: string }[]
  }[]
  readonly volumes: readonly { readonly secret?: { readonly secretName: string } }[]
}

function readWorkload(objects: readonly RawObject[], deployment: string, programs: string): Workload {
  const found = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === deployment)
  const pod = (found?.spec as { template: { spec: PodSpec } } | undefined)?.template.spec
  const [container] = pod?.containers ?? []
  const script = container?.command[1]?.replace('/programs/', '')
  const secretName = pod?.volumes.find(({ secret }) => secret !== undefined)?.secret?.secretName
  if (container === undefined || script === undefined || secretName === undefined)
    throw new Error(`${FOLDER} has no Deployment ${deployment} as the demo knows it`)
  const environment = Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value]))
  return { script: join(programs, script), environment, secretName }
}
