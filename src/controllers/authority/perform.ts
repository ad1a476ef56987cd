// Does the one step of an authority's plan: at most one key and one write. The only place of this controller that sees a CA key, between
// its making and the create-only write that carries it.

import { annotations, bundleName } from '../../api/names.ts'
import { bundleLabels, isOwnBundle, type PublishedBundle, renderBundle } from '../../api/stored/bundle.ts'
import { readCaPair } from '../../api/stored/ca-pair.ts'
import { caSecretLabels, type NewGeneration, renderCaSecret } from '../../api/stored/ca-secret.ts'
import { dataField } from '../../api/stored/common.ts'
import type { Clock } from '../../base/clock.ts'
import { OperatorError } from '../../base/errors.ts'
import { formatInstant } from '../../base/instant.ts'
import type { Random } from '../../base/random.ts'
import type { Client } from '../../k8s/client.ts'
import { isAlreadyExists, isNotFound } from '../../k8s/errors.ts'
import { configMaps, type ObjectRef, type RawObject, type Resource, secrets } from '../../k8s/resource.ts'
import { generateKeyPair, parsePrivateKey, renderPrivateKey } from '../../pki/keys.ts'
import { createRoot } from '../../pki/sign.ts'
import { checkSigningPair } from '../../pki/verify.ts'
import type { AuthorityFacts } from './facts.ts'
import type { AuthorityStep, Version } from './plan-step.ts'

export interface AuthorityPerformDeps {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  /** The operator's own, where CA keys and records live. */
  readonly namespace: string
  readonly wroteCaSecret: (raw: RawObject) => void
  readonly wroteRecord: (raw: RawObject) => void
  readonly removedRecord: (ref: ObjectRef, uid: string) => void
}

/** `changed`: something was written and another pass follows; `failed` carries what was thrown. */
export type AuthorityOutcome =
  | { readonly kind: 'none' }
  | { readonly kind: 'changed'; readonly name: string }
  | { readonly kind: 'failed'; readonly error: unknown }

/** Performs `step`; throws what goes wrong. */
export async function performAuthority(step: AuthorityStep, facts: AuthorityFacts, deps: AuthorityPerformDeps): Promise<AuthorityOutcome> {
  const { client, namespace } = deps
  switch (step.kind) {
    case 'none':
      return { kind: 'none' }
    case 'createGeneration':
      return createGeneration(step, facts, deps)
    case 'copyGeneration':
      return copyGeneration(step, facts, deps)
    case 'findGeneration':
      return giveLabelsBack(secrets, { namespace, name: step.secretName }, caSecretLabels(facts.ref), deps, deps.wroteCaSecret)
    case 'activate': {
      const metadata = { ...step.version, annotations: { [annotations.activatedAt]: formatInstant(deps.clock.now()) } }
      deps.wroteCaSecret(await client.mergePatch(secrets, { namespace, name: step.secretName }, { metadata }))
      return { kind: 'changed', name: step.secretName }
    }
    case 'publish':
      return publish(step.bundle, step.replaces, facts, deps)
    case 'deleteRecord': {
      const ref = { namespace, name: bundleName(facts.ref) }
      await client.delete(configMaps, ref, step.version)
      deps.removedRecord(ref, step.version.uid)
      return { kind: 'changed', name: ref.name }
    }
  }
}

type CreateStep = Extract<AuthorityStep, { kind: 'createGeneration' }>
type CopyStep = Extract<AuthorityStep, { kind: 'copyGeneration' }>

/** A new key and its root. */
async function createGeneration(step: CreateStep, facts: AuthorityFacts, deps: AuthorityPerformDeps): Promise<AuthorityOutcome> {
  const lost = await findRecord(facts, deps)
  if (lost) return lost
  const now = deps.clock.now()
  const keyPair = await generateKeyPair(step.profile.keyType)
  const certificate = await createRoot(step.profile, keyPair, now, deps.random)
  const verdict = checkSigningPair(certificate, keyPair.privateKey, now)
  if (!verdict.ok) throw new Error(`the new root is wrong: ${verdict.rule}: ${verdict.detail}`)
  const { trustDomain, generation } = step.profile
  return storeGeneration(
    {
      authority: facts.ref,
      generation,
      trustDomain,
      certificate,
      issuers: [],
      root: certificate,
      privateKey: renderPrivateKey(keyPair.privateKey),
      longestLeafLifetime: step.longestLeafLifetime,
      activatedAt: now,
      copiedFrom: undefined,
    },
    deps,
  )
}

