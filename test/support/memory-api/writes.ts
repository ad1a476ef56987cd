// Creates, patches and deletes on the storage, with what the API server does to an object on its way: uid, times, generation, defaults, status,
// finalizers, preconditions. Used by the server; what is told to whom is the storage's business.

import { isDeepStrictEqual } from 'node:util'
import { type Clock, formatInstant } from '../../../src/base/clock.ts'
import type { RawMeta, RawObject } from '../../../src/k8s/resource.ts'
import { conflict, Failure, notFound } from './failure.ts'
import type { Kind } from './kinds.ts'
import { applyFields, type FieldSet, mergePatch } from './patch.ts'
import { check, checkChange, refuseUnknownFields } from './rules.ts'
import { fillDefaults, isFields } from './schema.ts'
import type { Storage } from './storage.ts'

/** Which object, and whether its status. */
export interface Target {
  readonly kind: Kind
  readonly namespace: string
  readonly name: string
  readonly subresource: string
}

export interface Preconditions {
  readonly uid?: string
  readonly resourceVersion?: string
}

export class Writes {
  readonly #storage: Storage
  readonly #clock: Clock
  readonly #namespaceOf: (name: string) => RawObject | undefined
  /** By uid, manager and subresource. */
  readonly #owned = new Map<string, FieldSet>()
  #generated = 0

  constructor(storage: Storage, clock: Clock, namespaceOf: (name: string) => RawObject | undefined) {
    this.#storage = storage
    this.#clock = clock
    this.#namespaceOf = namespaceOf
  }

