// Makes ClusterMutualAuthority `default` on a fresh install, so that the shortest MutualIdentity works at once. Called by the leader once
// its caches are filled; it never changes an authority that exists.

import { clusterMutualAuthorities } from '../../api/kinds.ts'
import { API_VERSION } from '../../api/names.ts'
import type { Log } from '../../base/log.ts'
import type { Client } from '../../k8s/client.ts'
import { isAlreadyExists } from '../../k8s/errors.ts'
import type { RawObject } from '../../k8s/resource.ts'
import type { Caches } from '../caches.ts'

/** Creates it when no cluster authority exists at all. */
export async function ensureDefaultAuthority(deps: {
  caches: Pick<Caches, 'authorities'>
  client: Client
  log: Log
  wroteAuthority: (raw: RawObject) => void
}): Promise<void> {
  if (deps.caches.authorities.size > 0) return
  const authority = { apiVersion: API_VERSION, kind: 'ClusterMutualAuthority', metadata: { name: 'default' }, spec: {} }
  try {
    deps.wroteAuthority(await deps.client.create(clusterMutualAuthorities, authority))
    deps.log.info('default authority created', { kind: 'ClusterMutualAuthority', name: 'default' })
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}
