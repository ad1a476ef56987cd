// The leaf Secret: how it is written, and what of it is kept in the cache (public facts, never the private key).
// Used by the identity controller and the explain command; no IO.

import { type Instant, parseInstant } from '../../base/instant.ts'
import { type Certificate, readChain } from '../../pki/certificate.ts'
import { type Fingerprint, fingerprintOf } from '../../pki/fingerprint.ts'
import { type KeyType, publicKeyHash } from '../../pki/key-type.ts'
import { parsePrivateKey } from '../../pki/private-key.ts'
import { API_VERSION, type AuthorityRef, annotations, labels, MANAGER, type Role } from '../names.ts'
import { dataField, type RawStored, read, type StoredMeta, storedMeta } from './common.ts'

export const LEAF_SECRET_TYPE = 'kubernetes.io/tls'

/** What the leaf says of itself. */
export interface LeafFacts {
  readonly serialNumber: string
  readonly fingerprint: Fingerprint
  readonly notBefore: Instant
  readonly notAfter: Instant
  readonly keyType: KeyType | undefined
  readonly uris: readonly string[]
  readonly dnsNames: readonly string[]
  readonly otherNames: number
  readonly isCA: boolean
  readonly authorityKeyID: string | undefined
}

/** Which MutualIdentity owns a Secret: what its owner reference says. */
export interface LeafOwner {
  readonly name: string
  readonly uid: string
}

/** A leaf Secret in the cache. */
export interface LeafSecret extends StoredMeta {
  readonly type: string
  readonly immutable: boolean
  /** It is being deleted, and finalizers hold it. */
  readonly terminating: boolean
  readonly owner: LeafOwner | undefined
  /** Kind and name of a controller that owns it and is no MutualIdentity. */
  readonly foreignController: string | undefined
  /** Only the labels and annotations of ours. */
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** Why the material cannot be used; undefined when certificate and key could be read. */
  readonly problem: LeafProblem | undefined
  readonly leaf: LeafFacts | undefined
  /** DER, leaf first: for the verification of the chain. */
  readonly chain: readonly Buffer[]
  /** SHA-256 of ca.crt as it stands; undefined when there is none. */
  readonly bundleFingerprint: Fingerprint | undefined
  /** From the annotation: a hint that whoever edits the Secret can change, so it is clamped before use. */
  readonly renewAt: Instant | undefined
}

/** What is wrong with the material, as a reason of the closed list, and in words. */
export interface LeafProblem {
  readonly reason: 'SecretDataMissing' | 'CertificateInvalid' | 'KeyInvalid' | 'KeyMismatch'
  readonly detail: string
}

/** Projects a Secret with our label; total: what cannot be read becomes a problem. The private key is looked at and dropped. */
export function projectLeafSecret(raw: RawStored): LeafSecret {
  const { material, problem } = readMaterial(raw)
  const bundle = dataField(raw, 'ca.crt')
  const owner = raw.metadata.ownerReferences?.find(
    (reference) => reference.kind === 'MutualIdentity' && reference.apiVersion === API_VERSION,
  )
  const foreign = raw.metadata.ownerReferences?.find((reference) => reference !== owner && reference.controller === true)
  const ownAnnotations = knownEntries(raw.metadata.annotations, KNOWN_ANNOTATIONS)
  const renewAt = ownAnnotations[annotations.renewAt]
  return {
    ...storedMeta(raw),
    type: String(raw.type ?? ''),
    immutable: raw.immutable === true,
    terminating: raw.metadata.deletionTimestamp !== undefined,
    owner: owner && { name: owner.name, uid: owner.uid },
    foreignController: foreign && `${foreign.kind} ${foreign.name}`,
    labels: knownEntries(raw.metadata.labels, KNOWN_LABELS),
    annotations: ownAnnotations,
    problem,
    leaf: material && leafFacts(material[0] as Certificate),
    chain: material?.map((certificate) => certificate.der) ?? [],
    bundleFingerprint: bundle && fingerprintOf(bundle),
    renewAt: renewAt === undefined ? undefined : parseInstant(renewAt),
  }
}

/** What goes into a leaf Secret. `privateKey` is PKCS#8 PEM; the caller zeroes it after the write. */
export interface LeafMaterial {
  readonly chain: string
  readonly privateKey: Buffer
  readonly bundle: string
}

