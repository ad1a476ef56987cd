// What people put into a namespace and read back from it: identities, pods, Services, accounts, Secrets; with an administrator's client.
// Used by the tests under test/cluster/operator. Builders have defaults for everything a test does not speak of;
// nothing here judges what the operator did.

import { serviceAccounts } from '../../scripts/install/kinds.ts'
import { clusterMutualAuthorities, mutualIdentities } from '../../src/api/kinds.ts'
import type { Client } from '../../src/k8s/client.ts'
import { isNotFound } from '../../src/k8s/errors.ts'
import { configMaps, events, namespaces, pods, type RawObject, type Resource, secrets, services } from '../../src/k8s/resource.ts'
import { eventually } from './cluster-eventually.ts'

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
  readonly observedGeneration: number
}

/** The status of either of our kinds, as a person reads it. */
export interface Status {
  readonly observedGeneration?: number
  readonly conditions?: readonly Condition[]
  readonly spiffeID?: string
  readonly certificate?: { readonly serialNumber: string; readonly notAfter: string; readonly renewAt: string; readonly issuedBy: string }
  readonly lastFailure?: { readonly reason: string; readonly message: string; readonly attempts: number; readonly nextAttemptAt: string }
}

export const statusOf = (object: RawObject): Status => (object.status ?? {}) as Status
export const condition = (object: RawObject, type = 'Ready'): Condition | undefined =>
  statusOf(object).conditions?.find((candidate) => candidate.type === type)

/** As `kubectl wait --for=condition=Ready` sees it, for the spec as it stands. */
export function isReady(object: RawObject): boolean {
  const ready = condition(object)
  return ready?.status === 'True' && ready.observedGeneration === object.metadata.generation
}

export type Labels = Readonly<Record<string, string>>

export interface IdentityOptions {
  readonly app?: string
  readonly serviceAccountName?: string
  readonly authority?: string
  readonly certificate?: object
}

/** One namespace. Names of pods, Services and accounts are the test's own. */
export interface Place {
  readonly name: string
  create(resource: Resource, object: RawObject): Promise<RawObject>
  get(resource: Resource, name: string): Promise<RawObject>
  /** Undefined: there is none. */
  find(resource: Resource, name: string): Promise<RawObject | undefined>
  patch(resource: Resource, name: string, patch: object): Promise<RawObject>
  delete(resource: Resource, name: string): Promise<void>
  account(name: string): Promise<RawObject>
  pod(name: string, options?: { readonly labels?: Labels; readonly account?: string }): Promise<RawObject>
  service(name: string, options?: { readonly selector?: Labels; readonly headless?: boolean }): Promise<RawObject>
  /** Selects the pods with the label app=NAME, unless told otherwise; under the account `default`, unless told otherwise. */
  identity(name: string, options?: IdentityOptions): Promise<RawObject>
  /** Resolves with the identity once it is Ready. */
  ready(name: string, withinMs?: number): Promise<RawObject>
  /** Resolves with the identity once Ready is False for that reason. */
  stopped(name: string, reason: string): Promise<RawObject>
  /** The Secret of an identity. */
  secret(identity: string): Promise<RawObject>
  /** Reasons of all events about an object, oldest first. */
  eventsOf(name: string): Promise<readonly string[]>
  /** Resolves once these are the events about an object: they come after what they tell of. */
  told(name: string, reasons: readonly string[]): Promise<void>
}

/** Without a service account in the spec: it is observed from pods. */
export const OBSERVED = ''

/** Makes the namespace; resolves when pods can be made in it. */
export async function createPlace(client: Client, name: string): Promise<Place> {
  await client.create(namespaces, { metadata: { name } })
  await eventually(() => client.get(serviceAccounts, { namespace: name, name: 'default' }))
  return placeIn(client, name)
}

