// The certificate material in Secrets, judged by others than this project: node:crypto, node:tls and openssl.
// Used by the tests under test/cluster/operator. It must not use src/pki.

import { execFileSync } from 'node:child_process'
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import type { RawObject } from '../../src/k8s/resource.ts'

export interface Material {
  readonly chain: string
  readonly privateKey: string
  readonly ca: string
  readonly leaf: X509Certificate
  readonly key: KeyObject
  /** Lower-case hexadecimal digits. */
  readonly serialNumber: string
  /** As node prints them: `URI:...`, `DNS:...`. */
  readonly names: readonly string[]
}

/** Throws when a part is missing or unreadable. */
export function materialOf(secret: RawObject): Material {
  const data = (secret.data ?? {}) as Readonly<Record<string, string>>
  const part = (name: string): string => {
    const text = data[name]
    if (!text) throw new Error(`Secret ${secret.metadata.name} holds no ${name}`)
    return Buffer.from(text, 'base64').toString('utf8')
  }
  const chain = part('tls.crt')
  const privateKey = part('tls.key')
  const leaf = new X509Certificate(chain)
  return {
    chain,
    privateKey,
    ca: part('ca.crt'),
    leaf,
    key: createPrivateKey(privateKey),
    serialNumber: leaf.serialNumber.toLowerCase(),
    names: (leaf.subjectAltName ?? '').split(', '),
  }
}

/** Whether key, certificate and bundle belong together. */
export function fitsTogether({ leaf, key, ca }: Material): boolean {
  return leaf.checkPrivateKey(key) && rootsIn(ca).some((root) => leaf.verify(root.publicKey))
}

/** The certificates of a PEM text. */
export function rootsIn(text: string): X509Certificate[] {
  return (text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map((pem) => new X509Certificate(pem))
}

/** What `openssl verify` says of the leaf for both sides of a connection, by its strictest rules; throws with its words. */
export function opensslVerify({ chain, ca }: Pick<Material, 'chain' | 'ca'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'openssl-'))
  try {
    writeFileSync(join(folder, 'ca.crt'), ca)
    writeFileSync(join(folder, 'tls.crt'), chain)
    const verify = (purpose: string): string =>
      execFileSync('openssl', ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', 'ca.crt', '-untrusted', 'tls.crt', 'tls.crt'], {
        cwd: folder,
        encoding: 'utf8',
      })
    return verify('sslserver') + verify('sslclient')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Whom each side saw. */
export interface Handshake {
  readonly server: string
  readonly client: string
}

/** A mutual handshake over loopback; the client expects `servername` in the certificate of the server. Rejects when either side refuses. */
export async function handshake(server: Material, client: Material, servername: string): Promise<Handshake> {
  const own = ({ chain, privateKey, ca }: Material) => ({ cert: chain, key: privateKey, ca, minVersion: 'TLSv1.3' as const })
  const listener = createServer({ ...own(server), requestCert: true, rejectUnauthorized: true }, (socket) => {
    socket.end(spiffeIdIn(socket))
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  try {
    const socket = connect({ ...own(client), host: '127.0.0.1', port, servername })
    // Under TLS 1.3 a refused client learns of it with the first bytes it reads.
    let seenByServer = ''
    let seenByClient = ''
    socket.on('secureConnect', () => {
      seenByClient = spiffeIdIn(socket)
    })
    for await (const chunk of socket) seenByServer += chunk
    return { server: seenByClient, client: seenByServer }
  } finally {
    listener.close()
  }
}

function spiffeIdIn(socket: TLSSocket): string {
  return /URI:(spiffe:[^,]+)/.exec(socket.getPeerX509Certificate()?.subjectAltName ?? '')?.[1] ?? ''
}