/** The metadata that a leaf Secret of ours has. */
export interface LeafMetadata {
  readonly identity: { readonly name: string; readonly uid: string }
  readonly authority: AuthorityRef
  readonly serialNumber: string
  readonly issuingGeneration: number
  readonly renewAt: string
  readonly bundleFingerprint: Fingerprint
  readonly profileHash: Fingerprint
  readonly renewedFor: string | undefined
}

/** Labels, annotations and owner as they must be. */
export function leafSecretMetadata(metadata: LeafMetadata): {
  labels: Record<string, string>
  annotations: Record<string, string>
  ownerReferences: object[]
} {
  return {
    labels: leafSecretLabels(metadata.identity.name, metadata.authority),
    annotations: {
      [annotations.serialNumber]: metadata.serialNumber,
      [annotations.issuingGeneration]: String(metadata.issuingGeneration),
      [annotations.renewAt]: metadata.renewAt,
      [annotations.bundleFingerprint]: metadata.bundleFingerprint,
      [annotations.profileHash]: metadata.profileHash,
      ...(metadata.renewedFor === undefined ? {} : { [annotations.renewedFor]: metadata.renewedFor }),
    },
    ownerReferences: [leafSecretOwner(metadata.identity)],
  }
}

/** The labels of a leaf Secret. */
export function leafSecretLabels(identity: string, authority: AuthorityRef): Record<string, string> {
  const role: Role = 'leaf'
  return {
    [labels.managedBy]: MANAGER,
    [labels.role]: role,
    [labels.identity]: identity,
    [labels.authority]: authority.name,
    [labels.authorityKind]: authority.kind,
  }
}

/** The owner reference to the MutualIdentity: garbage collection removes the Secret with it. */
function leafSecretOwner(identity: { name: string; uid: string }): object {
  return {
    apiVersion: API_VERSION,
    kind: 'MutualIdentity',
    name: identity.name,
    uid: identity.uid,
    controller: true,
    blockOwnerDeletion: false,
  }
}

/** The `data` of a leaf Secret. */
export function leafSecretData(material: LeafMaterial): Record<string, string> {
  return {
    'tls.crt': Buffer.from(material.chain, 'latin1').toString('base64'),
    'tls.key': material.privateKey.toString('base64'),
    'ca.crt': Buffer.from(material.bundle, 'latin1').toString('base64'),
  }
}

function readMaterial(raw: RawStored): { material?: readonly Certificate[]; problem: LeafProblem | undefined } {
  const certificateText = dataField(raw, 'tls.crt')
  const keyText = dataField(raw, 'tls.key')
  const missing = [certificateText ? '' : 'tls.crt', keyText ? '' : 'tls.key'].filter((name) => name !== '')
  if (!certificateText || !keyText) return { problem: { reason: 'SecretDataMissing', detail: `${missing.join(' and ')} missing or empty` } }
  const chain = read(() => readChain(certificateText.toString('latin1')))
  if (!chain.value) return { problem: { reason: 'CertificateInvalid', detail: `tls.crt: ${chain.problem}` } }
  const keyHash = read(() => publicKeyHash(parsePrivateKey(keyText)))
  keyText.fill(0)
  if (!keyHash.value) return { material: chain.value, problem: { reason: 'KeyInvalid', detail: `tls.key: ${keyHash.problem}` } }
  if (keyHash.value !== chain.value[0]?.publicKeyHash) {
    return {
      material: chain.value,
      problem: { reason: 'KeyMismatch', detail: 'tls.key is not the key of the first certificate in tls.crt' },
    }
  }
  return { material: chain.value, problem: undefined }
}

function leafFacts(certificate: Certificate): LeafFacts {
  const { serialNumber, fingerprint, notBefore, notAfter, keyType, uris, dnsNames, otherNames, isCA, authorityKeyID } = certificate
  return { serialNumber, fingerprint, notBefore, notAfter, keyType, uris, dnsNames, otherNames, isCA, authorityKeyID }
}

const KNOWN_LABELS: ReadonlySet<string> = new Set(Object.values(labels))
const KNOWN_ANNOTATIONS: ReadonlySet<string> = new Set(Object.values(annotations))
/** No value of ours is longer; tenants may write 256 kB. */
const LONGEST_VALUE = 256

function knownEntries(entries: Readonly<Record<string, string>> | undefined, known: ReadonlySet<string>): Record<string, string> {
  const own = Object.entries(entries ?? {}).filter(([key]) => known.has(key))
  return Object.fromEntries(own.map(([key, value]) => [key, value.slice(0, LONGEST_VALUE)]))
}
