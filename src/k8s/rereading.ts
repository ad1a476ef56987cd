// Keeps credentials for a short while and looks at their source again. Used by both kinds of access; knows nothing of the source.

import type { Clock } from '../base/clock.ts'
import type { ClusterAccess, Credentials, TlsMaterial } from './access.ts'

/** So old credentials may be at most. The kubelet rotates a token when 20 % of its life are left, so this is early enough by far. */
const MAX_AGE_MS = 10_000

/**
 * `read` runs at most every 10 s, once for all who wait, and at once after `refused`. A failing read is not kept.
 * The TLS record stays the same object while its contents do.
 */
export function rereading(clock: Clock, read: (refused: boolean) => Promise<Credentials>): Pick<ClusterAccess, 'credentials' | 'refused'> {
  let current: Promise<Credentials> | undefined
  let readAt = 0
  let refused = false
  let tls: TlsMaterial | undefined

  const load = async (afterRefusal: boolean): Promise<Credentials> => {
    const fresh = await read(afterRefusal)
    if (tls === undefined || !sameTls(tls, fresh.tls)) tls = fresh.tls
    return { tls, headers: fresh.headers }
  }

  return {
    credentials() {
      if (current !== undefined && !refused && clock.monotonic() - readAt < MAX_AGE_MS) return current
      const loading = load(refused)
      readAt = clock.monotonic()
      refused = false
      current = loading
      loading.catch(() => {
        if (current === loading) current = undefined
      })
      return loading
    },
    refused() {
      refused = true
    },
  }
}

function sameTls(a: TlsMaterial, b: TlsMaterial): boolean {
  return (
    a.ca === b.ca && a.cert === b.cert && a.key === b.key && a.servername === b.servername && a.rejectUnauthorized === b.rejectUnauthorized
  )
}
