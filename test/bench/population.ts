// What is there before the controller starts: identities, each with its headless Service and a pod of its own account; pods; foreign Secrets.
// Used by the bench, as an administrator.

import { serviceAccounts } from '../../scripts/install/kinds.ts'
import { mutualIdentities } from '../../src/api/kinds.ts'
import type { Client } from '../../src/k8s/client.ts'
import { namespaces, pods, secrets, services } from '../../src/k8s/resource.ts'
import { inParallel } from './parallel.ts'

const WIDTH = 32

/** Identities ready to be served, `count` in all, over the namespaces in turn. */
export async function populate(client: Client, places: readonly string[], count: number): Promise<void> {
  await inParallel(places.length, WIDTH, (index) => client.create(namespaces, { metadata: { name: places[index] as string } }))
  await inParallel(count, WIDTH, (index) => identityWithAll(client, places[index % places.length] as string, `app-${index}`))
}

/** An identity with its account, Service and pod. */
export async function identityWithAll(client: Client, namespace: string, name: string): Promise<void> {
  const labels = { app: name }
  await client.create(serviceAccounts, { metadata: { namespace, name } })
  await client.create(services, { metadata: { namespace, name }, spec: { clusterIP: 'None', selector: labels, ports: [{ port: 443 }] } })
  await createPod(client, namespace, name, name, labels)
  await client.create(mutualIdentities, { metadata: { namespace, name }, spec: { podSelector: { matchLabels: labels } } })
}

export async function createPod(
  client: Client,
  namespace: string,
  name: string,
  account: string,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  const spec = { serviceAccountName: account, automountServiceAccountToken: false, containers: [{ name: 'app', image: 'example.com/app' }] }
  await client.create(pods, { metadata: { namespace, name, labels }, spec })
}

/** Secrets of others, of 10 kB each. */
export async function foreignSecrets(client: Client, namespace: string, count: number): Promise<void> {
  await client.create(namespaces, { metadata: { name: namespace } })
  const data = { blob: Buffer.alloc(10_000, 'x').toString('base64') }
  await inParallel(count, WIDTH, (index) =>
    client.create(secrets, { type: 'Opaque', metadata: { namespace, name: `foreign-${index}` }, data }),
  )
}
