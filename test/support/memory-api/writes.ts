// Creates, patches, replaces statuses and deletes on the storage, with what the API server does to an object on its way: uid, times, generation, defaults, status,
// finalizers, preconditions. Used by the server; what is told to whom is the storage's business.

import { isDeepStrictEqual } from 'node:util'
import { type Clock, formatInstant } from '../../../src/base/clock.ts'
import type { RawMeta, RawObject } from '../../../src/k8s/resource.ts'
import { badRequest, collectionName, conflict, Failure, internal, invalid, kindName, notFound, violation } from './failure.ts'
import type { Kind } from './kinds.ts'
import { mergePatch } from './patch.ts'
import { check, checkFields, takeStringData } from './rules.ts'
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

const LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

export class Writes {
  readonly #storage: Storage
  readonly #clock: Clock
  readonly #namespaceOf: (name: string) => RawObject | undefined
  #generated = 0

  constructor(storage: Storage, clock: Clock, namespaceOf: (name: string) => RawObject | undefined) {
    this.#storage = storage
    this.#clock = clock
    this.#namespaceOf = namespaceOf
  }

  /** `strict`: unknown fields are refused. */
  create(target: Target, body: RawObject, strict: boolean): RawObject {
    const { kind, namespace } = target
    this.#refuseOther(target, body)
    checkFields(kind, body, 'create', strict)
    return this.#make(kind, namespace, body)
  }

  patch(target: Target, patch: RawObject, strict: boolean): RawObject {
    const { kind } = target
    const before = this.#present(target)
    const wanted = mergePatch(before, patch) as RawObject
    checkFields(kind, wanted, 'patch', strict)
    this.#refuseOther(target, wanted)
    this.#expectVersion(target, before, wanted)
    return this.#store(target, before, wanted)
  }

  /** The status as a whole; all else of the body is passed over, but what it says of the object it is for. */
  replaceStatus(target: Target, body: RawObject, strict: boolean): RawObject {
    const { kind, name } = target
    this.#refuseOther(target, body)
    checkFields(kind, body, 'create', strict)
    const before = this.#present(target)
    const { uid, resourceVersion } = body.metadata
    if (uid && uid !== before.metadata.uid) {
      const mismatch = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid}`
      throw conflict(collectionName(kind), name, mismatch)
    }
    if (!resourceVersion) {
      throw invalid(kindName(kind), name, [violation('FieldValueInvalid', 'metadata.resourceVersion', 'must be specified for an update')])
    }
    this.#expectVersion(target, before, body)
    return this.#store(target, before, body)
  }

  /** Returns the object as it is now being deleted, or undefined when it is gone. */
  delete(target: Target, preconditions: Preconditions): RawObject | undefined {
    const before = this.#present(target)
    expectSame(target.kind, before, preconditions)
    const isNamespace = target.kind.plural === 'namespaces'
    if ((before.metadata.finalizers ?? []).length === 0 && !isNamespace) {
      this.#remove(target.kind, before)
      return undefined
    }
    if (before.metadata.deletionTimestamp !== undefined) return before
    const { generation } = before.metadata
    const metadata = {
      ...before.metadata,
      deletionTimestamp: formatInstant(this.#clock.now()),
      ...(isNamespace ? {} : { deletionGracePeriodSeconds: 0 }),
      ...(generation === undefined ? {} : { generation: generation + 1 }),
    }
    return this.#storage.put(target.kind, { ...before, metadata, ...(isNamespace ? { status: { phase: 'Terminating' } } : {}) })
  }

  #make(kind: Kind, namespace: string, body: RawObject): RawObject {
    this.#refuseGoneNamespace(kind, namespace, body.metadata.name)
    const { generateName, resourceVersion, managedFields: _fields, deletionTimestamp: _gone, ...given } = body.metadata
    if (resourceVersion) throw internal('resourceVersion should not be set on objects to be created')
    const metadata: RawMeta = {
      ...given,
      ...(generateName === undefined ? {} : { generateName }),
      name: given.name || (generateName === undefined ? '' : `${generateName}${this.#suffix()}`),
      ...(namespace === '' ? {} : { namespace }),
      uid: this.#storage.newUid(),
      creationTimestamp: formatInstant(this.#clock.now()),
    }
    delete metadata.generation
    if (kind.statusSubresource) metadata.generation = 1
    const { status: _status, ...content } = body
    const object: RawObject = { ...(kind.statusSubresource ? content : body), ...typeOf(kind), metadata }
    standard(kind, object)
    check(kind, object)
    const present = this.#storage.get(kind, namespace, metadata.name)
    if (present) {
      const goes = present.metadata.deletionTimestamp === undefined ? '' : 'object is being deleted: '
      throw new Failure(409, 'AlreadyExists', `${goes}${collectionName(kind)} "${metadata.name}" already exists`)
    }
    return this.#storage.put(kind, object)
  }

  /** Five letters, another each time. */
  #suffix(): string {
    let left = ++this.#generated
    let text = ''
    for (let place = 0; place < 5; place++) {
      text = `${LETTERS[left % LETTERS.length]}${text}`
      left = Math.floor(left / LETTERS.length)
    }
    return text
  }

