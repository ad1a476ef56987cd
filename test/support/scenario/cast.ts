// Who is in the scenarios: namespaces, pods, Services, identities and authorities as people apply them, and what belongs to somebody else.
// Used by stories and perturbations; everything goes through the API as a person.

import type { Condition } from '../../../src/api/condition.ts'
import { authorityResources, clusterMutualAuthorities, mutualIdentities } from '../../../src/api/kinds.ts'
import { configMaps, namespaces, pods, type RawObject, secrets, services } from '../../../src/k8s/resource.ts'
import { OPERATOR_NAMESPACE } from '../material.ts'
import type { World } from './world.ts'

export const SHOP = 'shop'

/** Two programs of one namespace, a Service before one of them, and objects of others that must stay as they are. */
export async function openShop(world: World): Promise<void> {
  for (const name of [OPERATOR_NAMESPACE, SHOP]) await world.person.create(namespaces, { metadata: { name } })
  await world.person.create(secrets, { type: 'Opaque', metadata: { namespace: SHOP, name: 'password' }, data: { value: 'aHVudGVyMg==' } })
  await world.person.create(configMaps, { metadata: { namespace: SHOP, name: 'settings', labels: { app: 'payments' } }, data: { a: 'b' } })
  await pod(world, 'payments-1', 'payments')
  await pod(world, 'orders-1', 'orders')
  await service(world, 'payments', 'payments')
}

export const pod = (world: World, name: string, app: string, account = app): Promise<RawObject> =>
  world.person.create(pods, {
    metadata: { namespace: SHOP, name, labels: { app } },
    spec: { serviceAccountName: account },
    status: { phase: 'Running' },
  })

export const service = (world: World, name: string, app: string): Promise<RawObject> =>
  world.person.create(services, { metadata: { namespace: SHOP, name }, spec: { selector: { app }, clusterIP: '10.0.0.1' } })

export const identity = (world: World, name: string, spec: object = {}): Promise<RawObject> =>
  world.person.create(mutualIdentities, {
    metadata: { namespace: SHOP, name },
    spec: { podSelector: { matchLabels: { app: name } }, ...spec },
  })

export const authority = (world: World, name: string, spec: object = {}): Promise<RawObject> =>
  world.person.create(clusterMutualAuthorities, { metadata: { name }, spec })

export const tenantAuthority = (world: World, name: string, spec: object = {}): Promise<RawObject> =>
  world.person.create(authorityResources.MutualAuthority, { metadata: { namespace: SHOP, name }, spec })

/** Changes the spec of an identity. */
export const respec = (world: World, name: string, spec: object): Promise<RawObject> =>
  world.person.mergePatch(mutualIdentities, { namespace: SHOP, name }, { spec })

export const secretOf = (world: World, name: string): RawObject | undefined => world.api.object(secrets, { namespace: SHOP, name })

export const file = (secret: RawObject | undefined, name: string): string =>
  Buffer.from((secret?.['data'] as Record<string, string> | undefined)?.[name] ?? '', 'base64').toString('latin1')

/** The reason of Ready; undefined: nothing was said yet. */
export function readyOf(world: World, name: string): string | undefined {
  return readyReasonOf(world.api.object(mutualIdentities, { namespace: SHOP, name }))
}

export function authorityReadyOf(world: World, name: string): string | undefined {
  return readyReasonOf(world.api.object(clusterMutualAuthorities, { name }))
}

function readyReasonOf(object: RawObject | undefined): string | undefined {
  const { conditions = [] } = (object?.['status'] ?? {}) as { conditions?: readonly Condition[] }
  return conditions.find(({ type }) => type === 'Ready')?.reason
}
