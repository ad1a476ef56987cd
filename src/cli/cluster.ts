// The connection of the command to the cluster, under the rights of the person who asks. The only file of the command that makes one.
// Verbs are handed the function, so that tests hand in an API server in memory.

import type { Clock } from '../base/clock.ts'
import type { Environment } from '../base/environment.ts'
import type { Random } from '../base/random.ts'
import { type Client, createClient } from '../k8s/client.ts'
import { loadAccess } from '../k8s/kubeconfig.ts'
import { createTransport, type Transport } from '../k8s/transport.ts'

export interface Cluster {
  readonly client: Client
  /** For what is no verb on objects: the version of the server. */
  readonly transport: Transport
  /** The one that the context stands in. */
  readonly namespace: string
  /** Server, user and context; no credentials. */
  readonly describe: string
  close(): Promise<void>
}

export interface ConnectOptions {
  readonly kubeconfig: string | undefined
  readonly context: string | undefined
}

export type Connect = (options: ConnectOptions) => Promise<Cluster>

/** What kubectl itself falls back to. */
const DEFAULT_NAMESPACE = 'default'
/** The field manager of the one thing that is written, the annotation that asks for a renewal. */
const FIELD_MANAGER = 'kubectl-mutual'

/** The way that kubeconfig, context and environment show. */
export function connector(deps: { readonly clock: Clock; readonly random: Random; readonly environment: Environment }): Connect {
  const { clock, random, environment } = deps
  return async ({ kubeconfig, context }) => {
    const access = await loadAccess({ clock, kubeconfig, context, environment })
    const transport = createTransport(access, { clock, connections: 8, userAgent: FIELD_MANAGER })
    return {
      client: createClient(transport, { clock, random, fieldManager: FIELD_MANAGER }),
      transport,
      namespace: access.namespace || DEFAULT_NAMESPACE,
      describe: access.describe,
      close: () => transport.close(),
    }
  }
}
