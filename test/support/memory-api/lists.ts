// Lists with pages and selectors. Used by the server; no state: a continue token carries where it goes on and under which version it began.

import type { RawObject } from '../../../src/k8s/resource.ts'
import { badRequest, Failure } from './failure.ts'
import type { Kind } from './kinds.ts'
import { selectorOf } from './selector.ts'
import type { Storage } from './storage.ts'

/** The answer of a list. */
export function listAnswer(storage: Storage, kind: Kind, namespace: string, query: Readonly<Record<string, string>>): object {
  const { labelSelector, fieldSelector, limit, continue: token } = query
  const begun = token === undefined ? undefined : readToken(token)
  if (begun && begun.version < storage.compacted) {
    throw new Failure(410, 'Expired', 'The provided continue parameter is too old to display a consistent list result.')
  }
  refuseFuture(storage, query.resourceVersion)
  const version = begun?.version ?? storage.version
  const matches = selectorOf(labelSelector, fieldSelector)
  const all = stateAt(storage, kind, namespace, version).filter(matches)
  const rest = begun ? all.filter((object) => keyOf(object) > begun.after) : all
  const size = limit === undefined || limit === '0' ? rest.length : Number(limit)
  const items = rest.slice(0, size)
  const more = rest.length > items.length
  const last = items.at(-1)
  const metadata = {
    resourceVersion: String(version),
    ...(more && last ? { continue: makeToken(version, keyOf(last)) } : {}),
    ...(more && labelSelector === undefined && fieldSelector === undefined ? { remainingItemCount: rest.length - items.length } : {}),
  }
  const type = { kind: `${kind.kind}List`, apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}` }
  // Items of built-in lists carry neither kind nor apiVersion.
  return { ...type, metadata, items: kind.schema ? items : items.map(({ kind: _kind, apiVersion: _version, ...item }) => item) }
}

/** A version that the server has not reached: it waits 3 s for it, which is left out here, and says so. */
function refuseFuture(storage: Storage, resourceVersion: string | undefined): void {
  if (resourceVersion === undefined || Number(resourceVersion) <= storage.version) return
  const message = `Too large resource version: ${resourceVersion}, current: ${storage.version}`
  throw new Failure(504, 'Timeout', `Timeout: ${message}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })
}

const keyOf = ({ metadata: { namespace = '', name } }: RawObject): string => `${namespace}\u0000${name}`

const makeToken = (version: number, after: string): string => Buffer.from(JSON.stringify({ version, after })).toString('base64url')

function readToken(token: string): { version: number; after: string } {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString())
  } catch {
    throw badRequest('continue key is not valid')
  }
}

/** The objects as they were: the present ones with the later changes taken back. */
function stateAt(storage: Storage, kind: Kind, namespace: string, version: number): RawObject[] {
  const present = storage.list(kind, namespace || undefined)
  if (version === storage.version) return present
  const state = new Map(present.map((object) => [keyOf(object), object]))
  for (const event of [...storage.after(version)].reverse()) {
    if (event.kind !== kind || (namespace && event.object.metadata.namespace !== namespace)) continue
    if (event.before) state.set(keyOf(event.object), event.before)
    else state.delete(keyOf(event.object))
  }
  return [...state.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)
}