export function placeIn(client: Client, namespace: string): Place {
  const ref = (name: string) => ({ namespace, name })
  const create: Place['create'] = (resource, object) => client.create(resource, { ...object, metadata: { ...object.metadata, namespace } })
  const get: Place['get'] = (resource, name) => client.get(resource, ref(name))
  return {
    name: namespace,
    create,
    get,
    find: (resource, name) => findObject(client, resource, ref(name)),
    patch: (resource, name, patch) => client.mergePatch(resource, ref(name), patch),
    delete: (resource, name) => client.delete(resource, ref(name), {}),
    account: (name) => create(serviceAccounts, { metadata: { name } }),
    pod: (name, { labels = { app: name }, account = 'default' } = {}) =>
      create(pods, {
        metadata: { name, labels },
        spec: { serviceAccountName: account, containers: [{ name: 'program', image: 'program' }] },
      }),
    service: (name, { selector = { app: name }, headless = false } = {}) =>
      create(services, { metadata: { name }, spec: { selector, ports: [{ port: 443 }], ...(headless ? { clusterIP: 'None' } : {}) } }),
    identity: (name, options) => create(mutualIdentities, { metadata: { name }, spec: identitySpec(name, options) }),
    ready: (name, withinMs) =>
      eventually(async () => {
        const identity = await get(mutualIdentities, name)
        if (!isReady(identity)) throw new Error(`${name} is not ready: ${JSON.stringify(identity.status)}`)
        return identity
      }, withinMs),
    stopped: (name, reason) =>
      eventually(async () => {
        const identity = await get(mutualIdentities, name)
        const ready = condition(identity)
        if (ready?.status !== 'False' || ready.reason !== reason)
          throw new Error(`${name} is not stopped by ${reason}: ${JSON.stringify(identity.status)}`)
        return identity
      }),
    secret: (identity) => get(secrets, `${identity}-mtls`),
    eventsOf: (name) => eventReasons(client, namespace, name),
    told: async (name, reasons) => {
      await eventually(async () => {
        const found = await eventReasons(client, namespace, name)
        if (String(found) !== String(reasons)) throw new Error(`the events of ${name} are ${found.join(', ')}, not ${reasons.join(', ')}`)
      })
    },
  }
}

export async function findObject(
  client: Client,
  resource: Resource,
  ref: { namespace: string; name: string },
): Promise<RawObject | undefined> {
  try {
    return await client.get(resource, ref)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

function identitySpec(name: string, { app = name, serviceAccountName = 'default', authority, certificate }: IdentityOptions = {}): object {
  return {
    podSelector: { matchLabels: { app } },
    ...(serviceAccountName === OBSERVED ? {} : { serviceAccountName }),
    ...(authority === undefined ? {} : { authorityRef: { name: authority } }),
    ...(certificate === undefined ? {} : { certificate }),
  }
}

/** Resolves with the authority once Ready is what is asked for. */
export function authorityStands(client: Client, name: string, reason: string): Promise<RawObject> {
  return eventually(async () => {
    const authority = await client.get(clusterMutualAuthorities, { namespace: '', name })
    if (condition(authority)?.reason !== reason) throw new Error(`${name} does not say ${reason}: ${JSON.stringify(authority.status)}`)
    return authority
  })
}

/** Every object of a namespace, or of the cluster. */
export async function listAll(client: Client, resource: Resource, namespace?: string): Promise<RawObject[]> {
  const all: RawObject[] = []
  for await (const page of client.listPages(resource, namespace === undefined ? {} : { namespace })) all.push(...page.items)
  return all
}

async function eventReasons(client: Client, namespace: string, name: string): Promise<readonly string[]> {
  return (await listAll(client, events, namespace))
    .filter((event) => (event.regarding as { name?: string } | undefined)?.name === name)
    .sort((a, b) => String(a.eventTime).localeCompare(String(b.eventTime)))
    .map((event) => String(event.reason))
}

/** What a person may see of a ConfigMap's text. */
export const bundleTextOf = (configMap: RawObject): string | undefined => (configMap.data as Record<string, string> | undefined)?.['ca.crt']
export const trustBundle = (place: Place, authority = 'default'): Promise<RawObject> => place.get(configMaps, `${authority}-trust-bundle`)
