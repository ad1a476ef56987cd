// The schemas as far as they can be judged without an API server: everything described and bounded, and of one mind with our parsers.

import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { authorityDefaults } from '../../../src/api/authority.ts'
import { clusterMutualAuthoritySchema } from '../../../src/api/authority-schema.ts'
import { customResourceDefinitions } from '../../../src/api/crd.ts'
import { DURATION_PATTERN, MAX_DURATION_LENGTH } from '../../../src/api/duration-schema.ts'
import { identityDefaults } from '../../../src/api/mutual-identity.ts'
import { mutualIdentitySchema } from '../../../src/api/mutual-identity-schema.ts'
import type { Schema } from '../../../src/api/schema.ts'
import { parseDuration } from '../../../src/base/duration.ts'
import { parseTrustDomain } from '../../../src/pki/trust-domain.ts'

/** Every schema within a schema, by its path. */
function* walk(schema: Schema, path: string): Generator<[string, Schema]> {
  yield [path, schema]
  for (const [name, property] of Object.entries(schema.properties ?? {})) yield* walk(property, `${path}.${name}`)
  if (schema.items) yield* walk(schema.items, `${path}[]`)
  if (schema.additionalProperties) yield* walk(schema.additionalProperties, `${path}{}`)
}

const all = [mutualIdentitySchema, clusterMutualAuthoritySchema].flatMap(({ spec, status }) => [
  ...walk(spec, 'spec'),
  ...walk(status, 'status'),
])

describe('every field', () => {
  it('is described by a sentence', () => {
    expect(all.filter(([, { description }]) => !/^[A-Z{].*\.$/.test(description)).map(([path]) => path)).toEqual([])
  })

  it('is bounded', () => {
    const unbounded = all.filter(([, schema]) => {
      if (schema.type === 'string') return schema.enum === undefined && schema.maxLength === undefined
      if (schema.type === 'array') return schema.maxItems === undefined
      return schema.additionalProperties !== undefined && schema.maxProperties === undefined
    })
    expect(unbounded.map(([path]) => path)).toEqual([])
  })

  it('has rules with messages in one line', () => {
    const rules = all.flatMap(([, schema]) => schema['x-kubernetes-validations'] ?? [])
    expect(rules.length).toBeGreaterThan(10)
    expect(
      rules.filter(({ message, messageExpression }) => !message || message.includes('\n') || messageExpression?.includes('\n')),
    ).toEqual([])
  })

  it('names among the required only what there is', () => {
    const wrong = all.filter(([, { required = [], properties = {} }]) => required.some((name) => !Object.hasOwn(properties, name)))
    expect(wrong.map(([path]) => path)).toEqual([])
  })
})

describe('defaults', () => {
  const defaultsOf = (schema: Schema | undefined) =>
    Object.fromEntries(
      Object.entries(schema?.properties ?? {}).flatMap(([name, field]) => (field.default === undefined ? [] : [[name, field.default]])),
    )

  it('of an identity are the same in schema and projection', () => {
    const { authorityRef, certificate } = mutualIdentitySchema.spec.properties ?? {}
    expect(defaultsOf(authorityRef)).toEqual({ kind: identityDefaults.authorityKind, name: identityDefaults.authorityName })
    expect(defaultsOf(certificate)).toEqual({ keyType: identityDefaults.keyType, serviceNames: identityDefaults.serviceNames })
  })

  it('of an authority are the same in schema and projection', () => {
    const { selfManaged, leaf } = clusterMutualAuthoritySchema.spec.properties ?? {}
    expect(defaultsOf(selfManaged)).toEqual({ keyType: authorityDefaults.keyType, rootLifetime: authorityDefaults.rootLifetime })
    expect(defaultsOf(leaf)).toEqual({ lifetime: authorityDefaults.leafLifetime, minLifetime: authorityDefaults.minLeafLifetime })
  })
})

describe('the pattern of durations', () => {
  const shape = new RegExp(`^${DURATION_PATTERN}$`)
  const fitsSchema = (text: string) => text.length <= MAX_DURATION_LENGTH && shape.test(text)
  const number = fc.oneof(
    fc.nat(999_999).map(String),
    fc.tuple(fc.nat(9999), fc.nat(999)).map(([whole, fraction]) => `${whole}.${fraction}`),
    fc.constantFrom('', '.', '.5', '-1', '+1', '1e3', '0x1', '1 '),
  )
  const unit = fc.constantFrom('h', 'm', 's', 'ms', 'us', 'ns', 'd', 'H', '')
  const generated = fc.oneof(
    fc.array(fc.tuple(number, unit), { maxLength: 4 }).map((parts) => parts.flat().join('')),
    fc.string({ unit: fc.constantFrom(...'0123456789.hms '), maxLength: 24 }),
  )

  it('lets through nothing that our parser does not read, nor anything beyond what Go holds', () => {
    const longest = (2 ** 63 - 1) / 1e6
    fc.assert(
      fc.property(generated, (text) => {
        fc.pre(fitsSchema(text))
        const ms = parseDuration(text)
        expect(ms).toBeDefined()
        expect(ms).toBeLessThan(longest)
      }),
    )
  })

  it('keeps out what our parser does not read', () => {
    fc.assert(
      fc.property(generated, (text) => parseDuration(text) !== undefined || !fitsSchema(text)),
      { numRuns: 5000 },
    )
  })

  it('lets through what people write', () => {
    const texts = ['90m', '24h', '1h30m', '2160h', '2160h0m0s', '7776000s', '0.5h', '1m0.5s', '500ms', '31536000s']
    expect(texts.filter((text) => !fitsSchema(text))).toEqual([])
  })

  it('cannot overflow with the largest text that fits', () => {
    const largest = '999999h999999h99999h'
    expect(fitsSchema(largest)).toBe(true)
    expect(parseDuration(largest)).toBeLessThan((2 ** 63 - 1) / 1e6)
    expect(fitsSchema(`${largest}h`)).toBe(false)
  })
})

describe('the pattern of trust domains', () => {
  const rule = clusterMutualAuthoritySchema.spec.properties?.trustDomain?.['x-kubernetes-validations']?.[0]?.rule ?? ''
  const [, pattern = ''] = /^self\.matches\('(.*)'\)$/.exec(rule) ?? []

  it('and our parser agree', () => {
    const parses = (text: string): boolean => {
      try {
        return parseTrustDomain(text) === text
      } catch {
        return false
      }
    }
    expect(pattern).not.toBe('')
    const shape = new RegExp(pattern)
    const characters = fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...'abz09.-_') },
      { weight: 1, arbitrary: fc.constantFrom(...'A:/@% é') },
    )
    const generated = fc.string({ unit: characters, maxLength: 12 })
    fc.assert(
      fc.property(generated, (text) => {
        expect(shape.test(text)).toBe(parses(text))
      }),
      { numRuns: 3000 },
    )
  })
})

describe('columns', () => {
  it('that hold a future instant are texts: kubectl shows one of type date as <invalid>', () => {
    const columns = customResourceDefinitions.flatMap(({ spec }) => spec.versions.flatMap((version) => version.additionalPrinterColumns))
    expect(columns.filter(({ type }) => type === 'date').map(({ name }) => name)).toEqual(['Age', 'Age', 'Age'])
  })
})
