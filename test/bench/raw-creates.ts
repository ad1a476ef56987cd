// The yardstick: how many Secrets a second the API server takes from the same client, account and number of connections. Used by the bench.

import { CoreV1Api, KubeConfig } from '@kubernetes/client-node'
import type { Client } from '../../src/k8s/client.ts'
import { secrets } from '../../src/k8s/resource.ts'
import { inParallel } from './parallel.ts'

export interface RawOptions {
  readonly namespace: string
  readonly count: number
  readonly connections: number
  /** Keeps the names of two runs apart. */
  readonly tag: string
}

/** Secrets of the size and shape of a leaf Secret; returns creates per second. */
export function rawCreates(client: Client, options: RawOptions): Promise<number> {
  return createAll(options, (secret) => client.create(secrets, secret))
}

/** The same by the generated client of the Kubernetes library, for comparison with figures that were measured with it. */
export function rawCreatesByLibrary(kubeconfig: string, options: RawOptions): Promise<number> {
  const config = new KubeConfig()
  config.loadFromFile(kubeconfig)
  const core = config.makeApiClient(CoreV1Api)
  return createAll(options, (body) => core.createNamespacedSecret({ namespace: options.namespace, body }))
}

type LeafLike = {
  readonly type: string
  readonly metadata: { namespace: string; name: string; labels: Record<string, string>; annotations: Record<string, string> }
  readonly data: Record<string, string>
}

async function createAll(
  { namespace, count, connections, tag }: RawOptions,
  create: (secret: LeafLike) => Promise<unknown>,
): Promise<number> {
  const data = { 'tls.crt': filler(1300), 'tls.key': filler(240), 'ca.crt': filler(720) }
  const startedAt = performance.now()
  await inParallel(count, connections, (index) =>
    create({
      type: 'kubernetes.io/tls',
      metadata: { namespace, name: `raw-${tag}-${index}`, labels: { app: 'raw' }, annotations: { 'example.com/filler': 'x'.repeat(300) } },
      data,
    }),
  )
  return count / ((performance.now() - startedAt) / 1000)
}

const filler = (bytes: number): string => Buffer.alloc(bytes, 'x').toString('base64')
