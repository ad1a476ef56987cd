// Manners in a cluster that is not ours: the demo refuses where an operator or its namespaces are, says what it makes, and removes exactly that.
// Used by show.ts. Must not delete anything the demo did not make.

import { customResourceDefinitions as definitions } from '../../src/api/crd.ts'
import { clusterMutualAuthorities, mutualIdentities } from '../../src/api/kinds.ts'
import { rbacObjects } from '../../src/api/rights.ts'
import type { Client } from '../../src/k8s/client.ts'
import { isConflict, isNotFound } from '../../src/k8s/errors.ts'
import { namespaces, type RawObject, type Resource } from '../../src/k8s/resource.ts'
import { CONTROLLER_ACCOUNT, type Installed } from '../install/install.ts'
import { customResourceDefinitions, resourceOf } from '../install/kinds.ts'
import { DemoFailure } from './failure.ts'
import { OPERATOR_NAMESPACE, SHOP } from './names.ts'
import type { Screen } from './screen.ts'

const LOOK_EVERY_MS = 500
const GONE_WITHIN_MS = 90_000
/** Two namespaces, one after the other, and the rest. */
export const REMOVED_WITHIN_MS = 2.5 * GONE_WITHIN_MS

/** Throws a DemoFailure where the demo would get into somebody's way. */
export async function refuseIfInUse(client: Client): Promise<void> {
  const roles = rbacObjects({ namespace: OPERATOR_NAMESPACE, serviceAccount: CONTROLLER_ACCOUNT }) as readonly RawObject[]
  const wanted: readonly (readonly [Resource, string])[] = [
    [namespaces, OPERATOR_NAMESPACE],
    [namespaces, SHOP],
    ...roles.filter(({ metadata }) => metadata.namespace === undefined).map((role) => [resourceOf(role), role.metadata.name] as const),
  ]
  const found: string[] = []
  for (const [resource, name] of wanted) if ((await getOrNone(client, resource, name)) !== undefined) found.push(`${resource.kind} ${name}`)
  for (const resource of [mutualIdentities, clusterMutualAuthorities]) {
    const count = (await listOrNone(client, resource)).length
    if (count > 0) found.push(`${count} ${resource.plural}`)
  }
  if (found.length === 0) return
  throw new DemoFailure(
    [
      `this cluster has already: ${found.join(', ')}.`,
      'The demo runs an operator of its own and removes it afterwards, so it does that only where there is none. Where one is installed, try the',
      'example alone: kubectl apply -f examples/01-two-services. What an earlier demo left: kubectl delete clustermutualauthority default;',
      `kubectl delete namespace ${SHOP} ${OPERATOR_NAMESPACE}; kubectl delete clusterrole,clusterrolebinding ${roles[0]?.metadata.name}`,
    ].join('\n  '),
  )
}

const KINDS = definitions.map(({ spec }) => spec.names.kind)

/** What the demo makes, for people. */
export function announce(screen: Screen): void {
  screen.say('It will make here, and remove at the end:')
  screen.say(`  namespaces ${OPERATOR_NAMESPACE} and ${SHOP} with all that is in them;`)
  screen.say(`  the kinds ${KINDS.slice(0, -1).join(', ')} and ${KINDS.at(-1)} (unless they are there);`)
  screen.say('  a ClusterRole with its binding; ClusterMutualAuthority default')
}

/** Removes what `made` lists, the example's namespace and the default authority, which both did not exist before. */
export async function removeAll(client: Client, screen: Screen, made: readonly Installed[]): Promise<void> {
  screen.say('removing what the demo made in the cluster ...')
  const shop = await getOrNone(client, namespaces, SHOP)
  if (shop) await remove(client, namespaces, shop)
  for (const object of await listOrNone(client, clusterMutualAuthorities, 'default')) await remove(client, clusterMutualAuthorities, object)
  await untilGone(client, SHOP)
  const others = await listOrNone(client, mutualIdentities)
  const kept = others.length > 0 ? customResourceDefinitions : undefined
  for (const { object, created } of [...made].reverse()) {
    const resource = resourceOf(object)
    // The namespace takes what is in it along.
    if (created && resource.kind !== kept?.kind && object.metadata.namespace === undefined) await remove(client, resource, object)
  }
  await untilGone(client, OPERATOR_NAMESPACE)
  if (kept) screen.say(`the kinds stay: there are ${others.length} MutualIdentities that the demo did not make`)
}

/** Exactly this object, by its uid. */
async function remove(client: Client, resource: Resource, { metadata }: RawObject): Promise<void> {
  try {
    await client.delete(
      resource,
      { namespace: metadata.namespace ?? '', name: metadata.name },
      metadata.uid === undefined ? {} : { uid: metadata.uid },
    )
  } catch (error) {
    // Gone, or replaced by somebody else's.
    if (!isNotFound(error) && !isConflict(error)) throw error
  }
}

async function untilGone(client: Client, namespace: string): Promise<void> {
  const until = performance.now() + GONE_WITHIN_MS
  while ((await getOrNone(client, namespaces, namespace)) !== undefined) {
    if (performance.now() > until)
      throw new DemoFailure(`namespace ${namespace} was deleted, but is not gone after ${GONE_WITHIN_MS / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

async function getOrNone(client: Client, resource: Resource, name: string): Promise<RawObject | undefined> {
  try {
    return await client.get(resource, { namespace: '', name })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** Empty where the kind is not served. */
async function listOrNone(client: Client, resource: Resource, name?: string): Promise<readonly RawObject[]> {
  const found: RawObject[] = []
  try {
    const options = name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }
    for await (const { items } of client.listPages(resource, options)) found.push(...items)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  return found
}
