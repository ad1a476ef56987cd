// Does the one step of an identity's plan: at most one issuance and one write. The only place of this controller that sees a private key,
// between its making and the write that carries it. Errors go up; nothing is decided here.

import { annotations } from '../../api/names.ts'
import { hashFiles, holdsKey } from '../../api/stored/leaf-files.ts'
import { leafSecretMetadata, secretData, trustAnnotations } from '../../api/stored/leaf-secret.ts'
import type { Clock } from '../../base/clock.ts'
import { OperatorError } from '../../base/errors.ts'
import { formatInstant, type Instant } from '../../base/instant.ts'
import type { Random } from '../../base/random.ts'
import type { Issuers } from '../../issuers/issuer.ts'
import type { ObjectRef } from '../../k8s/resource.ts'
import type { Certificate } from '../../pki/certificate.ts'
import { generateLeafKey, privateKeyPem } from '../../pki/keys.ts'
import { drawRenewAt } from '../../pki/profile.ts'
import { checkIssued } from '../../pki/verify.ts'
import type { IdentityFacts } from './facts.ts'
import { keyFiles, type StoreContext, trustFiles } from './files/perform-files.ts'
import { keystorePassword } from './files/perform-password.ts'
import { createSecret, deleteSecret, patchSecret, refuseForeign, type SecretContent, type SecretDeps } from './perform-secret.ts'
import type { IdentityStep, SecretVersion } from './plan.ts'
import { pastTime, type SecretPatch, taken } from './tidy.ts'
import type { Trust } from './trust/trust.ts'

export interface PerformDeps extends SecretDeps {
  readonly issuers: Issuers
  readonly clock: Clock
  readonly random: Random
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
  if (step.replaces) await patchSecret(ref, step.replaces, content, deps)
  const wasHidden = step.replaces === undefined && (await createSecret(ref, content, facts, deps))
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
