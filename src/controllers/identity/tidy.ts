// The Secret around a leaf that is right: anchors, labels, annotations, owner. What differs is patched without touching the key. Pure.

import type { MutualIdentity } from '../../api/mutual-identity.ts'
import { annotations } from '../../api/names.ts'
import type { Reason } from '../../api/reason.ts'
import { holdsKey, TRUST_STORES } from '../../api/stored/leaf-files.ts'
import { type AnnotationPatch, leafSecretMetadata, trustAnnotations } from '../../api/stored/leaf-secret.ts'
import { formatInstant, type Instant, parseInstant } from '../../base/instant.ts'
import type { Asked } from './asked.ts'
import type { SecretFacts } from './facts.ts'
import { currentRenewAt } from './leaf-checks.ts'
import type { Trust } from './trust/trust.ts'

/** What of a Secret is changed without touching its key. What is undefined or absent stays; null takes an entry away. */
export interface SecretPatch {
  readonly labels: AnnotationPatch
  readonly annotations: AnnotationPatch
  readonly ownerReferences: readonly object[] | undefined
  /** The anchors to be written, with the annotations that go with them. */
  readonly trust: Trust | undefined
}

export const OUTDATED = 'the anchors are not those that are to be trusted'

/** Only the anchors, for an identity that cannot be served just now; undefined when they are current. */
export function trustPatch(secret: SecretFacts, trust: Trust, now: Instant): SecretPatch | undefined {
  return trustIsCurrent(secret, trust, now) ? undefined : { labels: {}, annotations: {}, ownerReferences: undefined, trust }
}

/** Undefined when all is as it must be. */
export function tidySecret(
  identity: MutualIdentity,
  secret: SecretFacts,
  asked: Asked,
  now: Instant,
): { readonly reason: Reason; readonly message: string; readonly patch: SecretPatch } | undefined {
  const { generation, profileHash, authority, trust } = asked
  const wanted = leafSecretMetadata({
    identity,
    authority: authority.ref,
    serialNumber: secret.leaf?.serialNumber ?? '',
    issuingGeneration: generation.number,
    renewAt: formatInstant(currentRenewAt(secret, asked.renewBefore) ?? 0),
    profileHash,
    renewedFor: asked.renewedFor,
    template: identity.spec.delivery.secretTemplate,
  })
  const labels = { ...taken(secret.template.labels), ...wanted.labels }
  const patch = { ...wanted, labels, annotations: { ...taken(secret.template.annotations), ...wanted.annotations } }
  if (trust && !trustIsCurrent(secret, trust, now)) return { reason: 'BundleOutdated', message: OUTDATED, patch: { ...patch, trust } }
  const wrong = [
    ...differing('label', { ...secret.template.labels, ...secret.labels }, patch.labels),
    ...differing('annotation', { ...secret.template.annotations, ...secret.annotations }, patch.annotations),
    ...(secret.owner?.uid === identity.uid ? [] : ['owner reference']),
  ]
  if (wrong.length === 0) return undefined
  return { reason: 'MetadataChanged', message: `to be put right: ${wrong.join(', ')}`, patch: { ...patch, trust: undefined } }
}

/** What the last template put there goes, unless it is asked for again. */
export function taken(values: Readonly<Record<string, string>>): Record<string, null> {
  return Object.fromEntries(Object.keys(values).map((key) => [key, null]))
}

/** Whether the Secret holds these anchors and no others, and says so. */
function trustIsCurrent(secret: SecretFacts, trust: Trust, now: Instant): boolean {
  const files = [...Object.keys(trust.files), ...trust.stores.map((store) => TRUST_STORES[store])].sort()
  const present = secret.files.filter((name) => !holdsKey(name))
  const own = secret.annotations
  const said = trustAnnotations({
    bundleFingerprint: trust.bundle.fingerprint,
    trustHash: trust.hash,
    trustSince: pastTime(own[annotations.trustSince], now) ?? '',
    trustDomains: trust.trustDomains,
    trustFilesHash: secret.trustFilesHash,
    formerAuthorities: trust.formerAuthorities,
  })
  return (
    secret.bundleFingerprint === trust.bundle.fingerprint &&
    files.join() === present.join() &&
    differing('annotation', own, said).length === 0
  )
}

/**
 * Annotations can be edited: an instant that is none would say for ever that the anchors are not there yet. One in the future, from a clock that was
 * ahead, would say so until then; a minute is what clocks may differ by.
 */
export function pastTime(text: string | undefined, now: Instant): string | undefined {
  const at = text === undefined ? undefined : parseInstant(text)
  return at === undefined || at > now + CLOCK_SKEW_MS ? undefined : text
}

const CLOCK_SKEW_MS = 60_000

function differing(what: string, present: Readonly<Record<string, string>>, wanted: AnnotationPatch): string[] {
  return Object.keys(wanted)
    .filter((key) => (present[key] ?? null) !== wanted[key])
    .map((key) => `${what} ${key}`)
}
