// The writes of a leaf Secret, each told to the cache as it is answered. Used by perform.ts, which says what is written. Nothing is decided here but whether
// a Secret of our name is ours.

import { API_VERSION, labels as labelNames, MANAGER } from '../../api/names.ts'
import { leafCrowding } from '../../api/stored/leaf-files.ts'
import { type AnnotationPatch, LEAF_SECRET_TYPE, type MadeLeaf } from '../../api/stored/leaf-secret.ts'
import { OperatorError } from '../../base/errors.ts'
import type { Client } from '../../k8s/client.ts'
import { isAlreadyExists, isNotFound } from '../../k8s/errors.ts'
import { type ObjectRef, type RawObject, secrets } from '../../k8s/resource.ts'
import type { Certificate } from '../../pki/certificate.ts'
import type { IdentityFacts } from './facts.ts'
import type { SecretVersion } from './plan.ts'

export interface SecretDeps {
  readonly client: Client
  /** Write-through into the cache, so that the next pass reads its own write. `made`: what was written, where that was a new leaf. */
  readonly wroteSecret: (raw: RawObject, made?: MadeLeaf) => void
  /** Lets the events of a Secret wait until the function that it returns is called: for the time of a write. */
  readonly holdSecret: (ref: ObjectRef) => () => void
  readonly removedSecret: (ref: ObjectRef, uid: string) => void
}

export interface SecretContent {
  readonly metadata: {
    readonly labels: AnnotationPatch
    readonly annotations: AnnotationPatch
    readonly ownerReferences?: readonly object[]
  }
  readonly data?: Readonly<Record<string, string | null>>
  /** Where `data` holds a new leaf: its chain. */
  readonly chain?: readonly Certificate[]
}

/** Carries out a write of `content` and tells the cache of its answer. */
async function writeSecret(
  ref: ObjectRef,
  write: () => Promise<RawObject>,
  { data, chain }: SecretContent,
  { holdSecret, wroteSecret }: SecretDeps,
): Promise<void> {
  const release = holdSecret(ref)
  try {
    wroteSecret(await write(), data && chain && { data, chain })
  } finally {
    release()
  }
}

/** Deletes exactly this version. */
export async function deleteSecret(
  ref: ObjectRef,
  version: SecretVersion,
  { client, holdSecret, removedSecret }: SecretDeps,
): Promise<void> {
  const release = holdSecret(ref)
  try {
    await client.delete(secrets, ref, version)
    removedSecret(ref, version.uid)
  } finally {
    release()
  }
}

/** A merge patch of exactly this version: a stale one is a Conflict, and the next pass looks again. */
export async function patchSecret(ref: ObjectRef, version: SecretVersion, content: SecretContent, deps: SecretDeps): Promise<void> {
  const { metadata, data } = content
  const patch = { metadata: { ...metadata, ...version }, ...(data ? { data } : {}) }
  await writeSecret(ref, () => deps.client.mergePatch(secrets, ref, patch, { lenient: true }), content, deps)
}

/** Whether there was one that the cache does not show. */
export async function createSecret(ref: ObjectRef, content: SecretContent, facts: IdentityFacts, deps: SecretDeps): Promise<boolean> {
  try {
    await writeSecret(ref, () => deps.client.create(secrets, secretObject(ref, content)), content, deps)
    return false
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    await replaceHidden(ref, content, facts, deps)
    return true
  }
}

/**
 * A Secret of our name that the cache does not show: it is foreign, or ours without its label (a person took it away), or the cache lags.
 * The owner's UID decides; a foreign one is never touched.
 */
async function replaceHidden(ref: ObjectRef, content: SecretContent, facts: IdentityFacts, deps: SecretDeps): Promise<void> {
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
  if (present.immutable !== true && present.type === LEAF_SECRET_TYPE) {
    const crowding = Object.fromEntries(leafCrowding(present).map((name) => [name, null]))
    return patchSecret(ref, { uid, resourceVersion }, { ...content, data: { ...crowding, ...content.data } }, deps)
  }
  // It cannot be changed in place. A crash between the two leaves none, which the next pass makes.
  await deleteSecret(ref, { uid, resourceVersion }, deps)
  await writeSecret(ref, () => deps.client.create(secrets, secretObject(ref, content)), content, deps)
}

/** Where a foreign Secret stood in the way before: a look is cheaper than a key and a certificate for nothing. */
export async function refuseForeign(ref: ObjectRef, facts: IdentityFacts, deps: SecretDeps): Promise<void> {
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
  const remedy = 'choose another spec.delivery.secretName, or delete that Secret if nobody needs it'
  return new OperatorError('blocked', 'SecretNotOwned', `Secret ${name} exists and does not belong to this identity: ${remedy}`)
}

function secretObject(ref: ObjectRef, { metadata, data = {} }: SecretContent): RawObject {
  const { labels, annotations: own, ownerReferences } = metadata
  const meta = { ...ref, labels: present(labels), annotations: present(own), ...(ownerReferences ? { ownerReferences } : {}) }
  return { apiVersion: 'v1', kind: 'Secret', type: LEAF_SECRET_TYPE, metadata: meta as RawObject['metadata'], data: present(data) }
}

/** A create has nothing to take away. */
function present(values: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== null))
}