  create({ kind, namespace }: Target, body: RawObject, strict: boolean): RawObject {
    if (strict) refuseUnknownFields(kind, body)
    this.#refuseGoneNamespace(kind, namespace)
    const name = body.metadata.name ?? `${body.metadata.generateName}${String(++this.#generated).padStart(5, '0')}`
    if (this.#storage.get(kind, namespace, name)) throw new Failure(409, 'AlreadyExists', `${kind.plural} "${name}" already exists`)
    const { resourceVersion, deletionTimestamp: _gone, managedFields: _fields, ...given } = body.metadata
    if (resourceVersion) throw new Failure(400, 'BadRequest', 'resourceVersion should not be set on objects to be created')
    const metadata: RawMeta = {
      ...given,
      name,
      ...(namespace === '' ? {} : { namespace }),
      uid: this.#storage.newUid(),
      creationTimestamp: formatInstant(this.#clock.now()),
      ...(kind.statusSubresource ? { generation: 1 } : {}),
    }
    const { status: _status, ...content } = body
    const object: RawObject = { ...(kind.statusSubresource ? content : body), ...typeOf(kind), metadata }
    standard(kind, object)
    check(kind, object)
    return this.#storage.put(kind, object)
  }

  patch(target: Target, patch: RawObject, strict: boolean): RawObject {
    const before = this.#present(target)
    if (strict) refuseUnknownFields(target.kind, patch)
    const { uid, resourceVersion } = (patch.metadata ?? {}) as Preconditions
    this.#expect(target, before, { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) })
    return this.#store(target, before, mergePatch(before, patch) as RawObject)
  }

  apply(target: Target, body: RawObject, manager: string, strict: boolean): RawObject {
    if (strict) refuseUnknownFields(target.kind, body)
    const { kind, namespace, name, subresource } = target
    const before = this.#storage.get(kind, namespace, name)
    if (!before && subresource !== '') throw notFound(kind.plural, name)
    if (!before) {
      const made = this.create(target, body, strict)
      this.#owned.set(ownerKey(made, manager, subresource), applyFields({}, contentOf(body, subresource), kind.schema, new Set()).owned)
      return made
    }
    const { uid, resourceVersion } = body.metadata
    this.#expect(target, before, { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) })
    const key = ownerKey(before, manager, subresource)
    const { value, owned } = applyFields(before, contentOf(body, subresource), kind.schema, this.#owned.get(key) ?? new Set())
    const after = this.#store(target, before, value as RawObject)
    this.#owned.set(key, owned)
    return after
  }

  /** Returns the object as it is now being deleted, or undefined when it is gone. */
  delete(target: Target, preconditions: Preconditions): RawObject | undefined {
    const before = this.#present(target)
    this.#expect(target, before, preconditions)
    const isNamespace = target.kind.plural === 'namespaces'
    if ((before.metadata.finalizers ?? []).length === 0 && !isNamespace) {
      this.#storage.remove(target.kind, before)
      return undefined
    }
    if (before.metadata.deletionTimestamp !== undefined) return before
    const metadata = { ...before.metadata, deletionTimestamp: formatInstant(this.#clock.now()) }
    return this.#storage.put(target.kind, { ...before, metadata, ...(isNamespace ? { status: { phase: 'Terminating' } } : {}) })
  }

  #store({ kind, subresource }: Target, before: RawObject, wanted: RawObject): RawObject {
    const { name, namespace, uid, creationTimestamp, deletionTimestamp, generation } = before.metadata
    const fixed = {
      name,
      namespace,
      uid,
      creationTimestamp,
      deletionTimestamp,
      generation,
      resourceVersion: before.metadata.resourceVersion,
    }
    const after: RawObject =
      subresource === 'status'
        ? { ...before, status: wanted['status'] }
        : {
            ...wanted,
            ...typeOf(kind),
            ...(kind.statusSubresource ? { status: before['status'] } : {}),
            metadata: defined({ ...wanted.metadata, ...fixed }),
          }
    if (after['status'] === undefined) delete after['status']
    standard(kind, after)
    if (isDeepStrictEqual(JSON.parse(JSON.stringify(after)), JSON.parse(JSON.stringify(before)))) return before
    if (kind.statusSubresource && !isDeepStrictEqual(after['spec'], before['spec'])) after.metadata.generation = (generation ?? 0) + 1
    check(kind, after)
    checkChange(kind, before, after)
    if (deletionTimestamp !== undefined && (after.metadata.finalizers ?? []).length === 0 && kind.plural !== 'namespaces') {
      return this.#storage.remove(kind, after)
    }
    return this.#storage.put(kind, after)
  }

  #present({ kind, namespace, name }: Target): RawObject {
    const object = this.#storage.get(kind, namespace, name)
    if (!object) throw notFound(kind.plural, name)
    return object
  }

  #expect({ kind, name }: Target, { metadata }: RawObject, { uid, resourceVersion }: Preconditions): void {
    if (uid !== undefined && uid !== metadata.uid) throw conflict(kind.plural, name, `Precondition failed: UID in precondition: ${uid}`)
    if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) throw conflict(kind.plural, name)
  }

  #refuseGoneNamespace(kind: Kind, name: string): void {
    if (!kind.namespaced) return
    const namespace = this.#namespaceOf(name)
    if (!namespace) throw notFound('namespaces', name)
    if (namespace.metadata.deletionTimestamp === undefined) return
    const message = `${kind.plural} is forbidden: unable to create new content in namespace ${name} because it is being terminated`
    throw new Failure(403, 'Forbidden', message, {
      causes: [{ reason: 'NamespaceTerminating', message: `namespace ${name} is being terminated` }],
    })
  }
}

const typeOf = ({ group, version, kind }: Kind) => ({ apiVersion: group === '' ? version : `${group}/${version}`, kind })

/** What a manager can own of an applied body. */
function contentOf({ status, ...body }: RawObject, subresource: string): Record<string, unknown> {
  if (subresource === 'status') return { status }
  const { name: _name, namespace: _namespace, uid: _uid, resourceVersion: _version, ...metadata } = body.metadata
  const { apiVersion: _api, kind: _kind, ...content } = body
  return { ...content, metadata }
}

const ownerKey = ({ metadata }: RawObject, manager: string, subresource: string): string => `${metadata.uid}/${manager}/${subresource}`

/** Defaults of custom resources by their schema, of built-in kinds where somebody reads them. */
function standard(kind: Kind, object: RawObject): void {
  if (kind.schema) fillDefaults(object, kind.schema)
  if (kind.plural === 'secrets') object['type'] ??= 'Opaque'
  if (kind.plural === 'pods' && isFields(object['spec'])) object['spec']['serviceAccountName'] ??= 'default'
  if (kind.plural === 'namespaces') object['status'] ??= { phase: 'Active' }
}

function defined(metadata: Record<string, unknown>): RawMeta {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined)) as unknown as RawMeta
}
