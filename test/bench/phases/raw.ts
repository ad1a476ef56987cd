// The yardstick, before and after everything else.

import { rawCreates } from '../raw-creates.ts'
import type { Stage } from '../stage.ts'

const CONNECTIONS = 32

/** Secret creates a second. The first run warms the API server. */
export async function rawRate({ account, say }: Stage, tag: string): Promise<number> {
  if (tag === 'before') await rawCreates(account.client, { namespace: 'raw', count: 1000, connections: CONNECTIONS, tag: 'warm' })
  const rate = await rawCreates(account.client, { namespace: 'raw', count: 3000, connections: CONNECTIONS, tag })
  say(`raw Secret creates, ${tag}: ${rate.toFixed(0)}/s`)
  return rate
}
