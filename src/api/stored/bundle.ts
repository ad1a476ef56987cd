// The trust bundle in ConfigMaps: the published record in the operator's namespace (where anchors are recovered from) and its copies
// in the namespaces of identities (which tenants may edit, so nothing is ever read back from them but a fingerprint). No IO.

import { parseBundle, type TrustBundle } from '../../pki/bundle.ts'
import { type Fingerprint, fingerprintOf } from '../../pki/fingerprint.ts'
import { spiffeBundleJson } from '../../pki/spiffe-bundle.ts'
import { contained } from '../label-selector.ts'
import { type AuthorityRef, annotations, authorityLabels, authorityOfObject, bundleName, labels, MANAGER, type Role } from '../names.ts'
import { crowding, dataText, ownLabels, type RawStored, read, type StoredMeta, storedMeta } from './common.ts'

/** How often readers of bundle.json should look again: what a mounted ConfigMap may lag anyway is a little more than a minute. */
const REFRESH_HINT_SECONDS = 300

/** A copy in the cache. */
export interface BundleCopy extends StoredMeta {
  readonly authority: AuthorityRef
  readonly immutable: boolean
  /** It is being deleted, and finalizers hold it. */
  readonly terminating: boolean
  /** SHA-256 of `ca.crt` as it stands; undefined when it is missing. */
  readonly fingerprint: Fingerprint | undefined
  /** SHA-256 of `bundle.json` likewise. */
  readonly jsonFingerprint: Fingerprint | undefined
  /** What the annotation says it should be. */
  readonly recordedFingerprint: string | undefined
  readonly labels: Readonly<Record<string, string>>
  /** Entries of others that take the room of ours. */
  readonly crowding: readonly string[]
}

/** A bundle as it is given to everybody: PEM and SPIFFE's JWKS of the same anchors. */
export interface PublishedBundle extends TrustBundle {
  readonly trustDomain: string
  /** Grows with each bundle that is published (spiffe_sequence). */
  readonly sequence: number
  readonly json: string
  readonly jsonFingerprint: Fingerprint
}

/** The published record in the cache: a copy whose text was read. */
export interface BundleRecord extends BundleCopy {
  readonly sequence: number
  readonly bundle: PublishedBundle | undefined
  /** Why the text is no bundle, or that it is not the text that was published. */
  readonly problem: string | undefined
}

/** A bundle with the number and the trust domain it is published under. */
export function publishedBundle(bundle: TrustBundle, trustDomain: string, sequence: number): PublishedBundle {
  const json = spiffeBundleJson(bundle.anchors, { sequence, refreshHintSeconds: REFRESH_HINT_SECONDS })
  return { ...bundle, trustDomain, sequence, json, jsonFingerprint: fingerprintOf(Buffer.from(json)) }
}

/** Projects a copy; total. */
export function projectBundleCopy(raw: RawStored): BundleCopy {
  const fingerprint = (field: string): Fingerprint | undefined => {
    const text = dataText(raw, field)
    return text === undefined ? undefined : fingerprintOf(Buffer.from(text))
  }
  return {
    ...storedMeta(raw),
    authority: authorityOfObject(raw.metadata.name),
    immutable: raw.immutable === true,
    terminating: raw.metadata.deletionTimestamp !== undefined,
    fingerprint: fingerprint('ca.crt'),
    jsonFingerprint: fingerprint('bundle.json'),
    recordedFingerprint: raw.metadata.annotations?.[annotations.bundleFingerprint],
    labels: ownLabels(raw),
    crowding: bundleCrowding(raw),
  }
}

/** Entries of others in a ConfigMap of ours that take the room of ours. */
export const bundleCrowding = (raw: RawStored): readonly string[] => crowding(raw, (name) => name === 'ca.crt' || name === 'bundle.json')

/**
 * What of a ConfigMap a bundle takes the place of. An entry of `binaryData` is in the way of one of that name in `data`: the API server refuses both
 * together, and programs are given the one that is there.
 */
export function bundleData(bundle: PublishedBundle, crowded: readonly string[]) {
  const data = { 'ca.crt': bundle.text, 'bundle.json': bundle.json }
  const none = (names: readonly string[]): Record<string, null> => Object.fromEntries(names.map((name) => [name, null]))
  return { data: { ...none(crowded), ...data }, binaryData: none([...crowded, ...Object.keys(data)]) }
}

/** Projects the record; total. A text that differs from the fingerprint beside it was edited and is not believed. */
export function projectBundleRecord(raw: RawStored): BundleRecord {
  const copy = projectBundleCopy(raw)
  const own = raw.metadata.annotations ?? {}
  const number = Number(own[annotations.bundleSequence] ?? '0')
  const sequence = Number.isSafeInteger(number) && number > 0 ? number : 0
  const unusable = (problem: string): BundleRecord => ({ ...copy, sequence, bundle: undefined, problem })
  const text = dataText(raw, 'ca.crt')
  if (text === undefined) return unusable('ca.crt is missing')
  const bundle = read(() => parseBundle(text))
  if (!bundle.value) return unusable(bundle.problem ?? '')
  if (copy.fingerprint !== copy.recordedFingerprint) return unusable('ca.crt is not the text that was published')
  const counted = Math.max(sequence, writtenSequence(raw, bundle.value))
  return {
    ...copy,
    sequence: counted,
    bundle: publishedBundle(bundle.value, own[annotations.trustDomain] ?? '', counted),
    problem: undefined,
  }
}

/** The number in a bundle.json that is as we write it, else 0: an annotation that somebody set back must not make the count go back. */
function writtenSequence(raw: RawStored, bundle: TrustBundle): number {
  const text = dataText(raw, 'bundle.json') ?? ''
  const number = Number(/"spiffe_sequence": (\d{1,15})\b/.exec(text)?.[1] ?? '0')
  return number > 0 && publishedBundle(bundle, '', number).json === text ? number : 0
}

/** The whole ConfigMap. No owner reference: deleting an authority must not take trust away. */
export function renderBundle(namespace: string, authority: AuthorityRef, bundle: PublishedBundle) {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      namespace,
      name: bundleName(authority),
      labels: bundleLabels(authority),
      annotations: {
        [annotations.bundleFingerprint]: bundle.fingerprint,
        [annotations.bundleSequence]: String(bundle.sequence),
        [annotations.trustDomain]: bundle.trustDomain,
      },
    },
    data: { 'ca.crt': bundle.text, 'bundle.json': bundle.json },
  }
}

/** Whether a copy is what renderBundle would write. */
export function bundleIsCurrent(copy: BundleCopy, authority: AuthorityRef, { fingerprint, jsonFingerprint }: PublishedBundle): boolean {
  return (
    copy.fingerprint === fingerprint &&
    copy.jsonFingerprint === jsonFingerprint &&
    copy.recordedFingerprint === fingerprint &&
    contained(bundleLabels(authority), copy.labels)
  )
}

/** The labels of a bundle. */
export function bundleLabels(authority: AuthorityRef): Record<string, string> {
  const role: Role = 'bundle'
  return { [labels.managedBy]: MANAGER, [labels.role]: role, ...authorityLabels(authority) }
}

/** Whether a ConfigMap of our name that the cache does not show is ours all the same (somebody took a label away). */
export function isOwnBundle(raw: RawStored): boolean {
  return raw.metadata.labels?.[labels.managedBy] === MANAGER || raw.metadata.annotations?.[annotations.bundleFingerprint] !== undefined
}
