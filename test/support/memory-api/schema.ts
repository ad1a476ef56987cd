// Structural schemas as the API server applies them to custom resources: defaults, unknown fields, validation. Used by the writes.
// CEL rules are not run: test/cluster/crd.test.ts tries them on the real API server.

import { type Violation, violation } from './failure.ts'

/** As much of a structural schema as our CRDs use. */
export interface JsonSchema {
  readonly type: string
  readonly default?: unknown
  readonly enum?: readonly string[]
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly items?: JsonSchema
  readonly maxProperties?: number
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema
  readonly 'x-kubernetes-map-type'?: string
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
}

type Fields = Record<string, unknown>

export const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Fills defaults in place, nulls first: a null of a field with a default becomes the default. */
export function fillDefaults(value: unknown, schema: JsonSchema): void {
  if (Array.isArray(value) && schema.items) for (const item of value) fillDefaults(item, schema.items)
  if (!isFields(value)) return
  for (const [name, of] of Object.entries(schema.properties ?? {})) {
    if ((value[name] === undefined || value[name] === null) && of.default !== undefined) value[name] = structuredClone(of.default)
    else if (value[name] === null) delete value[name]
    if (value[name] !== undefined) fillDefaults(value[name], of)
  }
  if (schema.additionalProperties) for (const inner of Object.values(value)) fillDefaults(inner, schema.additionalProperties)
}

/** Paths of fields that the schema does not know, sorted. */
export function unknownFields(value: unknown, schema: JsonSchema, path = ''): string[] {
  if (Array.isArray(value))
    return schema.items ? value.flatMap((item, index) => unknownFields(item, schema.items as JsonSchema, `${path}[${index}]`)) : []
  if (!isFields(value)) return []
  const { properties, additionalProperties } = schema
  const found = Object.entries(value).flatMap(([name, inner]) => {
    const at = path === '' ? name : `${path}.${name}`
    const known = properties?.[name] ?? additionalProperties
    return known ? unknownFields(inner, known, at) : [at]
  })
  return found.sort()
}

/** Takes away in place what the schema does not know. */
export function prune(value: unknown, schema: JsonSchema): void {
  if (Array.isArray(value) && schema.items) for (const item of value) prune(item, schema.items)
  if (!isFields(value)) return
  for (const [name, inner] of Object.entries(value)) {
    const known = schema.properties?.[name] ?? schema.additionalProperties
    if (known) prune(inner, known)
    else delete value[name]
  }
}

export function violations(value: unknown, schema: JsonSchema, path: string): Violation[] {
  const type = typeOf(value)
  if (type !== schema.type) {
    return [violation('FieldValueTypeInvalid', path, `Invalid value: "${type}": ${path} in body must be of type ${schema.type}: "${type}"`)]
  }
  if (typeof value === 'string') return textViolations(value, schema, path)
  if (typeof value === 'number' && value < (schema.minimum ?? Number.NEGATIVE_INFINITY)) {
    const message = `Invalid value: ${value}: ${path} in body should be greater than or equal to ${schema.minimum}`
    return [violation('FieldValueInvalid', path, message)]
  }
  if (typeof value === 'number' && value > (schema.maximum ?? Number.POSITIVE_INFINITY)) {
    const message = `Invalid value: ${value}: ${path} in body should be less than or equal to ${schema.maximum}`
    return [violation('FieldValueInvalid', path, message)]
  }
  if (Array.isArray(value)) return listViolations(value, schema, path)
  if (!isFields(value)) return []
  const missing = (schema.required ?? []).filter((name) => value[name] === undefined)
  const inner = Object.entries(value).flatMap(([name, field]) => {
    const known = schema.properties?.[name] ?? schema.additionalProperties
    return known ? violations(field, known, `${path}.${name}`) : []
  })
  return [
    ...missing.map((name) => violation('FieldValueRequired', `${path}.${name}`, 'Required value')),
    ...tooMany(Object.keys(value).length, schema.maxProperties, path),
    ...inner,
  ]
}

function tooMany(count: number, most: number | undefined, path: string): Violation[] {
  if (most === undefined || count <= most) return []
  return [violation('FieldValueTooMany', path, `Too many: ${count}: must have at most ${most} items`)]
}

function textViolations(value: string, schema: JsonSchema, path: string): Violation[] {
  const { enum: allowed, maxLength = Number.POSITIVE_INFINITY, minLength = 0 } = schema
  if (allowed && !allowed.includes(value)) {
    const values = allowed.map((one) => JSON.stringify(one)).join(', ')
    return [violation('FieldValueNotSupported', path, `Unsupported value: ${JSON.stringify(value)}: supported values: ${values}`)]
  }
  if (value.length > maxLength) return [violation('FieldValueTooLong', path, `Too long: may not be more than ${maxLength} bytes`)]
  if (value.length >= minLength) return []
  const message = `Invalid value: ${JSON.stringify(value)}: ${path} in body should be at least ${minLength} chars long`
  return [violation('FieldValueInvalid', path, message)]
}

function listViolations(value: readonly unknown[], schema: JsonSchema, path: string): Violation[] {
  const { items, minItems = 0 } = schema
  const few = value.length < minItems
  return [
    ...tooMany(value.length, schema.maxItems, path),
    ...(few
      ? [violation('FieldValueInvalid', path, `Invalid value: ${value.length}: ${path} in body should have at least ${minItems} items`)]
      : []),
    ...(items ? value.flatMap((item, index) => violations(item, items, `${path}[${index}]`)) : []),
    ...duplicates(value, schema, path),
  ]
}

function duplicates(value: readonly unknown[], schema: JsonSchema, path: string): Violation[] {
  const keys = schema['x-kubernetes-list-map-keys']
  if (!keys && schema['x-kubernetes-list-type'] !== 'set') return []
  const ids = value.map((item) => JSON.stringify(keys && isFields(item) ? Object.fromEntries(keys.map((key) => [key, item[key]])) : item))
  return ids.flatMap((id, index) =>
    ids.indexOf(id) < index ? [violation('FieldValueDuplicate', `${path}[${index}]`, `Duplicate value: ${id}`)] : [],
  )
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (value === null) return 'null'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}
