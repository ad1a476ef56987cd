// The key of an object within its collection: what stores file by, queues dedupe by and passes are given.
// Used by the store, the triggers and the controllers. Names hold no slash (RFC 1123), so a key reads back.

import type { ObjectRef } from './resource.ts'

/** `shop/web`; `web` for a cluster-scoped object (no namespace, or an empty one). */
export function keyOf(namespace: string | undefined, name: string): string {
  return namespace ? `${namespace}/${name}` : name
}

/** The reverse of keyOf. */
export function refOf(key: string): ObjectRef {
  const slash = key.indexOf('/')
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}
