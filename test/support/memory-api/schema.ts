// Structural schemas as the API server applies them to custom resources: defaults, unknown fields, validation. Used by the writes.
// CEL rules are not run: test/cluster/crd.test.ts tries them on the real API server.

/** As much of a structural schema as our CRDs use. */
export interface JsonSchema {
  readonly type: string
  readonly default?: unknown
  readonly enum?: readonly string[]
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
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

/** Paths of fields that the schema does not know. */
export function unknownFields(value: unknown, schema: JsonSchema, path = ''): string[] {
  if (Array.isArray(value))
    return schema.items ? value.flatMap((item, index) => unknownFields(item, schema.items as JsonSchema, `${path}[${index}]`)) : []
  if (!isFields(value)) return []
  const { properties, additionalProperties } = schema
  return Object.entries(value).flatMap(([name, inner]) => {
    const at = path === '' ? name : `${path}.${name}`
    const known = properties?.[name] ?? additionalProperties
    return known ? unknownFields(inner, known, at) : [at]
  })
}

/** What is wrong, as `field: message`. */
export function violations(value: unknown, schema: JsonSchema, path: string): string[] {
  if (typeOf(value) !== schema.type) return [`${path}: Invalid value: must be of type ${schema.type}`]
  if (typeof value === 'string') return textViolations(value, schema, path)
  if (typeof value === 'number' && value < (schema.minimum ?? Number.NEGATIVE_INFINITY))
    return [`${path}: Invalid value: should be greater than or equal to ${schema.minimum}`]
  if (Array.isArray(value)) return listViolations(value, schema, path)
  if (!isFields(value)) return []
  const missing = (schema.required ?? []).filter((name) => value[name] === undefined).map((name) => `${path}.${name}: Required value`)
  const tooMany =
    Object.keys(value).length > (schema.maxProperties ?? Number.POSITIVE_INFINITY)
      ? [`${path}: Too many: must have at most ${schema.maxProperties} items`]
      : []
  const inner = Object.entries(value).flatMap(([name, field]) => {
    const known = schema.properties?.[name] ?? schema.additionalProperties
    return known ? violations(field, known, `${path}.${name}`) : []
  })
  return [...missing, ...tooMany, ...inner]
}

function textViolations(value: string, schema: JsonSchema, path: string): string[] {
  if (schema.enum && !schema.enum.includes(value)) return [`${path}: Unsupported value: ${JSON.stringify(value)}`]
  if (value.length > (schema.maxLength ?? Number.POSITIVE_INFINITY)) return [`${path}: Too long: may not be more than ${schema.maxLength}`]
  return value.length < (schema.minLength ?? 0) ? [`${path}: Invalid value: should be at least ${schema.minLength} chars long`] : []
}

function listViolations(value: readonly unknown[], schema: JsonSchema, path: string): string[] {
  if (value.length > (schema.maxItems ?? Number.POSITIVE_INFINITY)) return [`${path}: Too many: must have at most ${schema.maxItems} items`]
  if (value.length < (schema.minItems ?? 0)) return [`${path}: Invalid value: should have at least ${schema.minItems} items`]
  const keys = schema['x-kubernetes-list-map-keys']
  const unique = schema['x-kubernetes-list-type'] === 'set' || keys
  const idOf = (item: unknown): string => JSON.stringify(keys && isFields(item) ? keys.map((key) => item[key]) : item)
  const ids = value.map(idOf)
  const repeated = unique ? value.filter((_item, index) => ids.indexOf(ids[index] as string) < index) : []
  const inner = schema.items ? value.flatMap((item, index) => violations(item, schema.items as JsonSchema, `${path}[${index}]`)) : []
  return [...repeated.map((item) => `${path}: Duplicate value: ${JSON.stringify(item)}`), ...inner]
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (value === null) return 'null'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}
