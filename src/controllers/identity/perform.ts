// Does the one step of an identity's plan: at most one issuance and one write. The only place of this controller that sees a private key,
// between its making and the write that carries it. Errors go up; nothing is decided here but whether a Secret of our name is ours.

import { API_VERSION, annotations, labels as labelNames, MANAGER } from '../../api/names.ts'
import { hashFiles, holdsKey, leafCrowding } from '../../api/stored/leaf-files.ts'
import {
  type AnnotationPatch,
  LEAF_SECRET_TYPE,
  leafSecretMetadata,
  type MadeLeaf,
  secretData,
  trustAnnotations,
} from '../../api/stored/leaf-secret.ts'
import type { Clock } from '../../base/clock.ts'
import { OperatorError } from '../../base/errors.ts'
import { formatInstant, type Instant } from '../../base/instant.ts'
import type { Random } from '../../base/random.ts'
import type { Issuers } from '../../issuers/issuer.ts'
import type { Client } from '../../k8s/client.ts'
import { isAlreadyExists, isNotFound } from '../../k8s/errors.ts'
import { type ObjectRef, type RawObject, secrets } from '../../k8s/resource.ts'
import type { Certificate } from '../../pki/certificate.ts'
import { generateLeafKey, privateKeyPem } from '../../pki/keys.ts'
import { drawRenewAt } from '../../pki/profile.ts'
import { checkIssued } from '../../pki/verify.ts'
import type { IdentityFacts } from './facts.ts'
import { keyFiles, type StoreContext, trustFiles } from './files/perform-files.ts'
import { keystorePassword } from './files/perform-password.ts'
import type { IdentityStep, SecretVersion } from './plan.ts'
import { pastTime, type SecretPatch, taken } from './tidy.ts'
import type { Trust } from './trust/trust.ts'

export interface PerformDeps {
  readonly client: Client
  readonly issuers: Issuers
  readonly clock: Clock
  readonly random: Random
  /** Write-through into the cache, so that the next pass reads its own write. `made`: what was written, where that was a new leaf. */
  readonly wroteSecret: (raw: RawObject, made?: MadeLeaf) => void
  /** Lets the events of a Secret wait until the function that it returns is called: for the time of a write. */
  readonly holdSecret: (ref: ObjectRef) => () => void
  readonly removedSecret: (ref: ObjectRef, uid: string) => void
}

/** What came of a step. */
export type Outcome =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'issued'
      readonly created: boolean
      /** It took back a Secret that the caches did not show: what else of ours is in it the next pass sees. */
      readonly wasHidden: boolean
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
    case 'update':
      await update(step.secretName, step.version, step.patch, facts, deps)
      return { kind: 'updated' }
    case 'delete':
      await deleteSecret({ namespace, name: step.secretName }, step.version, deps)
      return { kind: 'deleted' }
  }
}

async function issue(step: IssueStep, facts: IdentityFacts, deps: PerformDeps): Promise<Outcome> {
  const { identity } = facts
  const ref = { namespace: identity.namespace, name: step.secretName }
  if (identity.status.lastFailure?.reason === 'SecretNotOwned') await refuseForeign(ref, facts, deps)
  const now = deps.clock.now()
  const context = storeContext(facts, now, deps)
  // Before a key is made: what cannot be delivered need not be issued.
  const trust = step.trust && (await renderTrust(step.trust, facts, context))
  const { chain, leaf, pem, extra } = await makeLeaf(step, context, deps)
  const renewAt = drawRenewAt(leaf, now, deps.random, step.renewBefore)
  const metadata = leafSecretMetadata({
    identity,
    authority: step.authority,
    serialNumber: leaf.serialNumber,
    issuingGeneration: step.generation.number,
    renewAt: formatInstant(renewAt),
    profileHash: step.profileHash,
    renewedFor: step.renewedFor,
    template: identity.spec.delivery.secretTemplate,
  })
  const present = presentSecret(facts)
  const content: SecretContent = {
    metadata: {
      labels: { ...taken(present?.template.labels ?? {}), ...metadata.labels },
      annotations: {
        ...taken(present?.template.annotations ?? {}),
        ...metadata.annotations,
        [annotations.keyFilesHash]: hashFiles(extra) ?? null,
        ...trust?.annotations,
      },
      ownerReferences: metadata.ownerReferences,
    },
    data: {
      // Those with anchors only where anchors are written.
      ...obsoleteFiles(facts, { ...extra, ...trust?.files }, (name) => trust !== undefined || holdsKey(name)),
      ...secretData({ ...pem, ...extra, ...trust?.files }),
    },
    chain,
  }
  for (const files of [pem, extra]) for (const bytes of Object.values(files)) bytes.fill(0)
  let wasHidden = false
  if (step.replaces) await patchSecret(ref, step.replaces, content, deps)
  else wasHidden = await createSecret(ref, content, facts, deps)
  const { serialNumber, notAfter } = leaf
  return { kind: 'issued', created: step.replaces === undefined, wasHidden, serialNumber, notAfter, renewAt }
}

