// Writes kubeconfigs with a client certificate inside, as JSON (every reader of YAML reads it).
// Used by start.ts for its parts, for the administrator and for whomever a test wants to be.
// Must not leave a file readable by others: it holds a private key.
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import type { KeyAndCertificate } from './certificates.ts'

export interface KubeconfigContent {
  readonly url: string
  /** PEM of the authority that signed the API server's certificate */
  readonly authority: string
  readonly user: string
  readonly client: KeyAndCertificate
}

export function renderKubeconfig({ url, authority, user, client }: KubeconfigContent): string {
  const name = 'local'
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url, 'certificate-authority-data': base64(authority) } }],
    users: [
      {
        name: user,
        user: { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.key) },
      },
    ],
    contexts: [{ name, context: { cluster: name, user } }],
    'current-context': name,
  }
  return `${JSON.stringify(config, null, 2)}\n`
}

export function writeKubeconfig(file: string, content: KubeconfigContent): string {
  writeFileSync(file, renderKubeconfig(content), { mode: 0o600 })
  return file
}

/** A file name for a user and groups: readable, safe (users hold colons and slashes) and different for each pair. */
export function kubeconfigName(user: string, groups: readonly string[]): string {
  const readable = user.replaceAll(/[^A-Za-z0-9.-]+/g, '-').slice(0, 60)
  const exact = createHash('sha256')
    .update(JSON.stringify([user, groups]))
    .digest('hex')
    .slice(0, 8)
  return `${readable}-${exact}.kubeconfig`
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
