// The files of a leaf Secret in the formats that are asked for. Used by perform, which alone sees the private key; keystores are made lazily.

import type { Format } from '../../../api/mutual-identity.ts'
import { KEY_FILES, TRUST_STORES } from '../../../api/stored/leaf-files.ts'
import type { Instant } from '../../../base/instant.ts'
import type { Random } from '../../../base/random.ts'
import type { Certificate } from '../../../pki/certificate.ts'
import { jksKeyStore, jksTrustStore } from '../../../pki/keystore/jks.ts'
import { pkcs12KeyStore, pkcs12TrustStore } from '../../../pki/keystore/pkcs12.ts'
import { formatPem } from '../../../pki/pem.ts'
import type { Trust } from '../trust/trust.ts'

/** A key, its chain (leaf first, no root), and what keystores need. */
export interface KeyMaterial {
  /** PKCS#8 DER; no file is this very buffer. */
  readonly privateKey: Buffer
  /** PKCS#8 PEM. */
  readonly privateKeyPem: Buffer
  readonly chain: readonly Certificate[]
}

/** What keystores are made with; the password is asked for only where there is one to make. */
export interface StoreContext {
  readonly alias: string
  readonly password: () => Promise<string>
  readonly now: Instant
  readonly random: Random
}

type Files = Record<string, Buffer>

/** tls.crt, tls.key and the files of the formats that hold the key. The caller zeroes them; where one of them cannot be made, all are zeroed here. */
export async function keyFiles(
  material: KeyMaterial,
  formats: readonly Format[],
  context: StoreContext,
): Promise<{ pem: Files; extra: Files }> {
  const chain = Buffer.from(material.chain.map(({ der }) => formatPem('CERTIFICATE', der)).join(''), 'latin1')
  const extra: Files = {}
  try {
    for (const format of formats) extra[KEY_FILES[format][0]] = await RENDER[format](material, chain, context)
  } catch (error) {
    for (const bytes of [material.privateKeyPem, ...Object.values(extra)]) bytes.fill(0)
    throw error
  }
  return { pem: { 'tls.crt': chain, 'tls.key': material.privateKeyPem }, extra }
}

const RENDER = {
  CombinedPEM: async ({ privateKeyPem }, chain) => Buffer.concat([chain, privateKeyPem]),
  SPIFFE: async ({ privateKeyPem }, chain) => Buffer.concat([privateKeyPem, chain]),
  PKCS12: async ({ privateKey, chain }, _pem, { alias, password, random }) =>
    pkcs12KeyStore({ alias, privateKey, chain, password: await password() }, random),
  JKS: async ({ privateKey, chain }, _pem, { alias, password, now, random }) =>
    jksKeyStore({ alias, privateKey, chain, password: await password(), createdAt: now }, random),
  DER: async ({ privateKey }) => Buffer.from(privateKey),
} as const satisfies Record<Format, (material: KeyMaterial, chainPem: Buffer, context: StoreContext) => Promise<Buffer>>

/** ca.crt, and the other files that hold anchors. */
export async function trustFiles(trust: Trust, context: StoreContext): Promise<{ pem: Files; extra: Files }> {
  const extra: Files = Object.fromEntries(Object.entries(trust.files).map(([name, text]) => [name, Buffer.from(text, 'latin1')]))
  const anchors = trust.bundle.anchors.map((certificate, index) => ({ alias: `ca-${index + 1}`, certificate }))
  for (const store of trust.stores) {
    const password = await context.password()
    extra[TRUST_STORES[store]] =
      store === 'PKCS12'
        ? await pkcs12TrustStore({ anchors, password }, context.random)
        : await jksTrustStore({ anchors, password, createdAt: context.now })
  }
  return { pem: { 'ca.crt': Buffer.from(trust.bundle.text, 'latin1') }, extra }
}
