// Installs the operator into a cluster: kinds, namespace, account, rights - what a chart does, but for the Deployment. Used by the demo and cluster
// tests, with an administrator's client. Leaves what is there already as it is, and tells what it made.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { GROUP, MANAGER, VERSION } from '../../src/api/names.ts'
import { rbacObjects } from '../../src/api/rights.ts'
import type { Client } from '../../src/k8s/client.ts'
import { isAlreadyExists } from '../../src/k8s/errors.ts'
import type { RawObject } from '../../src/k8s/resource.ts'
import { customResourceDefinitions, resourceOf } from './kinds.ts'
import { PROJECT_FOLDER, readManifests } from './manifests.ts'

/** The account the controller runs under, in the operator's namespace. */
export const CONTROLLER_ACCOUNT = MANAGER

/** What became of one object. */
export interface Installed {
  /** As the API server has it when it was created now, else as it was wanted. */
  readonly object: RawObject
  /** False: it was there already and was left as it is. */
  readonly created: boolean
}

export interface InstallOptions {
  /** The operator's own namespace. */
  readonly namespace: string
  /** Its account gets rights in these only, which must exist; default: in all. */
  readonly watchNamespaces?: readonly string[]
  /** Hears of each object as soon as it is there, so that it can be undone whatever comes after. */
  readonly onInstalled?: (installed: Installed) => void
}

/** Resolves when the kinds are served and the account has its rights. */
export async function installOperator(client: Client, { namespace, watchNamespaces = [], onInstalled }: InstallOptions): Promise<void> {
  const definitions = readManifests(join(PROJECT_FOLDER, 'crds'))
  for (const object of [...definitions, ...accountObjects(namespace, watchNamespaces)]) {
    const installed = await createUnlessThere(client, object)
    onInstalled?.(installed)
  }
  await kindsServed(client, definitions)
}

/** Namespace, account and rights of the controller, in the order they can be created in. */
function accountObjects(namespace: string, watchNamespaces: readonly string[]): readonly RawObject[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: CONTROLLER_ACCOUNT, namespace } },
    ...(rbacObjects({ namespace, serviceAccount: CONTROLLER_ACCOUNT, watchNamespaces }) as readonly RawObject[]),
  ]
}

/** Creates an object that carries apiVersion and kind. */
export async function createUnlessThere(client: Client, object: RawObject): Promise<Installed> {
  try {
    const created = await client.create(resourceOf(object), object)
    // An answer to a create need not repeat them.
    return { object: { ...created, apiVersion: object.apiVersion as string, kind: object.kind as string }, created: true }
  } catch (error) {
    if (isAlreadyExists(error)) return { object, created: false }
    throw error
  }
}

/** Creates an object that carries apiVersion and kind, or puts what it says over the one that is there. */
export async function createOrChange(client: Client, object: RawObject): Promise<void> {
  if ((await createUnlessThere(client, object)).created) return
  const { namespace = '', name } = object.metadata
  await client.mergePatch(resourceOf(object), { namespace, name }, object)
}

const SERVED_WITHIN_MS = 30_000
const LOOK_EVERY_MS = 50

async function kindsServed(client: Client, definitions: readonly RawObject[]): Promise<void> {
  const until = performance.now() + SERVED_WITHIN_MS
  const plurals = definitions.map(({ metadata }) => metadata.name.split('.', 1)[0] as string)
  for (;;) {
    const served = await client.discover(GROUP, VERSION)
    const missing = plurals.filter((plural) => !served.includes(plural))
    const established = await Promise.all(definitions.map((definition) => isEstablished(client, definition.metadata.name)))
    if (missing.length === 0 && established.every(Boolean)) return
    if (performance.now() > until)
      throw new Error(`the API server does not serve ${missing.join(', ') || 'the kinds'} after ${SERVED_WITHIN_MS / 1000} s`)
    await sleep(LOOK_EVERY_MS)
  }
}

async function isEstablished(client: Client, name: string): Promise<boolean> {
  const { status } = await client.get(customResourceDefinitions, { namespace: '', name })
  const { conditions = [] } = (status ?? {}) as { conditions?: readonly { type: string; status: string }[] }
  return conditions.some(({ type, status: holds }) => type === 'Established' && holds === 'True')
}
