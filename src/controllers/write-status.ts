// Writes the status of an object of ours. Used by the controllers whose passes have something to tell.

import { type Condition, isOwnCondition } from '../api/condition.ts'
import type { Client } from '../k8s/client.ts'
import { isNamespaceTerminating, isNotFound } from '../k8s/errors.ts'
import type { RawObject, Resource } from '../k8s/resource.ts'
import type { ReportedStatus } from './readiness.ts'

/** What a status is written to: the very version that the pass looked at. */
interface Subject {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  readonly status: { readonly conditions: readonly Condition[] }
}

/**
 * The object as it is stored then; undefined: it is gone, and needs none. The status is ours as a whole, but for the conditions of others, which stay;
 * whatever else somebody put there (by hand, or with a backup) goes. Of exactly this object and version: one that was deleted and made again during the
 * pass must not get what is said of the former one.
 */
export async function writeStatus(
  client: Client,
  resource: Resource,
  { namespace, name, uid, resourceVersion, status: { conditions: present } }: Subject,
  status: ReportedStatus,
): Promise<RawObject | undefined> {
  const metadata = { ...(namespace === '' ? {} : { namespace }), name, uid, resourceVersion }
  const conditions = [...status.conditions, ...present.filter((condition) => !isOwnCondition(condition))]
  try {
    return await client.replaceStatus(resource, { metadata, status: { ...status, conditions } })
  } catch (error) {
    if (isNotFound(error) || isNamespaceTerminating(error)) return undefined
    throw error
  }
}
