// Where the show takes place: a control plane of its own on this machine, or a cluster that the person has. Used by show.ts.
// A given cluster gets back what it was: see given-cluster.ts.

import { ControlPlaneFailure, startControlPlane } from '../control-plane/index.ts'
import { type Cluster, connectCluster } from '../install/cluster.ts'
import { DemoFailure } from './failure.ts'
import { FIELD_MANAGER } from './names.ts'
import { secondsSince, style } from './screen.ts'
import type { Stage } from './stage.ts'

export interface Place {
  readonly cluster: Cluster
  /** The administrator's. */
  readonly kubeconfig: string
  /** There is no kubelet and no scheduler. */
  readonly local: boolean
}

/** Starts a control plane that ends with the show. */
export async function localPlace(stage: Stage): Promise<Place> {
  const { screen } = stage
  screen.say('Real etcd, kube-apiserver and kube-controller-manager; built from Go modules on first use, then kept.')
  const from = performance.now()
  try {
    const plane = await startControlPlane({ say: (line) => screen.quote('plane', line) })
    await stage.own('the control plane', () => plane.stop())
    const cluster = await connect(stage, plane.kubeconfigFile)
    screen.good(`${style('bold', plane.url)}, in ${secondsSince(from)}`)
    return { cluster, kubeconfig: plane.kubeconfigFile, local: true }
  } catch (error) {
    throw error instanceof ControlPlaneFailure ? new DemoFailure(error.message) : error
  }
}

/** The person's cluster, by a kubeconfig with an administrator's rights. */
export async function givenPlace(stage: Stage, kubeconfig: string): Promise<Place> {
  const cluster = await connect(stage, kubeconfig)
  const { describe } = cluster.access
  const served = await cluster.client.discover('', 'v1')
  if (!served.includes('secrets')) throw new DemoFailure(`${describe} does not look like a Kubernetes API server`)
  stage.screen.good(describe)
  return { cluster, kubeconfig, local: false }
}

async function connect(stage: Stage, kubeconfig: string): Promise<Cluster> {
  const cluster = await connectCluster(kubeconfig, FIELD_MANAGER)
  await stage.own('the connection to the cluster', () => cluster.close())
  return cluster
}
