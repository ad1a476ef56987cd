// The Secret around a leaf that is right: trust bundle, labels, annotations, owner. What differs is patched without touching the key. Pure.

import type { MutualIdentity } from '../../api/mutual-identity.ts'
import { annotations } from '../../api/names.ts'
import type { Reason } from '../../api/reason.ts'
import { leafSecretMetadata } from '../../api/stored/leaf-secret.ts'
import { formatInstant } from '../../base/instant.ts'
import type { TrustBundle } from '../../pki/bundle.ts'
import type { Asked } from './asked.ts'
import type { SecretFacts } from './facts.ts'
import { currentRenewAt } from './leaf-checks.ts'

/** What of a Secret is changed without touching its key. `bundle` is the new text of ca.crt; what is undefined or absent stays. */
export interface SecretPatch {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly ownerReferences: readonly object[] | undefined
  readonly bundle: string | undefined
}

/** Only the bundle, for an identity that cannot be served just now; undefined when it is current or there is none. */
export function bundlePatch(secret: SecretFacts, bundle: TrustBundle | undefined): SecretPatch | undefined {
  if (!bundle || secret.bundleFingerprint === bundle.fingerprint || secret.immutable) return undefined
  return {
    labels: {},
    annotations: { [annotations.bundleFingerprint]: bundle.fingerprint },
    ownerReferences: undefined,
    bundle: bundle.text,
  }
}

/** Undefined when all is as it must be. */
export function tidySecret(
  identity: MutualIdentity,
  secret: SecretFacts,
  asked: Asked,
): { readonly reason: Reason; readonly message: string; readonly patch: SecretPatch } | undefined {
  const { bundle, generation, profileHash, authority } = asked
  const wanted = leafSecretMetadata({
    identity,
    authority: authority.ref,
    serialNumber: secret.leaf?.serialNumber ?? '',
    issuingGeneration: generation.number,
    renewAt: formatInstant(currentRenewAt(secret) ?? 0),
    bundleFingerprint: bundle.fingerprint,
    profileHash,
    renewedFor: asked.renewedFor,
  })
  const outdated = secret.bundleFingerprint !== bundle.fingerprint
  const patch = { ...wanted, bundle: outdated ? bundle.text : undefined }
  if (outdated) return { reason: 'BundleOutdated', message: 'ca.crt is not the published bundle', patch }
  const wrong = [
    ...differing('label', secret.labels, wanted.labels),
    ...differing('annotation', secret.annotations, wanted.annotations),
    ...(secret.owner?.uid === identity.uid ? [] : ['owner reference']),
  ]
  return wrong.length === 0 ? undefined : { reason: 'MetadataChanged', message: `to be repaired: ${wrong.join(', ')}`, patch }
}

function differing(what: string, present: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): string[] {
  return Object.keys(wanted)
    .filter((key) => present[key] !== wanted[key])
    .map((key) => `${what} ${key}`)
}
