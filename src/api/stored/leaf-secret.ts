// The leaf Secret: how it is written, and what of it is kept in the cache (public facts, never the private key).
// Used by the identity controller and the explain command; no IO.

import { type Instant, parseInstant } from '../../base/instant.ts'
import { type Certificate, readChain } from '../../pki/certificate.ts'
import { type Fingerprint, fingerprintOf } from '../../pki/fingerprint.ts'
import { type KeyType, publicKeyHash } from '../../pki/key-type.ts'
import { parsePrivateKey } from '../../pki/private-key.ts'
import type { SecretTemplate } from '../mutual-identity.ts'
import { API_VERSION, type AuthorityRef, annotations, authorityLabels, authorityRef, labels, MANAGER, type Role } from '../names.ts'
import { asList, asRecord } from '../reading.ts'
import { dataField, dataText, OWN_LABELS, ownLabels, type RawStored, read, type StoredMeta, storedMeta } from './common.ts'
import { type FormerAuthority, formatFormerAuthorities, readFormerAuthorities } from './former-authorities.ts'
import { extraFiles, hashFiles, holdsKey, leafCrowding } from './leaf-files.ts'

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
  readonly createdAt: Instant
  readonly type: string
  readonly immutable: boolean
  /** It is being deleted, and finalizers hold it. */
  readonly terminating: boolean
  readonly owner: LeafOwner | undefined
  /** Kind and name of a controller that owns it and is no MutualIdentity. */
  readonly foreignController: string | undefined
  /** Only the labels and annotations of ours; those of people's templates are in `template`. */
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** Why the material cannot be used; undefined when certificate and key could be read. */
  readonly problem: LeafProblem | undefined
  readonly leaf: LeafFacts | undefined
  /** DER, leaf first: for the verification of the chain. */
  readonly chain: readonly Buffer[]
  /** SHA-256 of ca.crt as it stands; undefined when there is none. */
  readonly bundleFingerprint: Fingerprint | undefined
  /** The files besides tls.crt, tls.key and ca.crt that formats make, sorted. */
  readonly files: readonly string[]
  /** Files of others that take the room of ours. */
  readonly crowding: readonly string[]
  /** SHA-256 over those of them that hold the private key, and over the others, which hold anchors; undefined when there are none. */
  readonly keyFilesHash: Fingerprint | undefined
  readonly trustFilesHash: Fingerprint | undefined
  /** The values that the keys of the last template have now. */
  readonly template: { readonly labels: Readonly<Record<string, string>>; readonly annotations: Readonly<Record<string, string>> }
  /** Those that signed before, and until when what they signed may be in use. */
  readonly formerAuthorities: readonly FormerAuthority[]
  /** From the annotation: a hint that whoever edits the Secret can change, so it is clamped before use. */
  readonly renewAt: Instant | undefined
}

/** What is wrong with the material, as a reason of the closed list, and in words. */
export interface LeafProblem {
  readonly reason: 'SecretDataMissing' | 'CertificateInvalid' | 'KeyInvalid' | 'KeyMismatch'
  readonly detail: string
}

/** What was just written into a leaf Secret: its `data`, and the chain in it, which was checked against the key in it. */
export interface MadeLeaf {
  readonly data: Readonly<Record<string, string | null>>
  readonly chain: readonly Certificate[]
}

/**
 * Projects a Secret with our label; total: what cannot be read becomes a problem. The private key is looked at and dropped. Where the Secret holds
 * what was just `made`, neither certificate nor key need be decoded again, which is half a millisecond.
 */
