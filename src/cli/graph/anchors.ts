// Which anchors the Secrets of identities hold, file by file. Of each Secret only the files without a key are looked at.

import type { Client } from '../../k8s/client.ts'
import { isForbidden } from '../../k8s/errors.ts'
import type { RawObject } from '../../k8s/resource.ts'
import { parseBundle } from '../../pki/bundle.ts'
import { scopes } from '../../stores.ts'

/** By `namespace/name`, by file, fingerprints. `unknown`: Secrets may not be read. */
export type HeldAnchors = ReadonlyMap<string, Readonly<Record<string, readonly string[]>>> | 'unknown'

/** Of one namespace, or of all. */
export async function readHeldAnchors(client: Client, namespace: string | undefined): Promise<HeldAnchors> {
  const { resource, labelSelector } = scopes.leafSecrets
  const held = new Map<string, Readonly<Record<string, readonly string[]>>>()
  try {
    for await (const { items } of client.listPages(resource, { labelSelector, ...(namespace === undefined ? {} : { namespace }) })) {
      for (const raw of items) held.set(`${raw.metadata.namespace}/${raw.metadata.name}`, anchorsOf(raw))
    }
    return held
  } catch (error) {
    if (isForbidden(error)) return 'unknown'
    throw error
  }
}

/** `ca.crt`, and one file for each trust domain where they are kept apart. */
const HOLDS_ANCHORS = /^ca\.crt$|\.spiffe-trust-bundle\.x509\.pem$/

function anchorsOf(raw: RawObject): Readonly<Record<string, readonly string[]>> {
  const data = (raw['data'] ?? {}) as Readonly<Record<string, string>>
  const files = Object.keys(data)
    .filter((name) => HOLDS_ANCHORS.test(name))
    .sort()
  return Object.fromEntries(files.map((name) => [name, fingerprintsIn(data[name] ?? '')]))
}

/** Nothing where it cannot be read: inspect says why. */
function fingerprintsIn(base64: string): readonly string[] {
  try {
    return parseBundle(Buffer.from(base64, 'base64').toString('latin1')).anchors.map(({ fingerprint }) => fingerprint)
  } catch {
    return []
  }
}
