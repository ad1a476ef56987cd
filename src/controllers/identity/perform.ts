// Does the one step of an identity's plan: at most one issuance and one write. The only place of this controller that sees a private key,
// between its making and the write that carries it. Errors go up; nothing is decided here but whether a Secret of our name is ours.

import { API_VERSION, labels as labelNames, MANAGER } from '../../api/names.ts'
import { LEAF_SECRET_TYPE, leafSecretData, leafSecretMetadata } from '../../api/stored/leaf-secret.ts'
import type { Clock } from '../../base/clock.ts'
import { OperatorError } from '../../base/errors.ts'
import { formatInstant, type Instant } from '../../base/instant.ts'
import type { Random } from '../../base/random.ts'
import type { Issuers } from '../../issuers/issuer.ts'
import type { Client } from '../../k8s/client.ts'
import { isAlreadyExists, isNotFound } from '../../k8s/errors.ts'
import { type ObjectRef, type RawObject, secrets } from '../../k8s/resource.ts'
import type { Certificate } from '../../pki/certificate.ts'
import { generateKeyPair, renderPrivateKey } from '../../pki/keys.ts'
import { formatPem } from '../../pki/pem.ts'
import { drawRenewAt } from '../../pki/profile.ts'
import { checkIssued } from '../../pki/verify.ts'
import type { IdentityFacts } from './facts.ts'
import type { IdentityStep, SecretVersion } from './plan.ts'

export interface PerformDeps {
  readonly client: Client
  readonly issuers: Issuers
  readonly clock: Clock
  readonly random: Random
  /** Write-through into the cache, so that the next pass reads its own write. */
  readonly wroteSecret: (raw: RawObject) => void
  readonly removedSecret: (ref: ObjectRef, uid: string) => void
}

/** What came of a step. */
export type Outcome =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'issued'
      readonly created: boolean
      readonly serialNumber: string
      readonly notAfter: Instant
      readonly renewAt: Instant
    }
  | { readonly kind: 'updated' }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'failed'; readonly error: unknown }

type IssueStep = Extract<IdentityStep, { kind: 'issue' }>

/** Performs `step` for the identity of `facts`; throws what goes wrong. */
export async function performIdentity(step: IdentityStep, facts: IdentityFacts, deps: PerformDeps): Promise<Outcome> {
  const { namespace } = facts.identity
  switch (step.kind) {
    case 'none':
      return { kind: 'none' }
    case 'issue':
      return issue(step, facts, deps)
    case 'update': {
      const { bundle, ...metadata } = step.patch
      const data = bundle === undefined ? {} : { data: { 'ca.crt': Buffer.from(bundle, 'latin1').toString('base64') } }
      await patchSecret({ namespace, name: step.secretName }, step.version, { metadata, ...data }, deps)
      return { kind: 'updated' }
    }
    case 'delete':
      await deps.client.delete(secrets, { namespace, name: step.secretName }, step.version)
      deps.removedSecret({ namespace, name: step.secretName }, step.version.uid)
      return { kind: 'deleted' }
  }
}

async function issue(step: IssueStep, facts: IdentityFacts, deps: PerformDeps): Promise<Outcome> {
  const { identity, authority } = facts
  if (!authority?.bundle) throw new Error('an issue step without an authority that signs')
  const ref = { namespace: identity.namespace, name: step.secretName }
  if (identity.status.lastFailure?.reason === 'SecretNotOwned') await refuseForeign(ref, facts, deps)
  const now = deps.clock.now()
  const keyPair = await generateKeyPair(step.profile.keyType)
  const request = { authority: authority.ref, generation: step.generation, profile: step.profile, publicKey: keyPair.publicKey, now }
  const { chain } = await deps.issuers.selfManaged.issue(request)
  const verdict = checkIssued(step.profile, keyPair.publicKey, chain, authority.bundle, now)
  if (!verdict.ok)
    throw new OperatorError('retry', 'IssuerAnswerRefused', `the issuer's answer was refused: ${verdict.rule}: ${verdict.detail}`)
  const leaf = chain[0] as Certificate
  const renewAt = drawRenewAt(leaf, now, deps.random)
  const privateKey = renderPrivateKey(keyPair.privateKey)
  const metadata = leafSecretMetadata({
    identity,
    authority: authority.ref,
    serialNumber: leaf.serialNumber,
    issuingGeneration: step.generation.number,
    renewAt: formatInstant(renewAt),
    bundleFingerprint: step.bundle.fingerprint,
    profileHash: step.profileHash,
    renewedFor: step.renewedFor,
  })
  const chainText = chain.map((certificate) => formatPem('CERTIFICATE', certificate.der)).join('')
  const content = { metadata, data: leafSecretData({ chain: chainText, privateKey, bundle: step.bundle.text }) }
  privateKey.fill(0)
  if (step.replaces) await patchSecret(ref, step.replaces, content, deps)
  else await createSecret(ref, content, facts, deps)
  return { kind: 'issued', created: step.replaces === undefined, serialNumber: leaf.serialNumber, notAfter: leaf.notAfter, renewAt }
}

