// A connection to a cluster for scripts and tests: the project's own client over a kubeconfig. Used by the demo and cluster tests.
// Must not be used by src, which wires its own.

import { systemClock } from '../../src/base/clock.ts'
import { systemRandom } from '../../src/base/random.ts'
import type { ClusterAccess } from '../../src/k8s/access.ts'
import { type Client, createClient } from '../../src/k8s/client.ts'
import { loadAccess } from '../../src/k8s/kubeconfig.ts'
import { createTransport } from '../../src/k8s/transport.ts'

export interface Cluster {
  readonly client: Client
  readonly access: ClusterAccess
  close(): Promise<void>
}

/** Connects by the kubeconfig's current context. Writes are made under `fieldManager`. */
export async function connectCluster(kubeconfig: string, fieldManager: string): Promise<Cluster> {
  const access = await loadAccess({ clock: systemClock, kubeconfig, environment: {} })
  const transport = createTransport(access, { clock: systemClock, userAgent: fieldManager })
  const client = createClient(transport, { clock: systemClock, random: systemRandom, fieldManager })
  return { client, access, close: () => transport.close() }
}
