// Merge patches (RFC 7386), and what server-side apply makes of an object, on plain JSON. Used by the writes and the ownership; no state.
// Fields are named by paths; entries of lists of type map by their keys, of lists of type set by their value.

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

/** A field name, the keys of an entry of a list, or the entry. */
export type Step = string | { readonly keys: Fields } | { readonly value: unknown }
export type Path = readonly Step[]

const keysOf = (item: unknown, keys: readonly string[]): Fields => Object.fromEntries(keys.map((key) => [key, (item as Fields)[key]]))

/** How an entry of such a list is named; undefined: the list is one value. */
function stepOf(schema: JsonSchema | undefined): ((item: unknown) => Step) | undefined {
  const keys = schema?.['x-kubernetes-list-map-keys']
  if (keys) return (item) => ({ keys: keysOf(item, keys) })
  return schema?.['x-kubernetes-list-type'] === 'set' ? (value) => ({ value }) : undefined
}

export function leavesOf(value: unknown, schema: JsonSchema | undefined, path: Path = []): Path[] {
  const step = Array.isArray(value) ? stepOf(schema) : undefined
  if (Array.isArray(value) && step) return value.flatMap((item) => leavesOf(item, schema?.items, [...path, step(item)]))
  if (!isFields(value) || schema?.['x-kubernetes-map-type'] === 'atomic' || Object.keys(value).length === 0) return [path]
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, schemaAt(schema, name), [...path, name]))
}

const schemaAt = (schema: JsonSchema | undefined, name: string): JsonSchema | undefined =>
  schema?.properties?.[name] ?? schema?.additionalProperties

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)

function isAt(item: unknown, step: Exclude<Step, string>): boolean {
  if ('value' in step) return same(item, step.value)
  return isFields(item) && Object.entries(step.keys).every(([key, value]) => item[key] === value)
}

/** What stands there; undefined: nothing. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, step) => {
    if (typeof step === 'string') return isFields(at) ? at[step] : undefined
    return Array.isArray(at) ? at.find((item) => isAt(item, step)) : undefined
  }, value)
}

/** Takes a leaf away, and what has become empty by it on the way. */
export function without(value: unknown, [step, ...rest]: Path): unknown {
  if (step === undefined) return undefined
  if (typeof step === 'string') {
    if (!isFields(value) || !(step in value)) return value
    const { [step]: inner, ...others } = value
    const left = without(inner, rest)
    return left === undefined || isEmpty(left) ? others : { ...value, [step]: left }
  }
  if (!Array.isArray(value)) return value
  return value.flatMap((item) => {
    if (!isAt(item, step)) return [item]
    // The keys go with the entry, once nothing else is left of it.
    if ('keys' in step && rest.length === 1 && (rest[0] as string) in step.keys)
      return Object.keys(item as Fields).length === 1 ? [] : [item]
    const left = without(item, rest)
    const keys = 'keys' in step ? step.keys : {}
    return left === undefined || isEmpty(left) || Object.keys(left as Fields).every((key) => key in keys) ? [] : [left]
  })
}

const isEmpty = (value: unknown): boolean => typeof value === 'object' && value !== null && Object.keys(value).length === 0

/** Puts `wanted` over `target`. */
export function merged(target: unknown, wanted: unknown, schema: JsonSchema | undefined): unknown {
  const step = Array.isArray(wanted) ? stepOf(schema) : undefined
  if (Array.isArray(wanted) && step) return mergedList(Array.isArray(target) ? target : [], wanted, schema, step)
  if (!isFields(wanted) || schema?.['x-kubernetes-map-type'] === 'atomic') return wanted
  const result: Fields = isFields(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(wanted)) result[name] = merged(result[name], value, schemaAt(schema, name))
  return result
}

/** The wanted entries in their order; those of others stay where they stood among them. As structured-merge-diff has it. */
function mergedList(
  present: readonly unknown[],
  wanted: readonly unknown[],
  schema: JsonSchema | undefined,
  step: (item: unknown) => Step,
): unknown[] {
  const idOf = (item: unknown): string => JSON.stringify(step(item))
  const before = new Map(present.map((item) => [idOf(item), item]))
  const wantedIds = new Set(wanted.map(idOf))
  const shared = wanted.map(idOf).filter((id) => before.has(id))
  const result: unknown[] = []
  let left = 0
  let right = 0
  while (left < present.length || right < wanted.length) {
    if (left < present.length) {
      const id = idOf(present[left])
      if (!wantedIds.has(id)) {
        result.push(present[left++])
        continue
      }
      if (right < wanted.length ? id !== shared[0] : true) {
        left++
        continue
      }
    }
    const item = wanted[right++]
    const id = idOf(item)
    if (id === shared[0]) shared.shift()
    result.push(before.has(id) ? merged(before.get(id), item, schema?.items) : item)
    if (left < present.length && idOf(present[left]) === id) left++
  }
  return result
}
