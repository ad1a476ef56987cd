// Makes ClusterMutualAuthority `default` on a fresh install, so that the shortest MutualIdentity works at once. Called by the leader once
// its caches are filled, and not again: it never changes an authority that exists, and one that a person deletes stays away until the next start.

import { clusterMutualAuthorities } from '../../api/kinds.ts'
import { API_VERSION } from '../../api/names.ts'
import { isAlreadyExists } from '../../k8s/errors.ts'
import type { Next, Pass } from '../../runtime/controller.ts'
import type { AuthorityDeps } from './controller.ts'

/** One pass: creates it when no cluster authority exists at all. */
export async function ensureDefaultAuthority(pass: Pass, deps: AuthorityDeps): Promise<Next> {
  if (deps.caches.authorities.size > 0) return { at: undefined }
  const authority = { apiVersion: API_VERSION, kind: 'ClusterMutualAuthority', metadata: { name: 'default' }, spec: {} }
  try {
    // Not put into the cache from here: it has to come by the watch, which wakes its first pass.
    await deps.client.create(clusterMutualAuthorities, authority)
    pass.log.info('default authority created', { authority: 'default' })
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
  return { at: undefined }
}
