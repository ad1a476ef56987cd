// Whether a namespace exists in which nothing was found: a mistyped one must not look like an empty one. Used by the verbs that tell of all its objects.

import { OperatorError } from '../base/errors.ts'
import type { Client } from '../k8s/client.ts'
import { isForbidden, isNotFound } from '../k8s/errors.ts'
import { namespaces } from '../k8s/resource.ts'

/** Throws where it is not there. Who may not read namespaces is believed. */
export async function requireNamespace(client: Client, name: string): Promise<void> {
  try {
    await client.get(namespaces, { namespace: '', name })
  } catch (error) {
    if (isForbidden(error)) return
    if (!isNotFound(error)) throw error
    throw new OperatorError('blocked', 'NotFound', `namespace ${name} does not exist (kubectl get namespaces)`)
  }
}
