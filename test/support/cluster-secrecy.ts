// Whether private key bytes got out: collects every private key that ever was in a Secret, and looks for pieces of them in texts.
// Used by the tests under test/cluster/operator. It must not print what it finds, only where.

import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { Client } from '../../src/k8s/client.ts'
import { type RawObject, secrets } from '../../src/k8s/resource.ts'

export interface KeyCollection {
  /** PEM texts of all keys seen so far. */
  readonly keys: ReadonlySet<string>
  /** How often a piece of one of them is in the text. */
  piecesIn(text: string): number
  close(): void
}

/** So many characters in a row of the base64 of a key: 30 bytes, of which a P-256 key has 32. */
const WINDOW = 40

/** Follows all Secrets of the cluster from now on. */
export async function collectKeys(client: Client): Promise<KeyCollection> {
  const keys = new Set<string>()
  const end = new AbortController()
  const add = (secret: RawObject): void => {
    const data = (secret.data ?? {}) as Readonly<Record<string, string>>
    const pem = data['tls.key'] === undefined ? '' : Buffer.from(data['tls.key'], 'base64').toString('latin1')
    if (pem.includes('PRIVATE KEY')) keys.add(pem)
  }
  const list = async (): Promise<string> => {
    let version = ''
    for await (const page of client.listPages(secrets)) {
      for (const item of page.items) add(item)
      version = page.resourceVersion
    }
    return version
  }
  const follow = async (from: string): Promise<void> => {
    let resourceVersion = from
    while (!end.signal.aborted) {
      try {
        for await (const event of client.watch(secrets, { resourceVersion, timeoutSeconds: 600, idleMs: 600_000, signal: end.signal })) {
          add(event.object)
          resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion
        }
      } catch {
        // The API server is stopped by some tests, and in the end by all.
        if (!end.signal.aborted) resourceVersion = await list().catch(() => resourceVersion)
      }
    }
  }
  void follow(await list())
  return { keys, piecesIn: (text) => countPieces(keys, text), close: () => end.abort() }
}

function countPieces(keys: ReadonlySet<string>, text: string): number {
  const pieces = new Set<string>()
  for (const pem of keys) for (const piece of secretPieces(pem)) pieces.add(piece)
  // Line ends, also those of PEM within JSON, part nothing.
  const runs = text.replace(/\\[nr]|[\n\r]/g, '').match(/[A-Za-z0-9+/=]{40,}/g) ?? []
  let found = 0
  for (const run of runs) {
    for (let at = 0; at + WINDOW <= run.length; at++) if (pieces.has(run.slice(at, at + WINDOW))) found++
  }
  return found
}

/** All windows of the base64 of the DER, but for those that only hold the public key; and of the base64 of the PEM, as Secrets carry it. */
function secretPieces(pem: string): string[] {
  const key = createPrivateKey(pem)
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const der = key.export({ format: 'der', type: 'pkcs8' })
  return [
    ...windows(der.toString('base64')).filter(
      (_piece, at) => !spki.includes(der.subarray(Math.ceil((at * 3) / 4), Math.floor(((at + WINDOW) * 3) / 4))),
    ),
    ...windows(Buffer.from(pem.slice(pem.indexOf('\n') + 1)).toString('base64')),
  ]
}

function windows(text: string): string[] {
  return Array.from({ length: Math.max(text.length - WINDOW + 1, 0) }, (_, at) => text.slice(at, at + WINDOW))
}
