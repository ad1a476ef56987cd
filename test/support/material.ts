// Raw objects as the API server holds them, with real keys and certificates in them, and stores filled with such objects.
// For the tests of codecs, observe, perform, issuers and whole passes.

import { API_VERSION, type AuthorityRef } from '../../src/api/names.ts'
import { type PublishedBundle, publishedBundle, renderBundle } from '../../src/api/stored/bundle.ts'
import { renderCaSecret } from '../../src/api/stored/ca-secret.ts'
import { LEAF_SECRET_TYPE, leafSecretMetadata, trustAnnotations } from '../../src/api/stored/leaf-secret.ts'
import { hours } from '../../src/base/duration.ts'
import { formatInstant, type Instant } from '../../src/base/instant.ts'
import type { Random } from '../../src/base/random.ts'
import type { Caches } from '../../src/controllers/caches.ts'
import type { RawMeta, RawObject } from '../../src/k8s/resource.ts'
import type { Store, Stored } from '../../src/k8s/store.ts'
import type { Collection } from '../../src/k8s/store-group.ts'
import { makeBundle } from '../../src/pki/bundle.ts'
import type { Certificate } from '../../src/pki/certificate.ts'
import { parseDnsName } from '../../src/pki/dns-name.ts'
import { fingerprintOf } from '../../src/pki/fingerprint.ts'
import { generateKeyPair, generateLeafKey, type KeyPair, privateKeyPem, renderPrivateKey } from '../../src/pki/keys.ts'
import { formatPem } from '../../src/pki/pem.ts'
import type { LeafProfile, RootProfile } from '../../src/pki/profile.ts'
import { createRoot, signLeaf } from '../../src/pki/sign.ts'
import { workloadId } from '../../src/pki/spiffe-id.ts'
import { parseTrustDomain } from '../../src/pki/trust-domain.ts'
import { createStores, type Stores } from '../../src/stores.ts'

export const NOW: Instant = Date.parse('2026-11-24T12:00:00Z')
export const OPERATOR_NAMESPACE = 'mutual-identity-system'
export const DEFAULT_REF: AuthorityRef = { kind: 'ClusterMutualAuthority', namespace: '', name: 'default' }
const TRUST_DOMAIN = parseTrustDomain('cluster.local')

let drawn = 0
/** Draws the middle, and never the same bytes twice. */
export const steadyRandom: Random = {
  uniform: () => 0.5,
  bytes(count) {
    const bytes = new Uint8Array(count)
    new DataView(bytes.buffer).setUint32(0, ++drawn)
    return bytes
  },
}

/** A CA: its key and its root. */
export interface CA {
  readonly keyPair: KeyPair
  readonly certificate: Certificate
  readonly profile: RootProfile
}

/** A CA of cluster.local that was made a day before NOW. */
export async function makeCA(change: Partial<RootProfile> & { madeAt?: Instant } = {}): Promise<CA> {
  const { madeAt = NOW - hours(24), ...more } = change
  const profile: RootProfile = { trustDomain: TRUST_DOMAIN, generation: 1, keyType: 'ECDSAP256', lifetime: hours(2160), ...more }
  const keyPair = await generateKeyPair(profile.keyType)
  return { keyPair, certificate: await createRoot(profile, keyPair, madeAt, steadyRandom), profile }
}

/** Changes the metadata and the fields of a raw object; an undefined label or annotation is taken away. */
export interface RawChange {
  readonly metadata?: Partial<RawMeta>
  readonly labels?: Readonly<Record<string, string | undefined>>
  readonly annotations?: Readonly<Record<string, string | undefined>>
  readonly data?: Readonly<Record<string, string | undefined>>
  readonly fields?: Readonly<Record<string, unknown>>
}

