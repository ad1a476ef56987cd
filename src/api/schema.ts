// Constructors for the structural OpenAPI v3 schemas of our kinds, and the rules (CEL) that several fields share.
// Used by the *-schema.ts files and crd.ts. Everything is bounded: the API server refuses rules whose worst case would cost too much.

/** An entry of x-kubernetes-validations. The API server puts the value of a scalar before the message; for objects the message names it. */
export interface Rule {
  readonly rule: string
  readonly message?: string
  /** CEL that gives the message; `message` stands in where it fails. */
  readonly messageExpression?: string
  readonly fieldPath?: string
}

/** As much of structural OpenAPI v3 as our kinds need. */
export interface Schema {
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  readonly description: string
  readonly default?: unknown
  readonly enum?: readonly string[]
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly format?: 'int64'
  readonly minItems?: number
  readonly maxItems?: number
  readonly items?: Schema
  readonly maxProperties?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema
  readonly 'x-kubernetes-map-type'?: 'atomic'
  readonly 'x-kubernetes-list-type'?: 'set' | 'map' | 'atomic'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-validations'?: readonly Rule[]
}

interface Common {
  readonly default?: unknown
  readonly rules?: readonly Rule[]
}

/** An object with these fields and no others. `atomic`: replaced as a whole by server-side apply. */
export function object(
  description: string,
  properties: Readonly<Record<string, Schema>>,
  { required, atomic, ...common }: Common & { readonly required?: readonly string[]; readonly atomic?: boolean } = {},
): Schema {
  return {
    type: 'object',
    description,
    ...shared(common),
    ...(required === undefined ? {} : { required }),
    ...(atomic ? { 'x-kubernetes-map-type': 'atomic' as const } : {}),
    properties,
  }
}

/** A text of at most `maxLength` characters. */
export function text(description: string, { maxLength, minLength, ...common }: Common & { maxLength: number; minLength?: number }): Schema {
  return { type: 'string', description, ...shared(common), ...(minLength === undefined ? {} : { minLength }), maxLength }
}

/** One of a closed list of texts. */
export function choice(description: string, values: readonly string[], common: Common = {}): Schema {
  return { type: 'string', description, ...shared(common), enum: values }
}

/** True or false. */
export function flag(description: string, common: Common = {}): Schema {
  return { type: 'boolean', description, ...shared(common) }
}

/** A number without fractions, at most what JavaScript can hold exactly: one that is read and written back must stay what it was. */
export function whole(description: string, minimum: number): Schema {
  return { type: 'integer', format: 'int64', description, minimum, maximum: Number.MAX_SAFE_INTEGER }
}

/** A list: without `keys` a set of scalars (or atomic, where `atomic` says so), with them one entry for each value of the keys. */
export function list(
  description: string,
  items: Schema,
  {
    maxItems,
    minItems,
    keys,
    atomic,
    ...common
  }: Common & { maxItems: number; minItems?: number; keys?: readonly string[]; atomic?: boolean },
): Schema {
  return {
    type: 'array',
    description,
    ...shared(common),
    ...(minItems === undefined ? {} : { minItems }),
    maxItems,
    'x-kubernetes-list-type': keys ? 'map' : atomic ? 'atomic' : 'set',
    ...(keys ? { 'x-kubernetes-list-map-keys': keys } : {}),
    items,
  }
}

/** Values by free keys. */
export function map(description: string, values: Schema, { maxProperties, ...common }: Common & { maxProperties: number }): Schema {
  return { type: 'object', description, ...shared(common), maxProperties, additionalProperties: values }
}

function shared({ default: standard, rules }: Common): Pick<Schema, 'default' | 'x-kubernetes-validations'> {
  return {
    ...(standard === undefined ? {} : { default: standard }),
    ...(rules === undefined ? {} : { 'x-kubernetes-validations': rules }),
  }
}

/** A text as a CEL literal. */
const quoted = (value: string): string => `'${value.replace(/[\\']/g, '\\$&')}'`

/** CEL: the whole of `expression` matches an RE2 pattern. */
export const fits = (expression: string, pattern: string): string => `${expression}.matches(${quoted(`^${pattern}$`)})`

/** RFC 1123 label; its length is bounded apart. */
const DNS_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
/** RFC 1123 subdomain; its length is bounded apart. */
export const DNS_SUBDOMAIN = `${DNS_LABEL}([.]${DNS_LABEL})*`

/** A DNS label. `what` begins the message. */
export function dnsLabel(description: string, what: string, options: { maxLength: number; default?: string }): Schema {
  const message = `${what} must be a DNS label: lower case letters, digits and hyphens, a letter or digit at both ends`
  return text(description, { ...options, rules: [{ rule: fits('self', DNS_LABEL), message }] })
}