/** A merge patch of exactly this version: a stale one is a Conflict, and the next pass looks again. */
async function patchSecret(ref: ObjectRef, version: SecretVersion, patch: { metadata: object }, deps: PerformDeps): Promise<void> {
  deps.wroteSecret(await deps.client.mergePatch(secrets, ref, { ...patch, metadata: { ...patch.metadata, ...version } }))
}

async function createSecret(
  ref: ObjectRef,
  content: { metadata: object; data: object },
  facts: IdentityFacts,
  deps: PerformDeps,
): Promise<void> {
  try {
    deps.wroteSecret(await deps.client.create(secrets, secretObject(ref, content)))
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    await replaceHidden(ref, content, facts, deps)
  }
}

/**
 * A Secret of our name that the cache does not show: it is foreign, or ours without its label (a person took it away), or the cache lags.
 * The owner's UID decides; a foreign one is never touched.
 */
async function replaceHidden(ref: ObjectRef, content: { metadata: object }, facts: IdentityFacts, deps: PerformDeps): Promise<void> {
  const present = await deps.client.get(secrets, ref)
  if (!isOwn(present, facts)) throw notOwned(ref)
  const labels = present.metadata.labels ?? {}
  if (labels[labelNames.managedBy] === MANAGER && labels[labelNames.role] === 'leaf') {
    throw new OperatorError('retry', 'CacheBehind', `Secret ${ref.name} is newer than the cache`)
  }
  if (present.metadata.deletionTimestamp !== undefined) {
    throw new OperatorError('blocked', 'SecretTerminating', `Secret ${ref.name} is being deleted and finalizers hold it: remove them`)
  }
  const { uid = '', resourceVersion = '' } = present.metadata
  if (present.immutable !== true && present.type === LEAF_SECRET_TYPE) return patchSecret(ref, { uid, resourceVersion }, content, deps)
  // It cannot be changed in place. A crash between the two leaves none, which the next pass makes.
  await deps.client.delete(secrets, ref, { uid, resourceVersion })
  deps.wroteSecret(await deps.client.create(secrets, secretObject(ref, content)))
}

/** Where a foreign Secret stood in the way before: a look is cheaper than a key and a certificate for nothing. */
async function refuseForeign(ref: ObjectRef, facts: IdentityFacts, deps: PerformDeps): Promise<void> {
  try {
    if (!isOwn(await deps.client.get(secrets, ref), facts)) throw notOwned(ref)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

function isOwn(present: RawObject, { identity }: IdentityFacts): boolean {
  const owners = present.metadata.ownerReferences ?? []
  return owners.some(({ uid, kind, apiVersion }) => uid === identity.uid && kind === 'MutualIdentity' && apiVersion === API_VERSION)
}

function notOwned({ name }: ObjectRef): OperatorError {
  const remedy = 'rename the identity, or delete that Secret if nobody needs it'
  return new OperatorError('blocked', 'SecretNotOwned', `Secret ${name} exists and does not belong to this identity: ${remedy}`)
}

function secretObject(ref: ObjectRef, content: { metadata: object }): RawObject {
  return { apiVersion: 'v1', kind: 'Secret', type: LEAF_SECRET_TYPE, ...content, metadata: { ...content.metadata, ...ref } }
}
