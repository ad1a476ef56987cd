// The yardstick: how many Secrets a second the API server takes from the same client, account and number of connections. Used by the bench.

import type { Client } from '../../src/k8s/client.ts'
import { secrets } from '../../src/k8s/resource.ts'
import { inParallel } from './parallel.ts'

/** Secrets of the size and shape of a leaf Secret; returns creates per second. `tag` keeps the names of two runs apart. */
export async function rawCreates(
  client: Client,
  options: { namespace: string; count: number; connections: number; tag: string },
): Promise<number> {
  const { namespace, count, connections, tag } = options
  const data = { 'tls.crt': filler(1300), 'tls.key': filler(240), 'ca.crt': filler(720) }
  const startedAt = performance.now()
  await inParallel(count, connections, (index) =>
    client.create(secrets, {
      type: 'kubernetes.io/tls',
      metadata: { namespace, name: `raw-${tag}-${index}`, labels: { app: 'raw' }, annotations: { 'example.com/filler': 'x'.repeat(300) } },
      data,
    }),
  )
  return count / ((performance.now() - startedAt) / 1000)
}

const filler = (bytes: number): string => Buffer.alloc(bytes, 'x').toString('base64')
