// Connects, lets a verb ask its question, and closes the connection whatever comes. Used by every verb that needs the cluster.

import { checkNamespace } from './flags.ts'
import type { Call, Question } from './verb.ts'

/** The answer to a question in the namespace of the flag, else of the context. */
export async function withCluster<T>(call: Call, ask: (question: Question) => Promise<T>): Promise<T> {
  const { kubeconfig, context, namespace } = call.given.values
  // Before anything is connected: a mistyped name is answered at once.
  if (namespace !== undefined) checkNamespace(namespace, '--namespace')
  const cluster = await call.session.connect({ kubeconfig, context })
  try {
    return await ask({ ...call, cluster, namespace: namespace ?? cluster.namespace })
  } finally {
    await cluster.close()
  }
}