/** Somebody's CA, of exactly the version that the plan was made from. */
async function copyGeneration(step: CopyStep, facts: AuthorityFacts, deps: AuthorityPerformDeps): Promise<AuthorityOutcome> {
  const lost = await findRecord(facts, deps)
  if (lost) return lost
  const { name, uid, resourceVersion } = step.source
  const raw = await deps.client.get(secrets, { namespace: deps.namespace, name })
  if (raw.metadata.uid !== uid || raw.metadata.resourceVersion !== resourceVersion) {
    throw new OperatorError('retry', 'CAKeyChanged', `Secret ${name} changed since the plan was made`)
  }
  const { certificate, intermediates, root, problem } = readCaPair(raw)
  const keyText = dataField(raw, 'tls.key')
  if (problem !== undefined || !certificate || !root || !keyText)
    throw new OperatorError('blocked', 'CASourceInvalid', problem ?? 'tls.key is missing')
  const now = deps.clock.now()
  const privateKey = parsePrivateKey(keyText)
  keyText.fill(0)
  const verdict = checkSigningPair(certificate, privateKey, now)
  if (!verdict.ok) {
    throw new OperatorError('blocked', 'CASourceInvalid', `Secret ${name} holds no CA that can sign: ${verdict.rule}: ${verdict.detail}`)
  }
  const { trustDomain, generation, longestLeafLifetime } = step
  return storeGeneration(
    {
      authority: facts.ref,
      generation,
      trustDomain,
      certificate,
      issuers: intermediates.slice(1),
      root,
      privateKey: renderPrivateKey(privateKey),
      longestLeafLifetime,
      activatedAt: now,
      copiedFrom: name,
    },
    deps,
  )
}

/** A record that lost its labels is a trace of an earlier generation: it gets them back, and nothing is made. */
async function findRecord(facts: AuthorityFacts, deps: AuthorityPerformDeps): Promise<AuthorityOutcome | undefined> {
  const ref = { namespace: deps.namespace, name: bundleName(facts.ref) }
  const record = await giveLabelsBack(configMaps, ref, bundleLabels(facts.ref), deps, deps.wroteRecord)
  return record.kind === 'changed' ? record : undefined
}

/** One create-only write with key and certificate together; the name carries the number, so of two leaders one loses. */
async function storeGeneration(generation: NewGeneration, deps: AuthorityPerformDeps): Promise<AuthorityOutcome> {
  const { client, namespace } = deps
  const secret = renderCaSecret(namespace, generation)
  generation.privateKey.fill(0)
  const { name } = secret.metadata
  try {
    deps.wroteCaSecret(await client.create(secrets, secret))
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    return giveLabelsBack(secrets, { namespace, name }, caSecretLabels(generation.authority), deps, deps.wroteCaSecret)
  }
  return { kind: 'changed', name }
}

/**
 * An object of ours that the cache does not show has lost its labels, or the cache lags. `none` when there is no such object.
 * A CA Secret or record of ours is known by its annotations; anything else of that name is not touched.
 */
async function giveLabelsBack(
  resource: Resource,
  ref: ObjectRef,
  wanted: Record<string, string>,
  deps: AuthorityPerformDeps,
  wrote: (raw: RawObject) => void,
): Promise<AuthorityOutcome> {
  const present = await getOrUndefined(resource, ref, deps.client)
  if (!present) return { kind: 'none' }
  const ours = isOwnBundle(present) || present.metadata.annotations?.[annotations.generation] !== undefined
  if (!ours) {
    const remedy = 'rename or remove it, or rename the authority'
    throw new OperatorError('blocked', 'NameTaken', `${resource.kind} ${ref.name} in namespace ${ref.namespace} is not ours: ${remedy}`)
  }
  if (Object.entries(wanted).every(([key, value]) => present.metadata.labels?.[key] === value)) {
    throw new OperatorError('retry', 'CacheBehind', `${resource.kind} ${ref.name} is newer than the cache`)
  }
  const { uid, resourceVersion } = present.metadata
  wrote(await deps.client.mergePatch(resource, ref, { metadata: { uid, resourceVersion, labels: wanted } }))
  return { kind: 'changed', name: ref.name }
}

async function getOrUndefined(resource: Resource, ref: ObjectRef, client: Client): Promise<RawObject | undefined> {
  try {
    return await client.get(resource, ref)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

async function publish(
  bundle: PublishedBundle,
  replaces: Version | undefined,
  facts: AuthorityFacts,
  deps: AuthorityPerformDeps,
): Promise<AuthorityOutcome> {
  const record = renderBundle(deps.namespace, facts.ref, bundle)
  const { name } = record.metadata
  if (replaces) {
    const { labels: ownLabels, annotations: ownAnnotations } = record.metadata
    const metadata = { ...replaces, labels: ownLabels, annotations: ownAnnotations }
    deps.wroteRecord(await deps.client.mergePatch(configMaps, { namespace: deps.namespace, name }, { metadata, data: record.data }))
    return { kind: 'changed', name }
  }
  try {
    deps.wroteRecord(await deps.client.create(configMaps, record))
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    return giveLabelsBack(configMaps, { namespace: deps.namespace, name }, bundleLabels(facts.ref), deps, deps.wroteRecord)
  }
  return { kind: 'changed', name }
}
