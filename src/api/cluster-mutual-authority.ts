// ClusterMutualAuthority: who signs, for which trust domain and within which bounds. Its types, its defaults, and how the store sees one.
// Used by all controllers and explain. The schema stands in cluster-mutual-authority-schema.ts.

import { type Duration, parseDuration } from '../base/duration.ts'
import { KEY_TYPES, type KeyType } from '../pki/key-type.ts'
import type { Condition } from './condition.ts'
import {
  asNumber,
  asRecord,
  asText,
  type KindMeta,
  kindMeta,
  type Problems,
  type RawKind,
  readChoice,
  readDuration,
  readList,
  readRecord,
  readText,
} from './reading.ts'
import { type LastFailure, readConditions, readFields, readItems, readLastFailure } from './reading-status.ts'

/** What a field is that nobody set; the API server writes the same from the schema. */
export const authorityDefaults = {
  keyType: 'ECDSAP256',
  rootLifetime: '2160h',
  leafLifetime: '24h',
  minLeafLifetime: '10m',
} as const

export const GENERATION_STATES = ['Prepared', 'Active', 'Retiring'] as const

export interface ClusterMutualAuthoritySpec {
  /** Undefined: the operator's. Immutable. */
  readonly trustDomain: string | undefined
  readonly selfManaged: { readonly keyType: KeyType; readonly rootLifetime: Duration }
  readonly leaf: {
    readonly lifetime: Duration
    readonly minLifetime: Duration
    /** Undefined: what the root's lifetime allows. */
    readonly maxLifetime: Duration | undefined
    /** Undefined: all. */
    readonly keyTypes: readonly KeyType[] | undefined
  }
  readonly policy: {
    /** Undefined: all. */
    readonly allowedNamespaces: readonly string[] | undefined
  }
}

/** A CA key and its root, as reported. Instants are RFC 3339 text. */
export interface ReportedGeneration {
  readonly number: number
  readonly state: (typeof GENERATION_STATES)[number]
  readonly fingerprint: string
  readonly subjectKeyID: string
  readonly notBefore: string
  readonly notAfter: string
}

/** A cache: losing it loses nothing. */
export interface ClusterMutualAuthorityStatus {
  readonly observedGeneration?: number
  readonly conditions: readonly Condition[]
  /** Recorded with the first generation. */
  readonly trustDomain?: string
  readonly generations?: readonly ReportedGeneration[]
  /** Fingerprint of the published bundle, and how many anchors it holds. */
  readonly trustBundle?: { readonly fingerprint: string; readonly anchors: number }
  readonly lastFailure?: LastFailure
}

/** What the store holds of one. `namespace` is always empty. */
export interface ClusterMutualAuthority extends KindMeta {
  readonly spec: ClusterMutualAuthoritySpec
  /** Why the spec cannot be used (an object stored before a schema change); undefined when it can. */
  readonly problem: string | undefined
  readonly status: ClusterMutualAuthorityStatus
}

/** Projects an object as the API server holds it. Total: what cannot be read becomes `problem`. */
export function projectClusterMutualAuthority(raw: RawKind): ClusterMutualAuthority {
  const problems: Problems = []
  const spec = readSpec(problems, raw.spec)
  return {
    ...kindMeta(raw),
    namespace: '',
    spec,
    problem: problems.length === 0 ? undefined : problems.join('; '),
    status: readStatus(raw.status),
  }
}

function readSpec(problems: Problems, raw: unknown): ClusterMutualAuthoritySpec {
  const spec = readRecord(problems, raw, 'spec')
  const selfManaged = readRecord(problems, spec.selfManaged, 'spec.selfManaged')
  const leaf = readRecord(problems, spec.leaf, 'spec.leaf')
  const policy = readRecord(problems, spec.policy, 'spec.policy')
  const readKeyType = (found: Problems, value: unknown, path: string) => readChoice(found, value, path, KEY_TYPES)
  const lifetime = (value: unknown, path: string, standard: string) =>
    readDuration(problems, value, path) ?? (parseDuration(standard) as Duration)
  return {
    trustDomain: readText(problems, spec.trustDomain, 'spec.trustDomain'),
    selfManaged: {
      keyType: readKeyType(problems, selfManaged.keyType, 'spec.selfManaged.keyType') ?? authorityDefaults.keyType,
      rootLifetime: lifetime(selfManaged.rootLifetime, 'spec.selfManaged.rootLifetime', authorityDefaults.rootLifetime),
    },
    leaf: {
      lifetime: lifetime(leaf.lifetime, 'spec.leaf.lifetime', authorityDefaults.leafLifetime),
      minLifetime: lifetime(leaf.minLifetime, 'spec.leaf.minLifetime', authorityDefaults.minLeafLifetime),
      maxLifetime: readDuration(problems, leaf.maxLifetime, 'spec.leaf.maxLifetime'),
      keyTypes: readList(problems, leaf.keyTypes, 'spec.leaf.keyTypes', readKeyType),
    },
    policy: { allowedNamespaces: readList(problems, policy.allowedNamespaces, 'spec.policy.allowedNamespaces', readText) },
  }
}

function readStatus(raw: unknown): ClusterMutualAuthorityStatus {
  const status = asRecord(raw) ?? {}
  const { observedGeneration, trustDomain } = readFields(status, { observedGeneration: 'number', trustDomain: 'string' })
  const { fingerprint, anchors } = readFields(status.trustBundle, { fingerprint: 'string', anchors: 'number' })
  const lastFailure = readLastFailure(status.lastFailure)
  return {
    conditions: readConditions(status.conditions),
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...(trustDomain === undefined ? {} : { trustDomain }),
    ...(status.generations === undefined ? {} : { generations: readItems(status.generations, readGeneration) }),
    ...(fingerprint === undefined || anchors === undefined ? {} : { trustBundle: { fingerprint, anchors } }),
    ...(lastFailure === undefined ? {} : { lastFailure }),
  }
}

function readGeneration(raw: unknown): ReportedGeneration | undefined {
  const fields = asRecord(raw) ?? {}
  const number = asNumber(fields.number)
  const state = GENERATION_STATES.find((known) => known === fields.state)
  if (number === undefined || state === undefined) return undefined
  const text = (name: string) => asText(fields[name]) ?? ''
  return {
    number,
    state,
    fingerprint: text('fingerprint'),
    subjectKeyID: text('subjectKeyID'),
    notBefore: text('notBefore'),
    notAfter: text('notAfter'),
  }
}
