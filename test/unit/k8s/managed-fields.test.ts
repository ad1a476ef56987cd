// JSON without its managed fields says the same of everything else, or is left as it is.

import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { withoutManagedFields } from '../../../src/k8s/managed-fields.ts'

const FIELDS = [{ manager: 'kubelet', operation: 'Update', fieldsV1: { 'f:spec': { 'k:{"name":"a]},\\"spec\\":"}': {} } } }]
const pod = (metadata: object, spec: unknown = {}): string =>
  JSON.stringify({ kind: 'Pod', metadata: { ...metadata, managedFields: FIELDS }, spec })
const shortened = (json: string): unknown => JSON.parse(withoutManagedFields(json))

describe('managed fields', () => {
  it('are left out of what the API server writes', () => {
    expect(shortened(pod({ name: 'a' }, { nodeName: 'n' }))).toEqual({
      kind: 'Pod',
      metadata: { name: 'a', managedFields: [] },
      spec: { nodeName: 'n' },
    })
  })

  it('are not found in a text that says the words', () => {
    const said = '"managedFields":[{"x":1}]},"spec":{}'
    const json = JSON.stringify({ metadata: { name: 'a', annotations: { said, [said]: said } }, spec: { said } })
    expect(withoutManagedFields(json)).toBe(json)
  })

  it('stay where the spec does not follow them', () => {
    const json = JSON.stringify({ metadata: { managedFields: FIELDS, name: 'a' }, data: { a: 'b' } })
    expect(withoutManagedFields(json)).toBe(json)
  })

  it('are all that is left out, whatever people call their labels, annotations and what is in the spec', () => {
    const tricky = fc.oneof(fc.constantFrom('managedFields', 'spec', '"managedFields":[', ']},"spec":', '\\', '\\"'), fc.string())
    const map = fc.dictionary(tricky, tricky)
    fc.assert(
      fc.property(map, map, map, (labels, annotations, nodeSelector) => {
        const given = pod({ name: 'a', labels, annotations }, { nodeSelector })
        const { metadata, ...rest } = JSON.parse(given) as { metadata: object }
        expect(shortened(given)).toEqual({ ...rest, metadata: { ...metadata, managedFields: [] } })
      }),
    )
  })
})
