// Reads the caches and returns one record, IdentityFacts. The same function serves the controller and explain; it writes nothing and
// nothing is read after it in a pass.

import { matches } from '../../api/label-selector.ts'
import type { MutualIdentity } from '../../api/mutual-identity.ts'
import { leafSecretName } from '../../api/names.ts'
import type { LeafSecret } from '../../api/stored/leaf-secret.ts'
import type { TrustBundle } from '../../pki/bundle.ts'
import { readCertificate } from '../../pki/certificate.ts'
import { parseWorkloadId } from '../../pki/spiffe-id.ts'
import { type Verdict, verifyChain } from '../../pki/verify.ts'
import { observeAuthority } from '../authority-facts.ts'
import { type Caches, labelPairs, type Pod } from '../caches.ts'
import type { IdentityFacts } from './facts.ts'
import { ownershipOf } from './ownership.ts'
import { serviceDnsNames } from './service-names.ts'

/** Where the operator lives and how the cluster calls itself. */
export interface Surroundings {
  readonly operatorNamespace: string
  readonly clusterDomain: string
}

/** All facts about one identity. */
export function observeIdentity(identity: MutualIdentity, caches: Caches, surroundings: Surroundings): IdentityFacts {
  const { namespace, spec } = identity
  const authority = observeAuthority(caches, { kind: 'ClusterMutualAuthority', namespace: '', name: spec.authorityRef.name })
  const pods = selectedPods(identity, caches)
  const secret = caches.leafSecrets.get(namespace, leafSecretName(identity.name))
  const trusted = secret && authority?.bundle && secret.chain.length > 0 ? verdictOf(secret, authority.bundle) : undefined
  const recorded = secret && trusted?.ok && isWitness(secret, identity) ? secret : undefined
  const { chain: _bytes, ...secretFacts } = secret ?? { chain: [] }
  return {
    identity,
    inOperatorNamespace: namespace === surroundings.operatorNamespace,
    namespaceTerminating: caches.namespaces.get('', namespace)?.terminating ?? false,
    authority,
    selectedPods: pods.length,
    observedAccounts: [...new Set(pods.map((pod) => pod.serviceAccountName))].sort(),
    recordedAccount: recorded && recordedAccount(recorded, namespace),
    serviceDnsNames: serviceDnsNames(identity, pods, recorded?.leaf?.dnsNames ?? [], caches, surroundings.clusterDomain),
    unknown: unreadable(caches),
    secret: secret ? { ...(secretFacts as Omit<LeafSecret, 'chain'>), trusted } : caches.leafSecrets.readable ? undefined : 'unknown',
  }
}

/** Live pods that the selector matches: by the rarest of its labels, so that a pass does not scan the namespace. */
function selectedPods(identity: MutualIdentity, caches: Caches): readonly Pod[] {
  const selector = identity.spec.podSelector
  const candidates = labelPairs(identity.namespace, selector.matchLabels)
    .map((pair) => caches.pods.by('label', pair))
    .reduce<readonly Pod[] | undefined>((rarest, pods) => (rarest && rarest.length <= pods.length ? rarest : pods), undefined)
  return (candidates ?? caches.pods.inNamespace(identity.namespace)).filter((pod) => pod.live && matches(selector, pod.labels))
}

/** Signatures are checked once for each version of a Secret and of a bundle, not at each pass. */
const verdicts = new WeakMap<LeafSecret, { bundle: string; verdict: Verdict }>()

function verdictOf(secret: LeafSecret, bundle: TrustBundle): Verdict {
  const known = verdicts.get(secret)
  if (known && known.bundle === bundle.fingerprint) return known.verdict
  const verdict = verifyChain(secret.chain.map(readCertificate), bundle.anchors, undefined)
  verdicts.set(secret, { bundle: bundle.fingerprint, verdict })
  return verdict
}

/**
 * Whether a trusted leaf tells what was decided for this identity: with its own key (certificates are public, anybody can put one into a Secret),
 * in a Secret of its own, and not against what the status remembers.
 */
function isWitness(secret: LeafSecret, identity: MutualIdentity): boolean {
  const { spiffeID } = identity.status
  const agrees = spiffeID === undefined || spiffeID === secret.leaf?.uris[0]
  return secret.problem === undefined && agrees && ownershipOf(secret, identity) !== 'foreign'
}

/** What plans need and this account may not read. */
function unreadable(caches: Caches): readonly string[] {
  return (['pods', 'services'] as const).filter((name) => !caches[name].readable)
}

function recordedAccount(secret: LeafSecret, namespace: string): string | undefined {
  const [uri] = secret.leaf?.uris ?? []
  const id = uri === undefined ? undefined : parseWorkloadId(uri)
  return id?.namespace === namespace ? id.serviceAccount : undefined
}
