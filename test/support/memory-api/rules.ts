// What the API server demands of the objects that are written: names, sizes, Secrets, what cannot be changed. Used by the writes; no state.

import type { RawObject } from '../../../src/k8s/resource.ts'
import { Failure, invalid } from './failure.ts'
import type { Kind } from './kinds.ts'
import { unknownFields, violations } from './schema.ts'

const MAX_DATA = 1024 * 1024
const MAX_ANNOTATIONS = 256 * 1024
/** Of a request, limit of the API server. */
export const MAX_BODY = 3 * 1024 * 1024

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/

/** Throws what a body with unknown fields gets under strict validation. */
export function refuseUnknownFields(kind: Kind, body: unknown): void {
  if (!kind.schema) return
  const known = { ...kind.schema, properties: { ...kind.schema.properties, apiVersion: ANY, kind: ANY, metadata: ANY_OBJECT } }
  const [first] = unknownFields(body, known)
  if (first === undefined) return
  const message = `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: unknown field "${first}"`
  throw new Failure(400, 'BadRequest', message)
}

const ANY = { type: 'string' } as const
const ANY_OBJECT = { type: 'object', additionalProperties: { type: 'object', additionalProperties: { type: 'string' } } } as const

/** Throws 422 for what may not be stored. */
export function check(kind: Kind, object: RawObject): void {
  const found = [...metadataProblems(object), ...dataProblems(kind, object), ...schemaProblems(kind, object)]
  if (found.length > 0) throw invalid(`${kind.kind}${kind.group === '' ? '' : `.${kind.group}`}`, object.metadata.name, found)
}

function metadataProblems({ metadata }: RawObject): string[] {
  const { name, labels = {}, annotations = {} } = metadata
  const size = Object.entries(annotations).reduce((sum, [key, value]) => sum + key.length + Buffer.byteLength(value), 0)
  const wrong = Object.entries(labels).filter(([, value]) => value.length > 63 || !LABEL_VALUE.test(value))
  return [
    ...(name.length > 253 || !SUBDOMAIN.test(name) ? [`metadata.name: Invalid value: "${name}": a lowercase RFC 1123 subdomain`] : []),
    ...wrong.map(([, value]) => `metadata.labels: Invalid value: "${value.slice(0, 80)}": a valid label`),
    ...(size > MAX_ANNOTATIONS ? [`metadata.annotations: Too long: may not be more than ${MAX_ANNOTATIONS} bytes`] : []),
  ]
}

function dataProblems(kind: Kind, object: RawObject): string[] {
  if (kind.group !== '' || (kind.plural !== 'secrets' && kind.plural !== 'configmaps')) return []
  const data = (object['data'] ?? {}) as Record<string, string>
  const isSecret = kind.plural === 'secrets'
  const size = Object.values(data).reduce((sum, text) => sum + (isSecret ? Math.floor((text.length * 3) / 4) : Buffer.byteLength(text)), 0)
  const lacking = isSecret && object['type'] === 'kubernetes.io/tls' ? ['tls.crt', 'tls.key'].filter((name) => !(name in data)) : []
  return [
    ...(size > MAX_DATA ? [`data: Too long: may not be more than ${MAX_DATA} bytes`] : []),
    ...lacking.map((name) => `data[${name}]: Required value`),
  ]
}

function schemaProblems({ schema }: Kind, object: RawObject): string[] {
  if (!schema) return []
  const { spec, status } = schema.properties ?? {}
  return [
    ...(object['spec'] === undefined ? ['spec: Required value'] : violations(object['spec'], spec as NonNullable<typeof spec>, 'spec')),
    ...(object['status'] === undefined ? [] : violations(object['status'], status as NonNullable<typeof status>, 'status')),
  ]
}

/** Throws 422 for a change of what cannot be changed. */
export function checkChange(kind: Kind, before: RawObject, after: RawObject): void {
  if (kind.group !== '' || (kind.plural !== 'secrets' && kind.plural !== 'configmaps')) return
  const differs = (field: string): boolean => JSON.stringify(before[field]) !== JSON.stringify(after[field])
  const found = [
    ...(kind.plural === 'secrets' && differs('type') ? ['type: Invalid value: field is immutable'] : []),
    ...(before['immutable'] === true && (differs('data') || differs('immutable'))
      ? ['data: Forbidden: field is immutable when `immutable` is set']
      : []),
  ]
  if (found.length > 0) throw invalid(kind.kind, after.metadata.name, found)
}