  #remove(kind: Kind, object: RawObject): RawObject {
    return this.#storage.remove(kind, object)
  }

  #store({ kind, subresource }: Target, before: RawObject, wanted: RawObject): RawObject {
    const { name, namespace, creationTimestamp, deletionTimestamp, generation, resourceVersion } = before.metadata
    const fixed = { name, namespace, creationTimestamp, deletionTimestamp, generation, resourceVersion }
    const after: RawObject =
      subresource === 'status'
        ? { ...before, status: wanted.status }
        : {
            ...wanted,
            ...typeOf(kind),
            ...(kind.statusSubresource ? { status: before.status } : {}),
            metadata: defined({ ...wanted.metadata, ...fixed, uid: wanted.metadata.uid ?? before.metadata.uid }),
          }
    if (after.status === undefined) delete after.status
    standard(kind, after)
    if (isDeepStrictEqual(JSON.parse(JSON.stringify(after)), JSON.parse(JSON.stringify(before)))) return before
    if (kind.statusSubresource && !isDeepStrictEqual(after.spec, before.spec)) after.metadata.generation = (generation ?? 0) + 1
    check(kind, after, before)
    if (deletionTimestamp !== undefined && (after.metadata.finalizers ?? []).length === 0 && kind.plural !== 'namespaces') {
      // What watchers hear of last is what was stored, finalizer and all.
      const { metadata } = this.#remove(kind, before)
      return { ...after, metadata: { ...after.metadata, ...given(undefined, metadata.resourceVersion) } }
    }
    return this.#storage.put(kind, after)
  }

  #present({ kind, namespace, name }: Target): RawObject {
    const object = this.#storage.get(kind, namespace, name)
    if (!object) throw notFound(collectionName(kind), name)
    return object
  }

  #expectVersion({ kind, name }: Target, before: RawObject, { metadata }: RawObject): void {
    const { resourceVersion } = metadata ?? {}
    if (resourceVersion && resourceVersion !== before.metadata.resourceVersion) throw conflict(collectionName(kind), name)
  }

  /** What a body says of itself must be what the path says. */
  #refuseOther({ kind, namespace, name }: Target, body: RawObject): void {
    const { metadata = {} as RawMeta } = body
    const type = typeOf(kind)
    if ((body.kind ?? type.kind) !== type.kind || (body.apiVersion ?? type.apiVersion) !== type.apiVersion) {
      throw badRequest(`${body.kind} in version "${body.apiVersion}" cannot be handled as a ${kind.kind}`)
    }
    if (metadata.namespace && metadata.namespace !== namespace) {
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
    }
    if (name && metadata.name && metadata.name !== name) {
      throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
    }
  }

  #refuseGoneNamespace(kind: Kind, name: string, of: string): void {
    if (!kind.namespaced) return
    const namespace = this.#namespaceOf(name)
    if (!namespace) throw notFound('namespaces', name)
    if (namespace.metadata.deletionTimestamp === undefined) return
    const why = `unable to create new content in namespace ${name} because it is being terminated`
    throw new Failure(403, 'Forbidden', `${collectionName(kind)} "${of}" is forbidden: ${why}`, {
      causes: [{ reason: 'NamespaceTerminating', message: `namespace ${name} is being terminated`, field: 'metadata.namespace' }],
    })
  }
}

const given = (uid: string | undefined, resourceVersion?: string) => ({
  ...(uid ? { uid } : {}),
  ...(resourceVersion ? { resourceVersion } : {}),
})

/** The preconditions of a delete. */
function expectSame(kind: Kind, { metadata }: RawObject, { uid, resourceVersion }: Preconditions): void {
  const mismatch = (field: string, expected: string, found: unknown, end: string): Failure =>
    conflict(
      kind.kind,
      metadata.name,
      `the ${field} in the precondition (${expected}) does not match the ${field} in record (${found}). The object might have been ${end}`,
    )
  if (uid && uid !== metadata.uid) throw mismatch('UID', uid, metadata.uid, 'deleted and then recreated')
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) {
    throw mismatch('ResourceVersion', resourceVersion, metadata.resourceVersion, 'modified')
  }
}

const typeOf = ({ group, version, kind }: Kind) => ({ apiVersion: group === '' ? version : `${group}/${version}`, kind })

/** Defaults of custom resources by their schema, of built-in kinds where somebody reads them; what is empty is not there. */
function standard(kind: Kind, object: RawObject): void {
  if (kind.schema) fillDefaults(object, kind.schema)
  for (const field of ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const)
    if (isNothing(object.metadata[field])) delete object.metadata[field]
  if (kind.group !== '') return
  if (kind.plural === 'secrets') object.type ??= 'Opaque'
  takeStringData(kind, object)
  if (kind.plural === 'secrets' || kind.plural === 'configmaps') {
    for (const field of ['data', 'binaryData']) if (isNothing(object[field])) delete object[field]
  }
  if (kind.plural === 'pods' && isFields(object.spec)) object.spec.serviceAccountName ??= 'default'
  if (kind.plural === 'namespaces') {
    object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name }
    object.spec ??= { finalizers: ['kubernetes'] }
    object.status ??= { phase: 'Active' }
  }
}

const isNothing = (value: unknown): boolean => value === null || (typeof value === 'object' && Object.keys(value as object).length === 0)

function defined(metadata: Record<string, unknown>): RawMeta {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined)) as unknown as RawMeta
}
