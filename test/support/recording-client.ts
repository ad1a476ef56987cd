// A Client over objects in memory that keeps a list of what was written: for the tests of perform and of whole passes.
// It knows the few rules those depend on: create never takes over, a patch with an old version is a Conflict, delete heeds preconditions.

import { isDeepStrictEqual } from 'node:util'
import type { Client } from '../../src/k8s/client.ts'
import { errorFromReply } from '../../src/k8s/errors.ts'
import { apiVersionOf, type ObjectRef, type RawObject, type Resource } from '../../src/k8s/resource.ts'

export interface Write {
  readonly verb: 'create' | 'mergePatch' | 'replaceStatus' | 'delete'
  /** `secrets shop/payments-mtls`. */
  readonly path: string
  /** What was sent: the object, the patch or the preconditions. */
  readonly body: unknown
}

/** A failure as the API server would tell it. */
export function apiFailure(code: number, reason: string, message = `${reason} it is`, details: object = {}): Error {
  return errorFromReply(code, JSON.stringify({ kind: 'Status', status: 'Failure', code, reason, message, details }), undefined)
}

export interface RecordingClient {
  readonly client: Client
  /** All accepted writes, in order. */
  readonly writes: Write[]
  /** The paths that were read by get, in order. */
  readonly reads: string[]
  /** Asked before each call; what it returns is thrown. */
  refuse: (verb: Write['verb'] | 'get', path: string) => Error | undefined
  /** An object as somebody else put it there. */
  put(resource: Resource, object: RawObject): RawObject
  /** What is there. */
  at(resource: Resource, ref: ObjectRef): RawObject | undefined
  /** Everything that is there. */
  all(): readonly RawObject[]
}

export function recordingClient(): RecordingClient {
  const objects = new Map<string, RawObject>()
  let version = 1000
  let uids = 0
  const writes: Write[] = []
  const reads: string[] = []
  const pathOf = (resource: Resource, ref: { namespace?: string; name: string }): string =>
    `${resource.plural} ${ref.namespace ? `${ref.namespace}/` : ''}${ref.name}`

  const store = (path: string, object: RawObject): RawObject => {
    const kept = structuredClone({ ...object, metadata: { ...object.metadata, resourceVersion: String(++version) } })
    objects.set(path, kept)
    return structuredClone(kept)
  }
  const present = (path: string): RawObject => {
    const object = objects.get(path)
    if (!object) throw apiFailure(404, 'NotFound', `${path} not found`)
    return object
  }
  const expectVersion = (path: string, object: RawObject, wanted: { uid?: string; resourceVersion?: string } = {}): void => {
    for (const field of ['uid', 'resourceVersion'] as const) {
      if (wanted[field] !== undefined && wanted[field] !== object.metadata[field]) throw apiFailure(409, 'Conflict', `${path} was changed`)
    }
  }
  const ask = (verb: Write['verb'] | 'get', path: string): void => {
    const error = one.refuse(verb, path)
    if (error) throw error
  }

  const calls: Pick<Client, 'get' | 'create' | 'mergePatch' | 'replaceStatus' | 'delete'> = {
    async get(resource, ref) {
      const path = pathOf(resource, ref)
      reads.push(path)
      ask('get', path)
      return structuredClone(present(path))
    },
    async create(resource, object) {
      const path = pathOf(resource, object.metadata)
      ask('create', path)
      if (objects.has(path)) throw apiFailure(409, 'AlreadyExists', `${path} already exists`)
      writes.push({ verb: 'create', path, body: structuredClone(object) })
      const metadata = { ...object.metadata, uid: `made-${++uids}`, generation: 1 }
      return store(path, { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object, metadata })
    },
    async mergePatch(resource, ref, patch) {
      const path = pathOf(resource, ref)
      ask('mergePatch', path)
      const before = present(path)
      expectVersion(path, before, (patch as Partial<RawObject>).metadata)
      writes.push({ verb: 'mergePatch', path, body: structuredClone(patch) })
      const after = merge(before, patch) as RawObject
      return isDeepStrictEqual(before, after) ? structuredClone(before) : store(path, after)
    },
    async replaceStatus(resource, object) {
      const path = pathOf(resource, object.metadata)
      ask('replaceStatus', path)
      const before = present(path)
      expectVersion(path, before, object.metadata)
      writes.push({ verb: 'replaceStatus', path, body: structuredClone(object) })
      return store(path, { ...before, status: object['status'] })
    },
    async delete(resource, ref, preconditions) {
      const path = pathOf(resource, ref)
      ask('delete', path)
      expectVersion(path, present(path), preconditions)
      writes.push({ verb: 'delete', path, body: { ...preconditions } })
      objects.delete(path)
    },
  }
  const one: RecordingClient = {
    client: calls as Client,
    writes,
    reads,
    refuse: () => undefined,
    put(resource, object) {
      const path = pathOf(resource, object.metadata)
      const uid = object.metadata.uid ?? objects.get(path)?.metadata.uid ?? `put-${++uids}`
      return store(path, { ...object, metadata: { ...object.metadata, uid } })
    },
    at: (resource, ref) => objects.get(pathOf(resource, ref)),
    all: () => [...objects.values()],
  }
  return one
}

/** RFC 7386. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Record<string, unknown> = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else if (value !== undefined) result[key] = merge(result[key], value)
  }
  return result
}