export function projectLeafSecret(raw: RawStored, made?: MadeLeaf): LeafSecret {
  const { material, problem } = made && holds(raw, made) ? { material: made.chain, problem: undefined } : readMaterial(raw)
  const bundle = dataField(raw, 'ca.crt')
  const owner = raw.metadata.ownerReferences?.find(
    (reference) => reference.kind === 'MutualIdentity' && reference.apiVersion === API_VERSION,
  )
  const foreign = raw.metadata.ownerReferences?.find((reference) => reference !== owner && reference.controller === true)
  const ownAnnotations = readOwnAnnotations(raw)
  const extra = extraFiles(raw)
  const names = Object.keys(extra)
  const keyFilesHash = hashFiles(extra, names.filter(holdsKey))
  for (const name of names) if (holdsKey(name)) extra[name]?.fill(0)
  const renewAt = ownAnnotations[annotations.renewAt]
  return {
    ...storedMeta(raw),
    createdAt: parseInstant(raw.metadata.creationTimestamp ?? '') ?? 0,
    type: String(raw.type ?? ''),
    immutable: raw.immutable === true,
    terminating: raw.metadata.deletionTimestamp !== undefined,
    owner: owner && { name: owner.name, uid: owner.uid },
    foreignController: foreign && `${foreign.kind} ${foreign.name}`,
    labels: ownLabels(raw),
    annotations: ownAnnotations,
    problem,
    leaf: material && leafFacts(material[0] as Certificate),
    chain: material?.map((certificate) => certificate.der) ?? [],
    bundleFingerprint: bundle && fingerprintOf(bundle),
    files: names.sort(),
    crowding: leafCrowding(raw),
    keyFilesHash,
    trustFilesHash: hashFiles(
      extra,
      names.filter((name) => !holdsKey(name)),
    ),
    template: templateValues(raw, ownAnnotations[annotations.template]),
    formerAuthorities: readFormerAuthorities(ownAnnotations[annotations.formerAuthorities]?.split(',') ?? [], raw.metadata.namespace ?? ''),
    renewAt: renewAt === undefined ? undefined : parseInstant(renewAt),
  }
}

/** The metadata that a leaf Secret of ours has, but for what is said of its anchors and its other files. */
export interface LeafMetadata {
  readonly identity: { readonly name: string; readonly uid: string }
  readonly authority: AuthorityRef
  readonly serialNumber: string
  readonly issuingGeneration: number
  readonly renewAt: string
  readonly profileHash: Fingerprint
  readonly renewedFor: string | undefined
  readonly template: SecretTemplate
}

/** What is said of the anchors in a Secret. */
export interface LeafTrust {
  /** Of ca.crt. */
  readonly bundleFingerprint: Fingerprint
  readonly trustHash: Fingerprint
  /** RFC 3339 */
  readonly trustSince: string
  /** The own one first. */
  readonly trustDomains: readonly string[]
  /** Undefined: there is nothing but ca.crt. */
  readonly trustFilesHash: Fingerprint | undefined
  readonly formerAuthorities: readonly FormerAuthority[]
}

/** Annotations by name; null takes one away. */
export type AnnotationPatch = Readonly<Record<string, string | null>>

/** Labels, annotations and owner as they must be. */
export function leafSecretMetadata(metadata: LeafMetadata): {
  labels: Record<string, string>
  annotations: AnnotationPatch
  ownerReferences: object[]
} {
  const template = withoutReserved(metadata.template)
  return {
    labels: { ...template.labels, ...leafSecretLabels(metadata.identity.name, metadata.authority) },
    annotations: {
      ...template.annotations,
      [annotations.serialNumber]: metadata.serialNumber,
      [annotations.issuingGeneration]: String(metadata.issuingGeneration),
      [annotations.renewAt]: metadata.renewAt,
      [annotations.profileHash]: metadata.profileHash,
      [annotations.renewedFor]: metadata.renewedFor ?? null,
      [annotations.template]: templateKeys(template) ?? null,
    },
    ownerReferences: [leafSecretOwner(metadata.identity)],
  }
}

/** The schema refuses keys of ours; these were stored before it did. */
function withoutReserved(template: SecretTemplate): SecretTemplate {
  const others = (entries: Readonly<Record<string, string>>, known: ReadonlySet<string>): Record<string, string> =>
    Object.fromEntries(Object.entries(entries).filter(([key]) => !known.has(key)))
  return { labels: others(template.labels, OWN_LABELS), annotations: others(template.annotations, OWN_ANNOTATIONS) }
}