let versions = 0
/** A raw object with uid, resourceVersion and `change`. */
export function changed(raw: { metadata: object }, change: RawChange = {}): RawObject {
  const object = raw as RawObject
  const given = { ...object.metadata, ...change.metadata }
  const metadata = { uid: `uid-${given.name}`, resourceVersion: String(++versions), ...given }
  return {
    ...object,
    ...change.fields,
    ...(object['data'] === undefined ? {} : { data: defined({ ...(object['data'] as Record<string, string>), ...change.data }) }),
    metadata: {
      ...metadata,
      labels: defined({ ...metadata.labels, ...change.labels }),
      annotations: defined({ ...metadata.annotations, ...change.annotations }),
    },
  }
}

function defined(entries: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

/** The CA Secret of a generation, active unless told otherwise. */
export function caSecret(ca: CA, change: RawChange & { activatedAt?: Instant | undefined; authority?: AuthorityRef } = {}): RawObject {
  const { activatedAt = NOW - hours(24), authority = DEFAULT_REF } = change
  const privateKey = renderPrivateKey(ca.keyPair.privateKey)
  const raw = renderCaSecret(OPERATOR_NAMESPACE, {
    authority,
    generation: ca.profile.generation,
    trustDomain: ca.profile.trustDomain,
    certificate: ca.certificate,
    issuers: [],
    root: ca.certificate,
    copiedFrom: undefined,
    privateKey,
    longestLeafLifetime: hours(360),
    activatedAt: 'activatedAt' in change && change.activatedAt === undefined ? undefined : activatedAt,
  })
  return changed(raw, change)
}

/** Published as number 7. */
export const bundleOf = (...cas: readonly CA[]): PublishedBundle => {
  const anchors = cas.map(({ certificate }) => certificate)
  return publishedBundle(makeBundle(anchors, NOW), cas[0]?.profile.trustDomain ?? '', 7)
}

/** The published record, or a copy of it in `namespace`. */
export function bundleMap(bundle: PublishedBundle, change: RawChange & { namespace?: string; authority?: AuthorityRef } = {}): RawObject {
  return changed(renderBundle(change.namespace ?? OPERATOR_NAMESPACE, change.authority ?? DEFAULT_REF, bundle), change)
}

/** What a leaf is asked to be: payments of shop, valid for a day. */
export function leafProfile(change: Partial<LeafProfile> & { account?: string } = {}): LeafProfile {
  const { account = 'payments', ...more } = change
  const dnsNames = ['payments.shop', 'payments.shop.svc', 'payments.shop.svc.cluster.local'].map((name) => parseDnsName(name))
  return { spiffeId: workloadId(TRUST_DOMAIN, 'shop', account), dnsNames, keyType: 'ECDSAP256', lifetime: hours(24), ...more }
}

export const b64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64')
export const pemOf = (...certificates: readonly Certificate[]): string =>
  certificates.map(({ der }) => formatPem('CERTIFICATE', der)).join('')

/** A leaf Secret for shop/payments as the controller writes it, issued two hours before NOW. */
export async function leafSecret(
  ca: CA,
  change: RawChange & { profile?: LeafProfile; issuedAt?: Instant; bundle?: PublishedBundle } = {},
): Promise<RawObject> {
  const { profile = leafProfile(), issuedAt = NOW - hours(2), bundle = bundleOf(ca) } = change
  const key = await generateLeafKey(profile.keyType)
  const signer = { certificate: ca.certificate, privateKey: ca.keyPair.privateKey }
  const leaf = await signLeaf(profile, key.publicKey, signer, issuedAt, steadyRandom)
  const metadata = leafSecretMetadata({
    identity: { name: 'payments', uid: 'uid-payments' },
    authority: DEFAULT_REF,
    serialNumber: leaf.serialNumber,
    issuingGeneration: ca.profile.generation,
    renewAt: formatInstant(issuedAt + hours(13)),
    profileHash: fingerprintOf(Buffer.from('what was asked for')),
    renewedFor: undefined,
    template: { labels: {}, annotations: {} },
  })
  const trust = trustAnnotations({
    bundleFingerprint: bundle.fingerprint,
    trustHash: bundle.fingerprint,
    trustSince: '',
    trustDomains: [bundle.trustDomain],
    trustFilesHash: undefined,
    formerAuthorities: [],
  })
  const said = Object.entries({ ...metadata.annotations, ...trust }).filter((entry): entry is [string, string] => entry[1] !== null)
  const data = { 'tls.crt': b64(pemOf(leaf)), 'tls.key': b64(privateKeyPem(key.privateKey)), 'ca.crt': b64(bundle.text) }
  return changed(
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: LEAF_SECRET_TYPE,
      metadata: { namespace: 'shop', name: 'payments-mtls', ...metadata, annotations: Object.fromEntries(said) },
      data,
    } as RawObject,
    change,
  )
}

