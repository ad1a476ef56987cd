// A kubeconfig with a token of the controller's service account, so that a controller outside the cluster has exactly the rights it has inside.
// Used by the demo and cluster tests. The token goes into that file (mode 0600) and nowhere else.

import { writeFileSync } from 'node:fs'
import type { Cluster } from './cluster.ts'
import { CONTROLLER_ACCOUNT } from './install.ts'
import { serviceAccounts } from './kinds.ts'

export interface KubeconfigOptions {
  /** The operator's own namespace. */
  readonly namespace: string
  /** Where it is written. */
  readonly file: string
  /** How long the token is good for; default a day, the most that some providers give. */
  readonly lifetimeSeconds?: number
}

const DAY_S = 86_400

/** Asks for the token (TokenRequest) and writes the kubeconfig; returns its path. `cluster` is an administrator's. */
export async function controllerKubeconfig(
  cluster: Cluster,
  { namespace, file, lifetimeSeconds = DAY_S }: KubeconfigOptions,
): Promise<string> {
  const token = await requestToken(cluster, namespace, lifetimeSeconds)
  const { server, proxy } = cluster.access
  const { ca, servername, rejectUnauthorized } = (await cluster.access.credentials()).tls
  const connection = {
    server,
    ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
    ...(rejectUnauthorized === false ? { 'insecure-skip-tls-verify': true } : {}),
    ...(servername === undefined ? {} : { 'tls-server-name': servername }),
    ...(proxy === undefined ? {} : { 'proxy-url': proxy }),
  }
  const name = CONTROLLER_ACCOUNT
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: connection }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
    'current-context': name,
  }
  // JSON is YAML.
  writeFileSync(file, `${JSON.stringify(kubeconfig, null, 2)}\n`, { mode: 0o600 })
  return file
}

async function requestToken(cluster: Cluster, namespace: string, expirationSeconds: number): Promise<string> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds } }
  const reply = await cluster.client.createSubresource(serviceAccounts, { namespace, name: CONTROLLER_ACCOUNT }, 'token', body)
  const { token } = (reply.status ?? {}) as { token?: string }
  if (!token) throw new Error(`the API server gave no token for service account ${CONTROLLER_ACCOUNT}`)
  return token
}
