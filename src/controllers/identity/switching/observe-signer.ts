// Whose certificate a Secret of an identity holds, and whether it proves what was decided before.

import type { MutualIdentity } from '../../../api/mutual-identity.ts'
import { AUTHORITY_KINDS, type AuthorityRef, authorityKey, authorityRef } from '../../../api/names.ts'
import { type LeafSecret, labelledAuthority } from '../../../api/stored/leaf-secret.ts'
import { type Instant, parseInstant } from '../../../base/instant.ts'
import type { TrustBundle } from '../../../pki/bundle.ts'
import { readCertificate } from '../../../pki/certificate.ts'
import { parseWorkloadId } from '../../../pki/spiffe-id.ts'
import { type Verdict, verifyChain } from '../../../pki/verify.ts'
import { type AuthorityFacts, observeFormerAuthority } from '../../authority-facts.ts'
import type { Caches } from '../../caches.ts'
import { ownershipOf } from '../ownership.ts'
import { sourceOf } from '../trust/observe-trust.ts'

export interface Judgement {
  readonly secret: LeafSecret
  /** Undefined without a chain or a bundle. */
  readonly trusted: Verdict | undefined
  /** The authority whose certificate it is, where that is not the one asked for. */
  readonly from: AuthorityFacts | undefined
}

/** Whether the chain of a Secret verifies to the authority that is asked for, or else to the one that its labels name, which it then is `from`. */
export function judge(secret: LeafSecret, identity: MutualIdentity, authority: AuthorityFacts | undefined, caches: Caches): Judgement {
  if (secret.chain.length === 0) return { secret, trusted: undefined, from: undefined }
  const trusted = authority?.bundle && verdictOf(secret, authority.bundle)
  const labelled = labelledAuthority(secret) ?? toldIssuer(identity)
  const byThatAskedFor = authority && labelled && authorityKey(labelled) === authorityKey(authority.ref)
  if (trusted?.ok || !labelled || byThatAskedFor) return { secret, trusted, from: undefined }
  // Labels are edited and certificates are public: the authority that they name counts only if it signed for this very identity.
  const from = isFor(secret, identity) ? observeFormerAuthority(caches, labelled) : undefined
  // Its record is there and cannot be read: whether it signed cannot be told just now.
  if (from && !from.bundle && sourceOf(labelled, caches).unreadable) return { secret, trusted, from }
  if (!from?.bundle || !verdictOf(secret, from.bundle).ok) return { secret, trusted, from: undefined }
  return { secret, trusted: { ok: true }, from }
}

/**
 * The authority, not the one asked for, whose certificate the status tells of, and when that ends. For where no Secret shows whose certificate the
 * identity has: one that was deleted, or must be made again, is no reason to go over to the new authority before its peers accept it.
 */
export function toldSigner(
  identity: MutualIdentity,
  authority: AuthorityFacts | undefined,
  caches: Caches,
): { readonly from: AuthorityFacts; readonly until: Instant } | undefined {
  const ref = toldIssuer(identity)
  if (!ref || !authority || authorityKey(ref) === authorityKey(authority.ref)) return undefined
  const from = observeFormerAuthority(caches, ref)
  return from?.bundle && { from, until: parseInstant(identity.status.certificate?.notAfter ?? '') ?? 0 }
}

/** `ClusterMutualAuthority/default/1`, as the report writes it. A namespaced one is of the identity's namespace, whatever it says. */
function toldIssuer({ namespace, status }: MutualIdentity): AuthorityRef | undefined {
  const [kind, name] = status.certificate?.issuedBy.split('/') ?? []
  const known = AUTHORITY_KINDS.find((one) => one === kind)
  return known && name ? authorityRef(known, namespace, name) : undefined
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
export function isWitness({ secret, trusted }: Judgement, identity: MutualIdentity): boolean {
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

/** The service account in the URI SAN of a leaf, where that is of the namespace. */
export function recordedAccount(secret: LeafSecret, namespace: string): string | undefined {
  const [uri] = secret.leaf?.uris ?? []
  const id = uri === undefined ? undefined : parseWorkloadId(uri)
  return id?.namespace === namespace ? id.serviceAccount : undefined
}