/** The annotations that change with the anchors. Most Secrets have one: what is more than the own authority's ca.crt is said where it is. */
export function trustAnnotations(trust: LeafTrust): AnnotationPatch {
  const { trustDomains, trustFilesHash, formerAuthorities } = trust
  const several = trustDomains.length > 1
  return {
    [annotations.bundleFingerprint]: trust.bundleFingerprint,
    [annotations.trustHash]: several || trustFilesHash !== undefined ? trust.trustHash : null,
    [annotations.trustSince]: several ? trust.trustSince : null,
    [annotations.trustDomains]: several ? trustDomains.join(',') : null,
    [annotations.trustFilesHash]: trustFilesHash ?? null,
    [annotations.formerAuthorities]: formerAuthorities.length > 0 ? formatFormerAuthorities(formerAuthorities).join(',') : null,
  }
}

/** The keys of a template, as they are recorded on the Secret; undefined when it is empty. */
function templateKeys({ labels: ofLabels, annotations: ofAnnotations }: SecretTemplate): string | undefined {
  const keys = { labels: Object.keys(ofLabels).sort(), annotations: Object.keys(ofAnnotations).sort() }
  return keys.labels.length + keys.annotations.length === 0 ? undefined : JSON.stringify(keys)
}

function templateValues(raw: RawStored, recorded: string | undefined): LeafSecret['template'] {
  const keys = recorded === undefined ? undefined : asRecord(read(() => JSON.parse(recorded) as unknown).value)
  const values = (field: 'labels' | 'annotations'): Record<string, string> => {
    const wanted = new Set(asList(keys?.[field]))
    const reserved = field === 'labels' ? OWN_LABELS : OWN_ANNOTATIONS
    return Object.fromEntries(Object.entries(raw.metadata[field] ?? {}).filter(([key]) => wanted.has(key) && !reserved.has(key)))
  }
  return { labels: values('labels'), annotations: values('annotations') }
}

/** The authority that the labels of a leaf Secret name; a namespaced one is of the Secret's own namespace, whatever they say. */
export function labelledAuthority({ labels: own, namespace }: Pick<LeafSecret, 'labels' | 'namespace'>): AuthorityRef | undefined {
  const name = own[labels.authority]
  if (name === undefined) return undefined
  return authorityRef(own[labels.authorityKind] === 'MutualAuthority' ? 'MutualAuthority' : 'ClusterMutualAuthority', namespace, name)
}

/** The labels of a leaf Secret. */
export function leafSecretLabels(identity: string, authority: AuthorityRef): Record<string, string> {
  const role: Role = 'leaf'
  return {
    [labels.managedBy]: MANAGER,
    [labels.role]: role,
    [labels.identity]: identity,
    ...authorityLabels(authority),
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

/** The `data` of a Secret. */
export function secretData(files: Readonly<Record<string, Buffer>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, bytes.toString('base64')]))
}

function holds(raw: RawStored, { data }: MadeLeaf): boolean {
  return ['tls.crt', 'tls.key'].every((name) => data[name] !== undefined && dataText(raw, name) === data[name])
}

function readMaterial(raw: RawStored): { material?: readonly Certificate[]; problem: LeafProblem | undefined } {
  const certificateText = dataField(raw, 'tls.crt')
  const keyText = dataField(raw, 'tls.key')
  const missing = [certificateText ? '' : 'tls.crt', keyText ? '' : 'tls.key'].filter((name) => name !== '')
  const chain = certificateText && read(() => readChain(certificateText.toString('latin1')))
  if (!chain || !keyText) {
    const problem = { reason: 'SecretDataMissing', detail: `${missing.join(' and ')} missing or empty` } as const
    return { ...(chain?.value ? { material: chain.value } : {}), problem }
  }
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

const OWN_ANNOTATIONS: ReadonlySet<string> = new Set(Object.values(annotations))
/** No value of ours is longer; tenants may write 256 kB. */
const LONGEST_VALUE = 256
/** But for lists: 64 keys of a template, 17 trust domains. */
const LONG_VALUES: ReadonlySet<string> = new Set([annotations.template, annotations.trustDomains, annotations.formerAuthorities])
const LONGEST_LIST = 32_768

function readOwnAnnotations(raw: RawStored): Record<string, string> {
  const own = Object.entries(raw.metadata.annotations ?? {}).filter(([key]) => OWN_ANNOTATIONS.has(key))
  return Object.fromEntries(own.map(([key, value]) => [key, value.slice(0, LONG_VALUES.has(key) ? LONGEST_LIST : LONGEST_VALUE)]))
}
