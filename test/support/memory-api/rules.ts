// What the API server demands of the objects that are written: fields, sizes, Secrets, what cannot be changed. Used by the writes; no state.
// What it demands of metadata is in metadata-rules.ts.

import { isDeepStrictEqual } from 'node:util'
import type { RawObject } from '../../../src/k8s/resource.ts'
import { badRequest, Failure, invalid, kindName, type Violation, violation } from './failure.ts'
import type { Kind } from './kinds.ts'
import { metadataChanges, metadataViolations } from './metadata-rules.ts'
import { type JsonSchema, prune, unknownFields, violations } from './schema.ts'

const MAX_DATA = 1024 * 1024
/** Of a request, limit of the API server. */
export const MAX_BODY = 3 * 1024 * 1024

const DATA_KEY = /^(?!\.\.?$)[-._a-zA-Z0-9]{1,253}$/
const BASE64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const TEXT = { type: 'string' } as const
const FLAG = { type: 'boolean' } as const
/** Whatever it holds, it is not looked into. */
const MAP = { type: 'object', additionalProperties: TEXT } as const

const FIELDS: Readonly<Record<string, JsonSchema['properties']>> = {
  secrets: { data: MAP, stringData: MAP, immutable: FLAG, type: TEXT },
  configmaps: { data: MAP, binaryData: MAP, immutable: FLAG },
}
const METADATA = { type: 'object', additionalProperties: { type: 'object', additionalProperties: TEXT } } as const

/** What may stand in an object; undefined: not modelled, so everything. */
function fieldsOf(kind: Kind): JsonSchema | undefined {
  const own = kind.schema?.properties ?? (kind.group === '' ? FIELDS[kind.plural] : undefined)
  return own && { type: 'object', properties: { ...own, apiVersion: TEXT, kind: TEXT, metadata: METADATA } }
}

/** Unknown fields are refused under strict validation, by each verb in its own way, and dropped without. */
export function checkFields(kind: Kind, body: RawObject, verb: 'create' | 'patch', strict: boolean): void {
  const fields = fieldsOf(kind)
  if (!fields) return
  const found = unknownFields(body, fields)
  if (found.length === 0) return
  if (!strict) {
    prune(body, fields)
    return
  }
  const decoding = `strict decoding error: ${found.map((field) => `unknown field "${field}"`).join(', ')}`
  if (verb === 'create') throw badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${decoding}`)
  const message = `Invalid value: ${JSON.stringify(JSON.stringify(body))}: ${decoding}`
  throw new Failure(422, 'Invalid', ` "" is invalid: patch: ${message}`, { causes: [violation('FieldValueInvalid', 'patch', message)] })
}

/** stringData goes into data, which must be base64. */
export function takeStringData(kind: Kind, object: RawObject): void {
  if (kind.group !== '' || kind.plural !== 'secrets') return
  const { stringData, ...rest } = object as RawObject & { stringData?: Record<string, string> }
  if (stringData !== undefined) {
    const added = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')])
    Object.assign(object, { data: { ...(rest.data as object | undefined), ...Object.fromEntries(added) } })
    delete object.stringData
  }
  const wrong = Object.values((object.data ?? {}) as Record<string, string>).some((text) => !BASE64.test(text))
  if (wrong) throw badRequest(`Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0`)
}

/** Throws 422 for what may not be stored. */
export function check(kind: Kind, object: RawObject, before?: RawObject): void {
  const found = [
    ...metadataViolations(kind, object.metadata),
    ...(before ? [...metadataChanges(object.metadata, before.metadata), ...dataChanges(kind, before, object)] : []),
    ...dataViolations(kind, object),
    ...schemaViolations(kind, object, before),
  ]
  if (found.length > 0) throw invalid(kindName(kind), object.metadata.name ?? '', found)
}

const holdsData = (kind: Kind): boolean => kind.group === '' && (kind.plural === 'secrets' || kind.plural === 'configmaps')
const mapOf = (object: RawObject, field: string): Record<string, string> => (object[field] ?? {}) as Record<string, string>
const bytesOf = (base64: string): number => Math.floor((base64.replace(/=+$/, '').length * 3) / 4)
const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0)

function dataViolations(kind: Kind, object: RawObject): Violation[] {
  if (!holdsData(kind)) return []
  const isSecret = kind.plural === 'secrets'
  const data = mapOf(object, 'data')
  const binary = mapOf(object, 'binaryData')
  const size =
    sum(Object.values(data).map(isSecret ? bytesOf : (text) => Buffer.byteLength(text))) + sum(Object.values(binary).map(bytesOf))
  const keys = [...Object.keys(data).map((key) => ['data', key]), ...Object.keys(binary).map((key) => ['binaryData', key])]
  const wrong = keys.filter(([, key]) => !DATA_KEY.test(key ?? ''))
  const lacking = isSecret && object.type === 'kubernetes.io/tls' ? ['tls.crt', 'tls.key'].filter((name) => !(name in data)) : []
  return [
    ...wrong.map(([field, key]) => violation('FieldValueInvalid', `${field}[${key}]`, `Invalid value: "${key}": a valid config key`)),
    // The field of a ConfigMap is what the server says, too.
    ...(size > MAX_DATA
      ? [violation('FieldValueTooLong', isSecret ? 'data' : '[]', `Too long: may not be more than ${MAX_DATA} bytes`)]
      : []),
    ...lacking.map((name) => violation('FieldValueRequired', `data[${name}]`, 'Required value')),
  ]
}

const IMMUTABLE = 'Forbidden: field is immutable when `immutable` is set'

function dataChanges(kind: Kind, before: RawObject, after: RawObject): Violation[] {
  if (!holdsData(kind)) return []
  const differs = (field: string): boolean => !isDeepStrictEqual(before[field], after[field])
  const typed = kind.plural === 'secrets' && differs('type')
  const unchangeable = before.immutable === true ? ['immutable', 'data', 'binaryData'].filter(differs) : []
  return [
    ...(typed ? [violation('FieldValueInvalid', 'type', `Invalid value: "${after.type}": field is immutable`)] : []),
    ...unchangeable.map((field) => violation('FieldValueForbidden', field, IMMUTABLE)),
  ]
}

/** Those that keep the rules in CEL from being run. */
const BLOCKING = /^FieldValue(Required|NotSupported|TypeInvalid|TooLong|TooMany)$/
const UNCHECKED =
  'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'

function schemaViolations({ schema }: Kind, object: RawObject, before: RawObject | undefined): Violation[] {
  if (!schema) return []
  // What is wrong and was so before is no reason to refuse another change (ratcheting); here for the spec as a whole.
  const keepsSpec = before?.spec !== undefined && isDeepStrictEqual(before.spec, object.spec)
  const { spec, status } = schema.properties ?? {}
  const found = [
    ...(object.spec === undefined ? [violation('FieldValueRequired', 'spec', 'Required value')] : []),
    ...(object.spec === undefined || keepsSpec ? [] : violations(object.spec, spec as JsonSchema, 'spec')),
    ...(object.status === undefined ? [] : violations(object.status, status as JsonSchema, 'status')),
  ]
  const blocked = found.some(({ reason }) => BLOCKING.test(reason))
  return blocked ? [...found, violation('FieldValueInvalid', '<nil>', UNCHECKED)] : found
}
