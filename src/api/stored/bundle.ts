// The trust bundle in ConfigMaps: the published record in the operator's namespace (where anchors are recovered from) and its copies
// in the namespaces of identities (which tenants may edit, so nothing is ever read back from them but a fingerprint). No IO.

import { parseBundle, type TrustBundle } from '../../pki/bundle.ts'
import { type Fingerprint, fingerprintOf } from '../../pki/fingerprint.ts'
import { type AuthorityRef, annotations, bundleName, labels, MANAGER, type Role } from '../names.ts'
import { dataText, type RawStored, read, type StoredMeta, storedMeta } from './common.ts'

/** A copy in the cache. */
export interface BundleCopy extends StoredMeta {
  readonly authority: AuthorityRef
  readonly immutable: boolean
  /** It is being deleted, and finalizers hold it. */
  readonly terminating: boolean
  /** SHA-256 of `ca.crt` as it stands; undefined when it is missing. */
  readonly fingerprint: Fingerprint | undefined
  /** What the annotation says it should be. */
  readonly recordedFingerprint: string | undefined
  readonly labels: Readonly<Record<string, string>>
}

/** The published record in the cache: a copy whose text was read. */
export interface BundleRecord extends BundleCopy {
  readonly bundle: TrustBundle | undefined
  /** Why the text is no bundle, or that it is not the text that was published. */
  readonly problem: string | undefined
}

/** Projects a copy; total. */
export function projectBundleCopy(raw: RawStored): BundleCopy {
  const text = dataText(raw, 'ca.crt')
  const own = raw.metadata.labels ?? {}
  return {
    ...storedMeta(raw),
    authority: { kind: 'ClusterMutualAuthority', namespace: '', name: own[labels.authority] ?? '' },
    immutable: raw.immutable === true,
    terminating: raw.metadata.deletionTimestamp !== undefined,
    fingerprint: text === undefined ? undefined : fingerprintOf(Buffer.from(text)),
    recordedFingerprint: raw.metadata.annotations?.[annotations.bundleFingerprint],
    labels: Object.fromEntries(Object.entries(own).filter(([key]) => key in bundleLabels(NOBODY))),
  }
}

/** Projects the record; total. A text that differs from the fingerprint beside it was edited and is not believed. */
export function projectBundleRecord(raw: RawStored): BundleRecord {
  const copy = projectBundleCopy(raw)
  const text = dataText(raw, 'ca.crt')
  if (text === undefined) return { ...copy, bundle: undefined, problem: 'ca.crt is missing' }
  const bundle = read(() => parseBundle(text))
  if (!bundle.value) return { ...copy, bundle: undefined, problem: bundle.problem }
  if (copy.fingerprint !== copy.recordedFingerprint)
    return { ...copy, bundle: undefined, problem: 'ca.crt is not the text that was published' }
  return { ...copy, bundle: bundle.value, problem: undefined }
}

/** The whole ConfigMap. No owner reference: deleting an authority must not take trust away. */
export function renderBundle(namespace: string, authority: AuthorityRef, bundle: Pick<TrustBundle, 'text' | 'fingerprint'>) {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      namespace,
      name: bundleName(authority),
      labels: bundleLabels(authority),
      annotations: { [annotations.bundleFingerprint]: bundle.fingerprint },
    },
    data: { 'ca.crt': bundle.text },
  }
}

/** Whether a copy is what renderBundle would write. */
export function bundleIsCurrent(copy: BundleCopy, authority: AuthorityRef, fingerprint: Fingerprint): boolean {
  const wanted = Object.entries(bundleLabels(authority))
  return (
    copy.fingerprint === fingerprint &&
    copy.recordedFingerprint === fingerprint &&
    wanted.every(([key, value]) => copy.labels[key] === value)
  )
}

/** The labels of a bundle. */
export function bundleLabels(authority: AuthorityRef): Record<string, string> {
  const role: Role = 'bundle'
  return {
    [labels.managedBy]: MANAGER,
    [labels.role]: role,
    [labels.authority]: authority.name,
    [labels.authorityKind]: authority.kind,
  }
}

/** Whether a ConfigMap of our name that the cache does not show is ours all the same (somebody took a label away). */
export function isOwnBundle(raw: RawStored): boolean {
  return raw.metadata.labels?.[labels.managedBy] === MANAGER || raw.metadata.annotations?.[annotations.bundleFingerprint] !== undefined
}

const NOBODY: AuthorityRef = { kind: 'ClusterMutualAuthority', namespace: '', name: '' }
