// Which field manager owns which fields, kept beside the objects (the API server keeps it in metadata.managedFields): what an apply takes away. Used by
// the writes. Managers that update own what they changed; managers that apply own what they named last.

import type { RawObject } from '../../../src/k8s/resource.ts'
import type { Kind } from './kinds.ts'
import { leavesOf, merged, type Path, valueAt, without } from './patch.ts'
import type { JsonSchema } from './schema.ts'

/** JSON of paths. */
type FieldSet = Set<string>

/** Who writes, and which part. */
export interface Manager {
  readonly name: string
  readonly operation: 'Apply' | 'Update'
  readonly subresource: string
}

const METADATA: JsonSchema = {
  type: 'object',
  properties: {
    finalizers: { type: 'array', 'x-kubernetes-list-type': 'set' },
    ownerReferences: { type: 'array', 'x-kubernetes-list-map-keys': ['uid'] },
  },
}

const schemaOf = ({ schema }: Kind): JsonSchema => ({ type: 'object', properties: { ...schema?.properties, metadata: METADATA } })

/** What can be owned of an object by a write to that part. */
function contentOf({ status, ...object }: RawObject, subresource: string): Record<string, unknown> {
  if (subresource === 'status') return status === undefined ? {} : { status }
  const { labels, annotations, finalizers, ownerReferences } = object.metadata ?? {}
  const { apiVersion: _api, kind: _kind, metadata: _metadata, ...content } = object
  return { ...content, metadata: defined({ labels, annotations, finalizers, ownerReferences }) }
}

const defined = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

const setOf = (content: unknown, kind: Kind): FieldSet => new Set(leavesOf(content, schemaOf(kind)).map((path) => JSON.stringify(path)))
const pathOf = (field: string): Path => JSON.parse(field) as Path
const keyOf = ({ name, operation, subresource }: Manager): string => [operation, subresource, name].join('/')
const differs = (one: unknown, other: unknown, field: string): boolean =>
  JSON.stringify(valueAt(one, pathOf(field))) !== JSON.stringify(valueAt(other, pathOf(field)))

/** The field or one within it: an empty object is a leaf until there is something in it. */
const isNamed = (fields: FieldSet, field: string): boolean =>
  fields.has(field) || [...fields].some((other) => other.startsWith(`${field.slice(0, -1)},`))

export class Ownership {
  readonly #byUid = new Map<string, Map<string, FieldSet>>()

  /** What `before` becomes when the manager applies `body`: all that it owned alone and does not name any more goes. */
  applied(kind: Kind, before: RawObject, body: RawObject, manager: Manager): RawObject {
    const wanted = contentOf(body, manager.subresource)
    const named = setOf(wanted, kind)
    const owners = this.#ownersOf(before)
    const others = [...owners].filter(([key]) => key !== keyOf(manager)).map(([, fields]) => fields)
    let value: unknown = merged(before, wanted, schemaOf(kind))
    for (const field of owners.get(keyOf(manager)) ?? []) {
      if (!isNamed(named, field) && !others.some((fields) => isNamed(fields, field))) value = without(value, pathOf(field))
    }
    return value as RawObject
  }

  /** After an apply was stored. */
  noteApply(kind: Kind, before: RawObject | undefined, after: RawObject, body: RawObject, manager: Manager): void {
    const owners = this.#ownersOf(after)
    this.#takeChanged(owners, before, after)
    owners.set(keyOf(manager), setOf(contentOf(body, manager.subresource), kind))
  }

  /** After a create or a patch was stored. */
  noteUpdate(kind: Kind, before: RawObject | undefined, after: RawObject, manager: Manager): void {
    const owners = this.#ownersOf(after)
    this.#takeChanged(owners, before, after)
    const own = owners.get(keyOf(manager)) ?? new Set()
    for (const field of setOf(contentOf(after, manager.subresource), kind)) if (differs(before, after, field)) own.add(field)
    owners.set(keyOf(manager), own)
  }

  forget({ metadata }: RawObject): void {
    this.#byUid.delete(metadata.uid ?? '')
  }

  #ownersOf({ metadata: { uid = '' } }: RawObject): Map<string, FieldSet> {
    const owners = this.#byUid.get(uid) ?? new Map<string, FieldSet>()
    this.#byUid.set(uid, owners)
    return owners
  }

  /** Nobody owns any more what somebody else changed or removed. */
  #takeChanged(owners: ReadonlyMap<string, FieldSet>, before: RawObject | undefined, after: RawObject): void {
    if (!before) return
    for (const fields of owners.values()) for (const field of fields) if (differs(before, after, field)) fields.delete(field)
  }
}
