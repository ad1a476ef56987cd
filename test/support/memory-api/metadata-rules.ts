// What the API server demands of metadata: names, labels, annotations, finalizers, owners, and what of it cannot be changed. Used by rules.ts; no state.

import type { RawMeta } from '../../../src/k8s/resource.ts'
import { type Violation, violation } from './failure.ts'
import type { Kind } from './kinds.ts'

const MAX_ANNOTATIONS = 256 * 1024

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const STANDARD_FINALIZERS: readonly string[] = ['kubernetes', 'orphan', 'foregroundDeletion']

const isQualified = (text: string): boolean => {
  const parts = text.split('/')
  const [prefix, name] = parts.length === 1 ? [undefined, text] : parts
  const named = name !== undefined && name.length <= 63 && QUALIFIED.test(name)
  return named && parts.length <= 2 && (prefix === undefined || (prefix.length <= 253 && SUBDOMAIN.test(prefix)))
}

const isName = ({ group, plural }: Kind, name: string): boolean =>
  group === '' && plural === 'namespaces' ? name.length <= 63 && LABEL.test(name) : name.length <= 253 && SUBDOMAIN.test(name)

const wrong = (field: string, value: string, message: string): Violation =>
  violation('FieldValueInvalid', field, `Invalid value: ${JSON.stringify(value.slice(0, 300))}: ${message}`)

export function metadataViolations(kind: Kind, metadata: RawMeta): Violation[] {
  const { name, labels = {}, annotations = {}, finalizers = [] } = metadata
  if (!name) return [violation('FieldValueRequired', 'metadata.name', 'Required value: name or generateName is required')]
  const size = Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)
  return [
    ...(isName(kind, name) ? [] : [wrong('metadata.name', name, 'a lowercase RFC 1123 subdomain')]),
    ...Object.entries(labels).flatMap(([key, value]) => [
      ...(isQualified(key) ? [] : [wrong('metadata.labels', key, 'name part must consist of alphanumeric characters')]),
      ...(value.length <= 63 && LABEL_VALUE.test(value) ? [] : [wrong('metadata.labels', value, 'a valid label')]),
    ]),
    ...Object.keys(annotations).flatMap((key) =>
      isQualified(key.toLowerCase()) ? [] : [wrong('metadata.annotations', key, 'name part must consist of alphanumeric characters')],
    ),
    ...(size > MAX_ANNOTATIONS
      ? [violation('FieldValueTooLong', 'metadata.annotations', `Too long: may not be more than ${MAX_ANNOTATIONS} bytes`)]
      : []),
    ...finalizers.flatMap((finalizer, index) =>
      isQualified(finalizer) && (finalizer.includes('/') || STANDARD_FINALIZERS.includes(finalizer))
        ? []
        : [wrong(`metadata.finalizers[${index}]`, finalizer, 'name is neither a standard finalizer name nor is it fully qualified')],
    ),
    ...ownerViolations(metadata),
  ]
}

function ownerViolations({ ownerReferences = [] }: RawMeta): Violation[] {
  const field = 'metadata.ownerReferences'
  const lacking = ownerReferences.flatMap((owner, index) =>
    (['apiVersion', 'kind', 'name', 'uid'] as const)
      .filter((name) => !owner[name])
      .map((name) => violation('FieldValueRequired', `${field}[${index}].${name}`, 'Required value: must not be empty')),
  )
  const controllers = ownerReferences.filter(({ controller }) => controller).length
  return controllers > 1 ? [...lacking, wrong(field, '', 'Only one reference can have Controller set to true.')] : lacking
}

export function metadataChanges(after: RawMeta, before: RawMeta): Violation[] {
  const { deletionTimestamp, finalizers: held = [] } = before
  const added = deletionTimestamp === undefined ? [] : (after.finalizers ?? []).filter((finalizer) => !held.includes(finalizer))
  const forbidden = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`
  return [
    ...(after.uid === before.uid ? [] : [wrong('metadata.uid', after.uid ?? '', 'field is immutable')]),
    ...(added.length > 0 ? [violation('FieldValueForbidden', 'metadata.finalizers', forbidden)] : []),
  ]
}
