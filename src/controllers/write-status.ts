// Writes the status of an object of ours. Used by the controllers whose passes have something to tell.

import type { Client } from '../k8s/client.ts'
import { isNamespaceTerminating, isNotFound } from '../k8s/errors.ts'
import type { RawObject, Resource } from '../k8s/resource.ts'
import type { ReportedStatus } from './readiness.ts'

/**
 * The object as it is stored then; undefined: it is gone, and needs none. Of exactly this version: a status takes no notice of a uid (tried), so that an
 * object that was deleted and made again during the pass would get what is said of the former one.
 */
export async function writeStatus(
  client: Client,
  resource: Resource,
  { namespace, name, resourceVersion }: { readonly namespace: string; readonly name: string; readonly resourceVersion: string },
  status: ReportedStatus,
): Promise<RawObject | undefined> {
  const metadata = { ...(namespace === '' ? {} : { namespace }), name, resourceVersion }
  try {
    const stored = await client.apply(resource, { metadata, status }, { subresource: 'status' })
    if (status.lastFailure || !(stored['status'] as ReportedStatus | undefined)?.lastFailure) return stored
    // Somebody else put it there: an apply takes away only what we applied before, and each pass would write again for ever.
    const patch = { metadata: { resourceVersion: stored.metadata.resourceVersion }, status: { lastFailure: null } }
    return await client.mergePatch(resource, { namespace, name }, patch, { subresource: 'status' })
  } catch (error) {
    if (isNotFound(error) || isNamespaceTerminating(error)) return undefined
    throw error
  }
}
