// The Secrets of others that authorities take their CA from: read by name, as the controller does, since they are not watched.

import type { Authority } from '../api/authority.ts'
import type { Client } from '../k8s/client.ts'
import { isForbidden, isNotFound } from '../k8s/errors.ts'
import { secrets } from '../k8s/resource.ts'
import type { Stores } from '../stores.ts'

/** Fills the store of sources for these authorities; returns the names of those that may not be read. */
export async function lookAtSources(
  client: Client,
  operatorNamespace: string,
  authorities: readonly Authority[],
  stores: Pick<Stores, 'caSources'>,
): Promise<ReadonlySet<string>> {
  const unreadable = new Set<string>()
  for (const { spec, problem } of authorities) {
    // A spec that cannot be used may hold an empty name, by which the whole collection would be read.
    if (spec.backEnd.kind !== 'caSecret' || problem !== undefined) continue
    try {
      stores.caSources.wrote(await client.get(secrets, { namespace: operatorNamespace, name: spec.backEnd.name }))
    } catch (error) {
      if (isNotFound(error)) continue
      if (!isForbidden(error)) throw error
      unreadable.add(spec.backEnd.name)
    }
  }
  return unreadable
}
