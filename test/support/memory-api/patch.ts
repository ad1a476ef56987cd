// Merge patches (RFC 7386) and server-side apply with field ownership, on plain JSON. Used by the writes; no state of its own.
//
// Ownership is kept beside the objects, by uid, manager and subresource, as sets of leaf paths; entries of lists of type map are named by their keys.

import { isFields, type JsonSchema } from './schema.ts'

type Fields = Record<string, unknown>

/** RFC 7386: null takes away. Returns a new value. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch
  const result: Fields = isFields(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name]
    else result[name] = mergePatch(result[name], value)
  }
  return result
}

/** What one manager applied: JSON of paths. */
export type FieldSet = ReadonlySet<string>

/**
 * Applies `wanted` over `target` for a manager that applied the fields `before`: what it does not name any more goes away, the rest is merged.
 * Returns the new value and what the manager owns now.
 */
export function applyFields(
  target: unknown,
  wanted: Fields,
  schema: JsonSchema | undefined,
  before: FieldSet,
): { value: Fields; owned: FieldSet } {
  const owned = new Set(leavesOf(wanted, schema).map((path) => JSON.stringify(path)))
  let value: unknown = target
  for (const gone of before) if (!owned.has(gone)) value = without(value, JSON.parse(gone) as Path)
  return { value: merged(value, wanted, schema) as Fields, owned }
}

/** A field name, or the keys of an entry of a list. */
type Step = string | { readonly keys: Fields }
type Path = readonly Step[]

function leavesOf(value: unknown, schema: JsonSchema | undefined, path: Path = []): Path[] {
  const keys = schema?.['x-kubernetes-list-map-keys']
  if (Array.isArray(value) && keys) {
    return value.flatMap((item: Fields) =>
      leavesOf(item, schema?.items, [...path, { keys: Object.fromEntries(keys.map((key) => [key, item[key]])) }]),
    )
  }
  if (!isFields(value) || schema?.['x-kubernetes-map-type'] === 'atomic' || Object.keys(value).length === 0) return [path]
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, schemaAt(schema, name), [...path, name]))
}

const schemaAt = (schema: JsonSchema | undefined, name: string): JsonSchema | undefined =>
  schema?.properties?.[name] ?? schema?.additionalProperties

const hasKeys = (item: unknown, keys: Fields): boolean =>
  isFields(item) && Object.entries(keys).every(([key, value]) => item[key] === value)

/** Takes a leaf away, and what has become empty by it on the way. */
function without(value: unknown, [step, ...rest]: Path): unknown {
  if (step === undefined) return undefined
  if (typeof step === 'string') {
    if (!isFields(value) || !(step in value)) return value
    const { [step]: inner, ...others } = value
    const left = without(inner, rest)
    return left === undefined || isEmpty(left) ? others : { ...value, [step]: left }
  }
  if (!Array.isArray(value)) return value
  return value.flatMap((item) => {
    // The keys go with the entry, once nothing else is left of it.
    if (!hasKeys(item, step.keys) || (rest.length === 1 && (rest[0] as string) in step.keys)) return [item]
    const left = without(item, rest)
    return left === undefined || isEmpty(left) || Object.keys(left as Fields).every((key) => key in step.keys) ? [] : [left]
  })
}

const isEmpty = (value: unknown): boolean => typeof value === 'object' && value !== null && Object.keys(value).length === 0

function merged(target: unknown, wanted: unknown, schema: JsonSchema | undefined): unknown {
  const keys = schema?.['x-kubernetes-list-map-keys']
  if (Array.isArray(wanted) && keys) {
    const present = Array.isArray(target) ? target : []
    const keysOf = (item: Fields): Fields => Object.fromEntries(keys.map((key) => [key, item[key]]))
    const changed = present.map((item) => {
      const match = wanted.find((other: Fields) => hasKeys(item, keysOf(other)))
      return match === undefined ? item : merged(item, match, schema?.items)
    })
    return [...changed, ...wanted.filter((item: Fields) => !present.some((other) => hasKeys(other, keysOf(item))))]
  }
  if (!isFields(wanted) || schema?.['x-kubernetes-map-type'] === 'atomic') return wanted
  const result: Fields = isFields(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(wanted)) result[name] = merged(result[name], value, schemaAt(schema, name))
  return result
}