/** ClusterMutualAuthority default. */
export function authorityObject(spec: object = {}, change: RawChange = {}): RawObject {
  const metadata = { name: 'default', generation: 1, creationTimestamp: formatInstant(NOW - hours(48)) }
  return changed({ apiVersion: API_VERSION, kind: 'ClusterMutualAuthority', metadata, spec } as RawObject, change)
}

/** MutualIdentity shop/payments, which selects app=payments. */
export function identityObject(spec: object = {}, change: RawChange = {}): RawObject {
  const metadata = { namespace: 'shop', name: 'payments', generation: 1, creationTimestamp: formatInstant(NOW - hours(24)) }
  const whole = { podSelector: { matchLabels: { app: 'payments' } }, ...spec }
  return changed({ apiVersion: API_VERSION, kind: 'MutualIdentity', metadata, spec: whole } as RawObject, change)
}

/** A running pod of shop with app=payments, as payments. */
export function podObject(
  name: string,
  change: RawChange & { account?: string; phase?: string; labels?: Record<string, string> } = {},
): RawObject {
  const { account = 'payments', phase = 'Running', labels = { app: 'payments' }, ...more } = change
  const spec = { serviceAccountName: account }
  return changed({ metadata: { namespace: 'shop', name, labels }, spec, status: { phase } } as RawObject, more)
}

/** A Service of shop that selects app=payments. */
export function serviceObject(name: string, spec: object = {}, change: RawChange = {}): RawObject {
  return changed(
    { metadata: { namespace: 'shop', name }, spec: { selector: { app: 'payments' }, clusterIP: '10.0.0.1', ...spec } } as RawObject,
    change,
  )
}

/** A Deployment (or a workload of another kind) of shop that runs pods with app=payments, made before NOW; it opts in to restarts. */
export function workloadObject(
  name = 'payments',
  change: RawChange & { template?: Record<string, string>; restartedFor?: string; spec?: object } = {},
): RawObject {
  const { template = { app: 'payments' }, restartedFor, spec = {}, ...more } = change
  const annotations = restartedFor === undefined ? {} : { 'mutualidentity.io/restarted-for': restartedFor }
  const metadata = {
    namespace: 'shop',
    name,
    creationTimestamp: formatInstant(NOW - hours(24)),
    annotations: { 'mutualidentity.io/restart-on-renewal': 'true' },
  }
  const fields = { template: { metadata: { labels: template, annotations }, spec: { containers: [] } }, ...spec }
  return changed({ metadata, spec: fields } as RawObject, more)
}

export const namespaceObject = (name: string, change: RawChange = {}): RawObject => changed({ metadata: { name } }, change)

/** As they are where all namespaces are watched. */
export type PlainStores = { readonly [K in keyof Stores]: Stores[K] extends Collection<infer T> ? Store<T> : never }

/** Stores that hold these objects. A problem of a projection fails the test. */
export function filledStores(objects: { readonly [K in keyof Caches]?: readonly RawObject[] } = {}): PlainStores {
  const stores = createStores(({ name, part, error }) => {
    throw new Error(`${part} of ${name}`, { cause: error })
  }) as PlainStores
  for (const [name, store] of Object.entries(stores) as unknown as [keyof Caches, Store<Stored>][]) {
    const replacement = store.beginReplace()
    for (const raw of objects[name] ?? []) replacement.add(raw)
    replacement.finish('0')
  }
  return stores
}
