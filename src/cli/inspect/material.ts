// What is in the Secret of an identity, read for people: chain and anchors. The private key is dropped before anything else happens; that it fits is
// what the controller's own reading of the Secret says.

import { type LeafSecret, projectLeafSecret } from '../../api/stored/leaf-secret.ts'
import { messageOf } from '../../base/errors.ts'
import type { Client } from '../../k8s/client.ts'
import { isForbidden, isNotFound } from '../../k8s/errors.ts'
import { configMaps, type ObjectRef, type RawObject, secrets } from '../../k8s/resource.ts'
import { parseBundle } from '../../pki/bundle.ts'
import { type Certificate, readChain } from '../../pki/certificate.ts'

/** Certificates, or why they cannot be read. */
export interface ReadCertificates {
  readonly certificates: readonly Certificate[]
  readonly problem: string | undefined
}

export interface Material {
  readonly secret: LeafSecret
  /** Names of all files, of ours and of others. */
  readonly files: readonly string[]
  readonly chain: ReadCertificates
  readonly anchors: ReadCertificates
}

/** Undefined: there is no such Secret. */
export async function readMaterial(client: Pick<Client, 'get'>, ref: ObjectRef): Promise<Material | 'unknown' | undefined> {
  const raw = await readObject(client, secrets, ref)
  if (raw === undefined || raw === 'unknown') return raw
  const secret = projectLeafSecret(raw)
  const data = (raw['data'] ?? {}) as Record<string, string>
  const [chain, anchors] = ['tls.crt', 'ca.crt'].map((name) => Buffer.from(data[name] ?? '', 'base64').toString('latin1'))
  const files = Object.keys(data).sort()
  raw['data'] = undefined
  return {
    secret,
    files,
    chain: certificatesOf(() => readChain(chain ?? '')),
    anchors: certificatesOf(() => parseBundle(anchors ?? '').anchors),
  }
}

/** The anchors in a ConfigMap with a trust bundle, which most people may read. */
export async function readBundleCopy(client: Pick<Client, 'get'>, ref: ObjectRef): Promise<ReadCertificates | 'unknown' | undefined> {
  const raw = await readObject(client, configMaps, ref)
  if (raw === undefined || raw === 'unknown') return raw
  const text = String((raw['data'] as Record<string, unknown> | undefined)?.['ca.crt'] ?? '')
  return certificatesOf(() => parseBundle(text).anchors)
}

async function readObject(
  client: Pick<Client, 'get'>,
  resource: typeof secrets,
  ref: ObjectRef,
): Promise<RawObject | 'unknown' | undefined> {
  try {
    return await client.get(resource, ref)
  } catch (error) {
    if (isForbidden(error)) return 'unknown'
    if (isNotFound(error)) return undefined
    throw error
  }
}

function certificatesOf(parse: () => readonly Certificate[]): ReadCertificates {
  try {
    return { certificates: parse(), problem: undefined }
  } catch (error) {
    return { certificates: [], problem: messageOf(error) }
  }
}
