// Keeps the copies of trust bundles: one pass is one authority in one namespace. Errors go to the queue, which backs off.

import { API_VERSION, type AuthorityRef, authorityKey, authorityOfKey, bundleName } from '../../api/names.ts'
import { bundleCrowding, bundleData, isOwnBundle, type PublishedBundle, renderBundle } from '../../api/stored/bundle.ts'
import { OperatorError } from '../../base/errors.ts'
import type { Client } from '../../k8s/client.ts'
import { isAlreadyExists, isNamespaceTerminating } from '../../k8s/errors.ts'
import type { Recorder } from '../../k8s/events.ts'
import { configMaps, type ObjectRef, type RawObject } from '../../k8s/resource.ts'
import type { Next, Pass } from '../../runtime/controller.ts'
import { authorityOf, type Caches } from '../caches.ts'
import { reasonOf } from '../readiness.ts'
import { observeBundle } from './observe.ts'
import { type BundleFacts, type BundlePlan, planBundle } from './plan.ts'

export interface BundleDeps {
  readonly caches: Caches
  readonly client: Client
  readonly events: Recorder
  readonly operatorNamespace: string
  readonly wroteCopy: (raw: RawObject) => void
  readonly removedCopy: (ref: ObjectRef, uid: string) => void
}

/** Foreign ConfigMaps are not watched, so nothing tells when one has gone. Backoff makes it longer in time. */
const LOOK_AGAIN_MS = 15_000

/** The queue key: the copy's namespace and whose bundle it is. Neither part can hold a slash. */
export const bundleKey = (authority: AuthorityRef, namespace: string): string => `${namespace}/${authorityKey(authority)}`

/** One pass. */
export async function reconcileBundle(pass: Pass, deps: BundleDeps): Promise<Next> {
  const [namespace = '', key = ''] = pass.key.split('/')
  const ref = authorityOfKey(key)
  const facts = observeBundle(ref, namespace, deps.caches, deps.operatorNamespace)
  const plan = planBundle(facts)
  try {
    await perform(plan, facts, deps)
  } catch (error) {
    if (isNamespaceTerminating(error)) return { at: undefined }
    if (isTold(error)) announce(error, facts, deps)
    throw error
  }
  if (plan.step.kind === 'none') return { at: undefined }
  const fingerprint = plan.step.kind === 'delete' ? {} : { fingerprint: plan.step.bundle.fingerprint }
  pass.log.info('trust bundle written', { reason: plan.reason, detail: plan.message, configMap: bundleName(ref), ...fingerprint })
  return { at: plan.step.kind === 'delete' ? 0 : undefined }
}

async function perform({ step }: BundlePlan, facts: BundleFacts, deps: BundleDeps): Promise<void> {
  const ref = { namespace: facts.namespace, name: bundleName(facts.ref) }
  switch (step.kind) {
    case 'none':
      return
    case 'create':
      return create(ref, step.bundle, facts, deps)
    case 'replace':
      return replace(ref, step.bundle, { ...step.version, crowding: facts.copy?.crowding ?? [] }, facts, deps)
    case 'delete':
      await deps.client.delete(configMaps, ref, step.version)
      deps.removedCopy(ref, step.version.uid)
  }
}

async function create(ref: ObjectRef, bundle: PublishedBundle, facts: BundleFacts, deps: BundleDeps): Promise<void> {
  try {
    deps.wroteCopy(await deps.client.create(configMaps, renderBundle(ref.namespace, facts.ref, bundle)))
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const present = await deps.client.get(configMaps, ref)
    if (!isOwnBundle(present)) {
      const remedy = 'rename or delete it if nobody needs it; leaf Secrets hold the bundle as ca.crt all the same'
      const message = `ConfigMap ${ref.namespace}/${ref.name} exists and is not ours: ${remedy}`
      throw new OperatorError('retry', 'ConfigMapNotOwned', message, { after: LOOK_AGAIN_MS })
    }
    const { uid = '', resourceVersion = '' } = present.metadata
    if (present.immutable !== true) return replace(ref, bundle, { uid, resourceVersion, crowding: bundleCrowding(present) }, facts, deps)
    // It cannot be changed in place. A crash between the two leaves none, which the next pass makes.
    await deps.client.delete(configMaps, ref, { uid, resourceVersion })
    deps.wroteCopy(await deps.client.create(configMaps, renderBundle(ref.namespace, facts.ref, bundle)))
  }
}

/** A merge patch of exactly this version; fields of others stay, but for what is in the way. */
async function replace(
  ref: ObjectRef,
  bundle: PublishedBundle,
  { crowding, ...version }: { uid: string; resourceVersion: string; crowding: readonly string[] },
  facts: BundleFacts,
  deps: BundleDeps,
): Promise<void> {
  const { labels, annotations } = renderBundle(ref.namespace, facts.ref, bundle).metadata
  const patch = { metadata: { ...version, labels, annotations }, ...bundleData(bundle, crowding) }
  deps.wroteCopy(await deps.client.mergePatch(configMaps, ref, patch))
}

/** What a person must change has no status to stand in: it is told as an event of the authority. */
function isTold(error: unknown): error is OperatorError {
  return error instanceof OperatorError && (error.consequence === 'blocked' || error.reason === 'ConfigMapNotOwned')
}

function announce(error: OperatorError, facts: BundleFacts, deps: BundleDeps): void {
  const authority = authorityOf(deps.caches, facts.ref)
  if (!authority) return
  const regarding = {
    apiVersion: API_VERSION,
    kind: facts.ref.kind,
    namespace: authority.namespace,
    name: authority.name,
    uid: authority.uid,
  }
  void deps.events.record({ regarding, type: 'Warning', reason: reasonOf(error), action: 'Publish', note: error.message })
}
