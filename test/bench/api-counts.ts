// What the API server counted: write requests by resource and verb, from its own metrics. Used by the bench.

import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock.ts'
import type { ClusterAccess } from '../../src/k8s/access.ts'
import { createTransport } from '../../src/k8s/transport.ts'

/** Requests so far, by `resource verb`; only writes that were carried out, without Leases. */
export type Counts = Readonly<Record<string, number>>

const LINE = /^apiserver_request_total\{([^}]*)\} (\S+)$/
const WRITES: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE'])

/** Reads the counters; `access` is an administrator's. */
export async function countWrites(access: ClusterAccess): Promise<Counts> {
  return countsIn(await readMetrics(access))
}

/** Writes that were refused so far, such as those that met another's change (409): they are in no other count, and cost all the same. */
export async function countRefused(access: ClusterAccess): Promise<number> {
  return sum(countsIn(await readMetrics(access), /^[45]/))
}

/** Bytes of all lists so far. */
export async function countListed(access: ClusterAccess): Promise<number> {
  const lines = [...(await readMetrics(access)).matchAll(/^apiserver_response_sizes_sum\{[^}]*verb="LIST"[^}]*\} (\S+)$/gm)]
  return lines.reduce((sum, [, bytes]) => sum + Number(bytes), 0)
}

/** Bytes that the API server has allocated so far: unlike its CPU the same in every run, whatever else the machine does. */
export async function countAllocated(access: ClusterAccess): Promise<number> {
  return Number(/^go_memstats_alloc_bytes_total (\S+)$/m.exec(await readMetrics(access))?.[1])
}

async function readMetrics(access: ClusterAccess): Promise<string> {
  const transport = createTransport(access, { clock: systemClock, connections: 1 })
  try {
    const reply = await transport.request({ method: 'GET', verb: 'get', resource: 'metrics', path: '/metrics', deadlineMs: 30_000 })
    return await reply.text()
  } finally {
    await transport.close()
  }
}

/** Waits until the counters stand still for a second, so that nothing is missed that is under way. */
export async function settledWrites(access: ClusterAccess): Promise<Counts> {
  let before = await countWrites(access)
  for (;;) {
    await sleep(1000)
    const after = await countWrites(access)
    if (JSON.stringify(after) === JSON.stringify(before)) return after
    before = after
  }
}

export const sum = (counts: Counts): number => Object.values(counts).reduce((total, one) => total + one, 0)

/** What came in between, without zeros. */
export function difference(after: Counts, before: Counts): Counts {
  const rows = Object.entries(after).map(([key, count]) => [key, count - (before[key] ?? 0)] as const)
  return Object.fromEntries(rows.filter(([, count]) => count !== 0))
}

function countsIn(text: string, codes = /^2/): Counts {
  const counts: Record<string, number> = {}
  for (const line of text.split('\n')) {
    const [, labelText = '', value = ''] = LINE.exec(line) ?? []
    const labels = Object.fromEntries([...labelText.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, text]) => [name, text]))
    const { verb = '', code = '', resource = '', subresource = '' } = labels
    if (!WRITES.has(verb) || !codes.test(code) || resource === 'leases') continue
    const key = `${resource}${subresource === '' ? '' : `/${subresource}`} ${verb.toLowerCase()}`
    counts[key] = (counts[key] ?? 0) + Number(value)
  }
  return counts
}
