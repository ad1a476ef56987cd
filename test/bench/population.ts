// What is there before the controller starts: identities, each with its headless Service and a pod of its own account; and foreign Secrets.
// Used by the bench, as an administrator.

import { serviceAccounts } from '../../scripts/install/kinds.ts'
import { mutualIdentities } from '../../src/api/kinds.ts'
import type { Client } from '../../src/k8s/client.ts'
import { namespaces, pods, secrets, services } from '../../src/k8s/resource.ts'
import { inParallel } from './parallel.ts'

const WIDTH = 32

/** `count` identities in one namespace, ready to be served. */
export async function populate(client: Client, namespace: string, count: number): Promise<void> {
  await client.create(namespaces, { metadata: { name: namespace } })
  await inParallel(count, WIDTH, async (index) => {
    const name = `app-${index}`
    const labels = { app: name }
    await client.create(serviceAccounts, { metadata: { namespace, name } })
    await client.create(services, { metadata: { namespace, name }, spec: { clusterIP: 'None', selector: labels, ports: [{ port: 443 }] } })
    const spec = { serviceAccountName: name, automountServiceAccountToken: false, containers: [{ name: 'app', image: 'example.com/app' }] }
    await client.create(pods, { metadata: { namespace, name, labels }, spec })
    await client.create(mutualIdentities, { metadata: { namespace, name }, spec: { podSelector: { matchLabels: labels } } })
  })
}

/** Secrets of others, of 10 kB each. */
export async function foreignSecrets(client: Client, namespace: string, count: number): Promise<void> {
  await client.create(namespaces, { metadata: { name: namespace } })
  const data = { blob: Buffer.alloc(10_000, 'x').toString('base64') }
  await inParallel(count, WIDTH, (index) =>
    client.create(secrets, { type: 'Opaque', metadata: { namespace, name: `foreign-${index}` }, data }),
  )
}
