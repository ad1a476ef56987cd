// The CustomResourceDefinitions of our kinds, as plain objects. Used by the generator, which writes them to crds/, and by tests.
// Columns with a future instant are strings: kubectl shows one of type date as <invalid>.

import {
  clusterMutualAuthorityDescription,
  clusterMutualAuthoritySchema,
  mutualAuthorityDescription,
  mutualAuthoritySchema,
} from './authority-schema.ts'
import { clusterMutualAuthorities, mutualAuthorities, mutualIdentities } from './kinds.ts'
import { mutualIdentityDescription, mutualIdentitySchema } from './mutual-identity-schema.ts'
import { MAX_KIND_NAME } from './names.ts'
import type { Schema } from './schema.ts'

/** The category of all our kinds: `kubectl get mutual`. */
const CATEGORY = 'mutual'

interface Column {
  readonly name: string
  readonly jsonPath: string
  readonly description: string
  readonly type?: 'string' | 'date' | 'integer'
  /** Shown by `-o wide` only. */
  readonly wide?: boolean
}

const READY = '.status.conditions[?(@.type=="Ready")]'
const ready: Column = { name: 'Ready', jsonPath: `${READY}.status`, description: 'Whether all is as the spec asks.' }
const reason: Column = { name: 'Reason', jsonPath: `${READY}.reason`, description: 'Why, as one word.' }
const age: Column = { name: 'Age', jsonPath: '.metadata.creationTimestamp', description: 'Since it was created.', type: 'date' }

const identityColumns: readonly Column[] = [
  ready,
  reason,
  { name: 'Identity', jsonPath: '.status.spiffeID', description: 'The SPIFFE ID in the certificate.', wide: true },
  { name: 'Expires', jsonPath: '.status.certificate.notAfter', description: 'When the certificate expires.' },
  { name: 'Renews', jsonPath: '.status.certificate.renewAt', description: 'When the certificate is renewed.', wide: true },
  { name: 'Pods', jsonPath: '.status.pods.selected', description: 'How many running pods it selects.', type: 'integer' },
  age,
]

const authorityColumns: readonly Column[] = [
  ready,
  reason,
  { name: 'Trust Domain', jsonPath: '.status.trustDomain', description: 'The trust domain of the identities it signs.' },
  {
    name: 'Root Expires',
    jsonPath: '.status.generations[?(@.state=="Active")].notAfter',
    description: 'When the root that signs expires.',
  },
  age,
]

/**
 * Names become label values and parts of other names, where a dot separates namespace and name. A pattern, though a rule (CEL) would say why: a rule up here
 * has the API server wrap the whole object at every write, which of a status is 6 % of what it allocates.
 */
const name = {
  type: 'string',
  description: `Other names are made from it: lower-case letters, digits and hyphens, no dots, and at most ${MAX_KIND_NAME} characters.`,
  maxLength: MAX_KIND_NAME,
  pattern: '^[a-z0-9-]+$',
} as const
const metadata = { type: 'object', properties: { name } } as const

interface KindDefinition {
  readonly resource: {
    readonly group: string
    readonly version: string
    readonly plural: string
    readonly kind: string
    readonly namespaced: boolean
  }
  readonly shortNames: readonly string[]
  readonly description: string
  readonly schema: { readonly spec: Schema; readonly status: Schema }
  readonly columns: readonly Column[]
}

function definition({ resource, shortNames, description, schema, columns }: KindDefinition) {
  const { group, version, plural, kind, namespaced } = resource
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: namespaced ? 'Namespaced' : 'Cluster',
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List`, shortNames, categories: [CATEGORY] },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns.map(printerColumn),
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              required: ['spec'],
              properties: { metadata, ...schema },
            },
          },
        },
      ],
    },
  }
}

function printerColumn({ name, jsonPath, description, type = 'string', wide }: Column) {
  return { name, type, jsonPath, description, ...(wide ? { priority: 1 } : {}) }
}

/** One object a kind. */
export const customResourceDefinitions = [
  definition({
    resource: mutualIdentities,
    shortNames: ['mid'],
    description: mutualIdentityDescription,
    schema: mutualIdentitySchema,
    columns: identityColumns,
  }),
  definition({
    resource: clusterMutualAuthorities,
    shortNames: ['cmauth'],
    description: clusterMutualAuthorityDescription,
    schema: clusterMutualAuthoritySchema,
    columns: authorityColumns,
  }),
  definition({
    resource: mutualAuthorities,
    shortNames: ['mauth'],
    description: mutualAuthorityDescription,
    schema: mutualAuthoritySchema,
    columns: authorityColumns,
  }),
] as const
