// Writes the status of an object of ours. Used by the controllers whose passes have something to tell.

import type { Condition } from '../api/condition.ts'
import { asList, asRecord } from '../api/reading.ts'
import type { Client } from '../k8s/client.ts'
import { isNamespaceTerminating, isNotFound } from '../k8s/errors.ts'
import type { RawObject, Resource } from '../k8s/resource.ts'
import { isOwnCondition, type ReportedStatus } from './readiness.ts'

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
    const left = leftovers(stored['status'], status)
    if (!left) return stored
    const patch = { metadata: { resourceVersion: stored.metadata.resourceVersion }, status: left }
    return await client.mergePatch(resource, { namespace, name }, patch, { subresource: 'status' })
  } catch (error) {
    if (isNotFound(error) || isNamespaceTerminating(error)) return undefined
    throw error
  }
}

/**
 * What takes away what somebody else put there (by hand, or with a backup): an apply takes away only what we applied before, and each pass would write
 * again for ever. Undefined: there is nothing.
 */
function leftovers(stored: unknown, status: ReportedStatus): Record<string, unknown> | undefined {
  const { conditions: all, ...fields } = asRecord(stored) ?? {}
  const said = new Set(status.conditions.map(({ type }) => type))
  const conditions = (asList(all) ?? []) as readonly Condition[]
  const kept = conditions.filter((condition) => said.has(condition.type) || !isOwnCondition(condition))
  const extra = Object.keys(fields).filter((name) => !Object.hasOwn(status, name))
  if (extra.length === 0 && kept.length === conditions.length) return undefined
  return { ...Object.fromEntries(extra.map((name) => [name, null])), conditions: kept }
}