/** A new key, its chain as the issuer gave it and as it was asked for, and the files of both, which are the caller's to zero. */
async function makeLeaf({ profile, authority, generation, bundle, formats }: IssueStep, context: StoreContext, { issuers }: PerformDeps) {
  const { now } = context
  const { publicKey, privateKey } = await generateLeafKey(profile.keyType)
  try {
    const { chain } = await issuers.generations.issue({ authority, generation, profile, publicKey, now })
    const verdict = checkIssued(profile, publicKey, chain, bundle, now)
    if (!verdict.ok)
      throw new OperatorError('retry', 'IssuerAnswerRefused', `the issuer's answer was refused: ${verdict.rule}: ${verdict.detail}`)
    const files = await keyFiles({ privateKey, privateKeyPem: privateKeyPem(privateKey), chain }, formats, context)
    return { chain, leaf: chain[0] as Certificate, ...files }
  } finally {
    privateKey.fill(0)
  }
}

async function update(name: string, version: SecretVersion, patch: SecretPatch, facts: IdentityFacts, deps: PerformDeps): Promise<void> {
  const ref = { namespace: facts.identity.namespace, name }
  const trust = patch.trust && (await renderTrustOrPem(patch.trust, ref, version, facts, deps))
  const { labels, ownerReferences } = patch
  const metadata = { labels, annotations: { ...patch.annotations, ...trust?.annotations }, ...(ownerReferences ? { ownerReferences } : {}) }
  const data = trust && { ...obsoleteFiles(facts, trust.files, (name) => !holdsKey(name)), ...secretData(trust.files) }
  await patchSecret(ref, version, { metadata, ...(data ? { data } : {}) }, deps)
}

/** Keystores that cannot be made (their password is gone) keep no anchors from who reads PEM: those are written, and then the failure is told. */
async function renderTrustOrPem(trust: Trust, ref: ObjectRef, version: SecretVersion, facts: IdentityFacts, deps: PerformDeps) {
  const context = storeContext(facts, deps.clock.now(), deps)
  try {
    return await renderTrust(trust, facts, context)
  } catch (error) {
    if (presentSecret(facts)?.bundleFingerprint !== trust.bundle.fingerprint) {
      const { pem } = await trustFiles({ ...trust, stores: [] }, context)
      const said = { [annotations.bundleFingerprint]: trust.bundle.fingerprint }
      const data = { ...obsoleteFiles(facts, pem, () => false), ...secretData(pem) }
      await patchSecret(ref, version, { metadata: { labels: {}, annotations: said }, data }, deps)
    }
    throw error
  }
}

interface SecretContent {
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
  { holdSecret, wroteSecret }: PerformDeps,
): Promise<void> {
  const release = holdSecret(ref)
  try {
    wroteSecret(await write(), data && chain && { data, chain })
  } finally {
    release()
  }
}

async function deleteSecret(ref: ObjectRef, version: SecretVersion, { client, holdSecret, removedSecret }: PerformDeps): Promise<void> {
  const release = holdSecret(ref)
  try {
    await client.delete(secrets, ref, version)
    removedSecret(ref, version.uid)
  } finally {
    release()
  }
}

const presentSecret = ({ secret }: IdentityFacts) => (secret && secret !== 'unknown' ? secret : undefined)

function storeContext({ identity }: IdentityFacts, now: Instant, { client, random }: PerformDeps): StoreContext {
  let password: Promise<string> | undefined
  return {
    alias: identity.name,
    now,
    random,
    password() {
      password ??= keystorePassword(identity, client)
      return password
    },
  }
}

/** The files with anchors and what is said of them. The instant stays where the anchors do. */
async function renderTrust(trust: Trust, facts: IdentityFacts, context: StoreContext) {
  const { pem, extra } = await trustFiles(trust, context)
  const own = presentSecret(facts)?.annotations ?? {}
  const since = own[annotations.trustHash] === trust.hash ? pastTime(own[annotations.trustSince], context.now) : undefined
  const { hash: trustHash, trustDomains, formerAuthorities, bundle } = trust
  return {
    files: { ...pem, ...extra },
    annotations: trustAnnotations({
      bundleFingerprint: bundle.fingerprint,
      trustHash,
      // Up to the next whole second: peers have the whole of the time that is counted from here.
      trustSince: since ?? formatInstant(Math.ceil(context.now / 1000) * 1000),
      trustDomains,
      trustFilesHash: hashFiles(extra),
      formerAuthorities,
    }),
  }
}

/** Null for each file of ours in the Secret that is not among the new ones, and is of those that are `written`; and for those of others that take its room. */
function obsoleteFiles(
  facts: IdentityFacts,
  files: Readonly<Record<string, Buffer>>,
  written: (name: string) => boolean,
): Record<string, null> {
  const { files: present = [], crowding = [] } = presentSecret(facts) ?? {}
  const obsolete = present.filter((name) => written(name) && !Object.hasOwn(files, name))
  return Object.fromEntries([...obsolete, ...crowding].map((name) => [name, null]))
}

/** A merge patch of exactly this version: a stale one is a Conflict, and the next pass looks again. */
async function patchSecret(ref: ObjectRef, version: SecretVersion, content: SecretContent, deps: PerformDeps): Promise<void> {
  const { metadata, data } = content
  const patch = { metadata: { ...metadata, ...version }, ...(data ? { data } : {}) }
  await writeSecret(ref, () => deps.client.mergePatch(secrets, ref, patch, { lenient: true }), content, deps)
}

/** Whether there was one that the cache does not show. */
async function createSecret(ref: ObjectRef, content: SecretContent, facts: IdentityFacts, deps: PerformDeps): Promise<boolean> {
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
async function replaceHidden(ref: ObjectRef, content: SecretContent, facts: IdentityFacts, deps: PerformDeps): Promise<void> {
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
