// Reads the caches and returns one record, IdentityFacts. The same function serves the controller and explain; it writes nothing and
// nothing is read after it in a pass.

import type { MutualIdentity } from '../../api/mutual-identity.ts'
import { authorityKey } from '../../api/names.ts'
import { type LeafSecret, labelledAuthority } from '../../api/stored/leaf-secret.ts'
import type { TrustBundle } from '../../pki/bundle.ts'
import { readCertificate } from '../../pki/certificate.ts'
import { parseWorkloadId } from '../../pki/spiffe-id.ts'
import { type Verdict, verifyChain } from '../../pki/verify.ts'
import { type AuthorityFacts, observeAuthority, observeFormerAuthority } from '../authority-facts.ts'
import type { Caches, Pod } from '../caches.ts'
import type { FormerSecret, IdentityFacts } from './facts.ts'
import { overlapOf, secretClaimant } from './observe-overlaps.ts'
import { selectedPods } from './observe-pods.ts'
import { observeSwitching } from './observe-switching.ts'
import { observeTrust, sourceOf } from './observe-trust.ts'
import { ownershipOf } from './ownership.ts'
import { foreignServiceNames, serviceNames } from './service-names.ts'

/** Where the operator lives, how the cluster calls itself, and what the operator is asked to do. */
export interface Surroundings {
  readonly operatorNamespace: string
  readonly clusterDomain: string
  readonly restartWorkloads: boolean
}

/** All facts about one identity. */
export function observeIdentity(identity: MutualIdentity, caches: Caches, surroundings: Surroundings): IdentityFacts {
  const { namespace, spec } = identity
  const authority = observeAuthority(caches, spec.authority)
  const pods = selectedPods(identity, caches)
  const secret = caches.leafSecrets.get(namespace, spec.delivery.secretName)
  const former = formerSecrets(identity, caches)
  const { trusted } = judge(secret, identity, authority, caches)
  const witness = [secret, ...former].find(
    (candidate) => candidate && isWitness(candidate, identity, judge(candidate, identity, authority, caches).trusted),
  )
  // Where the name of the Secret is changed too, the former one shows whose certificate the identity has.
  const present = secret ?? witness
  const { from } = judge(present, identity, authority, caches)
  const { chain: _bytes, ...secretFacts } = secret ?? { chain: [] }
  const names = serviceNames(identity, pods, witness?.leaf?.dnsNames ?? [], caches, surroundings.clusterDomain)
  const podsByAccount = countByAccount(pods)
  return {
    identity,
    inOperatorNamespace: namespace === surroundings.operatorNamespace,
    namespaceTerminating: caches.namespaces.get('', namespace)?.terminating ?? false,
    authority,
    switching: from && observeSwitching(identity, from, present?.leaf?.notAfter ?? 0, caches),
    trust: observeTrust(identity, secret, caches),
    selectedPods: pods.length,
    podsByAccount,
    observedAccounts: Object.keys(podsByAccount).sort(),
    overlap: overlapOf(identity, pods, caches),
    secretClaimedBy: secretClaimant(identity, caches),
    restartUnavailable: spec.restart.onRenewal && !surroundings.restartWorkloads,
    recordedAccount: witness && recordedAccount(witness, namespace),
    serviceDnsNames: names.full,
    shortServiceNames: names.short,
    foreignServiceNames: foreignServiceNames(identity, caches),
    clusterSuffixes: ['svc', 'pod', surroundings.clusterDomain],
    unknown: unreadable(caches),
    secret: secret ? { ...(secretFacts as Omit<LeafSecret, 'chain'>), trusted } : caches.leafSecrets.readable ? undefined : 'unknown',
    formerSecrets: former.map(formerFacts),
  }
}

function countByAccount(pods: readonly Pod[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const { serviceAccountName } of pods) counts.set(serviceAccountName, (counts.get(serviceAccountName) ?? 0) + 1)
  return Object.fromEntries(counts)
}

/** Secrets that are this very identity's, under names that it had before. */
function formerSecrets({ namespace, name, uid, spec }: MutualIdentity, caches: Caches): readonly LeafSecret[] {
  return caches.leafSecrets
    .by('identity', `${namespace}/${name}`)
    .filter((secret) => secret.name !== spec.delivery.secretName && secret.owner?.uid === uid && secret.foreignController === undefined)
}

function formerFacts({ name, uid, resourceVersion, createdAt, terminating, leaf }: LeafSecret): FormerSecret {
  return { name, uid, resourceVersion, createdAt, terminating, notAfter: leaf?.notAfter }
}

/** Whether the chain of a Secret verifies to the authority that is asked for, or else to the one that its labels name, which it then is `from`. */
function judge(
  secret: LeafSecret | undefined,
  identity: MutualIdentity,
  authority: AuthorityFacts | undefined,
  caches: Caches,
): { readonly trusted: Verdict | undefined; readonly from: AuthorityFacts | undefined } {
  if (!secret || secret.chain.length === 0) return { trusted: undefined, from: undefined }
  const trusted = authority?.bundle && verdictOf(secret, authority.bundle)
  const labelled = labelledAuthority(secret)
  if (trusted?.ok || !labelled || (authority && authorityKey(labelled) === authorityKey(authority.ref))) return { trusted, from: undefined }
  // Labels are edited and certificates are public: the authority that they name counts only if it signed for this very identity.
  const from = isFor(secret, identity) ? observeFormerAuthority(caches, labelled) : undefined
  // Its record is there and cannot be read: whether it signed cannot be told just now.
  if (from && !from.bundle && sourceOf(labelled, caches).unreadable) return { trusted, from }
  if (!from?.bundle || !verdictOf(secret, from.bundle).ok) return { trusted, from: undefined }
  return { trusted: { ok: true }, from }
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
function isWitness(secret: LeafSecret, identity: MutualIdentity, trusted: Verdict | undefined): boolean {
  return trusted?.ok === true && secret.problem === undefined && agrees(secret, identity) && ownershipOf(secret, identity) !== 'foreign'
}

function agrees(secret: LeafSecret, { status }: MutualIdentity): boolean {
  return status.spiffeID === undefined || accountOf(status.spiffeID) === accountOf(secret.leaf?.uris[0])
}

/** Whether the leaf of a Secret of its own is one that was made for this identity, with whatever key. */
function isFor(secret: LeafSecret, identity: MutualIdentity): boolean {
  const ofNamespace = recordedAccount(secret, identity.namespace) !== undefined
  return ofNamespace && agrees(secret, identity) && ownershipOf(secret, identity) !== 'foreign'
}

/** Namespace and account: the trust domain changes with the authority. */
function accountOf(uri: string | undefined): string | undefined {
  const id = uri === undefined ? undefined : parseWorkloadId(uri)
  return id && `${id.namespace}/${id.serviceAccount}`
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
