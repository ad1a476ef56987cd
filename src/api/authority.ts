// Authorities: who signs, for which trust domain and within which bounds. Types, defaults, and how the store sees one, of both kinds.
// Used by all controllers and explain. The schemas stand in authority-schema.ts.

import { type Duration, parseDuration } from '../base/duration.ts'
import { KEY_TYPES, type KeyType } from '../pki/key-type.ts'
import type { Condition } from './condition.ts'
import { type LabelSelector, MATCHES_NOTHING, readLabelSelector } from './label-selector.ts'
import { type AuthorityKind, type AuthorityRef, authorityRef } from './names.ts'
import {
  asNumber,
  asRecord,
  asText,
  type Fields,
  type KindMeta,
  kindMeta,
  type Problems,
  type RawKind,
  readChoice,
  readDuration,
  readFlag,
  readList,
  readRecord,
  readText,
} from './reading.ts'
import { type LastFailure, readConditions, readFields, readItems, readLastFailure } from './reading-status.ts'

/** What a field is that nobody set; the API server writes the same from the schema, but for the back end. */
export const authorityDefaults = {
  keyType: 'ECDSAP256',
  rootLifetime: '2160h',
  leafLifetime: '24h',
  minLeafLifetime: '10m',
  bundleNamespaces: 'WithIdentities',
} as const

export const GENERATION_STATES = ['Prepared', 'Active', 'Retiring'] as const
export const BUNDLE_POLICIES = ['WithIdentities', 'All', 'Selector'] as const

/** Where the CA key comes from; a spec that names no back end is self-managed. */
export type AuthorityBackEnd =
  | { readonly kind: 'selfManaged'; readonly keyType: KeyType; readonly rootLifetime: Duration }
  /** A Secret of the operator's namespace that somebody else keeps. */
  | { readonly kind: 'caSecret'; readonly name: string }

export interface AuthoritySpec {
  /** Undefined: the operator's. Immutable. */
  readonly trustDomain: string | undefined
  readonly backEnd: AuthorityBackEnd
  readonly leaf: {
    readonly lifetime: Duration
    readonly minLifetime: Duration
    /** Undefined: what the root's lifetime allows. */
    readonly maxLifetime: Duration | undefined
    /** Undefined: all. */
    readonly keyTypes: readonly KeyType[] | undefined
  }
  readonly policy: {
    /** Undefined: all (of a namespaced authority always its own alone). */
    readonly allowedNamespaces: readonly string[] | undefined
    /** Exact names, or `*.` and a name for one label more. None: no extra names. */
    readonly allowedDNSNames: readonly string[]
    /** Whether the bare name of a Service is a DNS name: only where trust ends at the namespace it is unambiguous. */
    readonly shortServiceNames: boolean
  }
  readonly trustBundle: {
    readonly namespaces: { readonly policy: (typeof BUNDLE_POLICIES)[number]; readonly selector: LabelSelector }
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
export interface AuthorityStatus {
  readonly observedGeneration?: number
  readonly conditions: readonly Condition[]
  /** Recorded with the first generation. */
  readonly trustDomain?: string
  readonly generations?: readonly ReportedGeneration[]
  /** Fingerprint of the published bundle, and how many anchors it holds. */
  readonly trustBundle?: { readonly fingerprint: string; readonly anchors: number }
  readonly lastFailure?: LastFailure
}

/** What the store holds of one. */
export interface Authority extends KindMeta {
  readonly ref: AuthorityRef
  readonly spec: AuthoritySpec
  /** Why the spec cannot be used (an object stored before a schema change); undefined when it can. */
  readonly problem: string | undefined
  readonly status: AuthorityStatus
}

/** Projects a ClusterMutualAuthority as the API server holds it. Total: what cannot be read becomes `problem`. */
export const projectClusterMutualAuthority = (raw: RawKind): Authority => project(raw, 'ClusterMutualAuthority')

/** Projects a MutualAuthority likewise. */
export const projectMutualAuthority = (raw: RawKind): Authority => project(raw, 'MutualAuthority')

function project(raw: RawKind, kind: AuthorityKind): Authority {
  const problems: Problems = []
  const meta = kindMeta(raw)
  const ref = authorityRef(kind, meta.namespace, meta.name)
  const spec = readSpec(problems, raw.spec, ref)
  return {
    ...meta,
    namespace: ref.namespace,
    ref,
    spec,
    problem: problems.length === 0 ? undefined : problems.join('; '),
    status: readStatus(raw.status),
  }
}

function readSpec(problems: Problems, raw: unknown, { namespace }: AuthorityRef): AuthoritySpec {
  const spec = readRecord(problems, raw, 'spec')
  const leaf = readRecord(problems, spec.leaf, 'spec.leaf')
  const policy = readRecord(problems, spec.policy, 'spec.policy')
  const { keyTypes, maxLifetime } = leaf
  const ofNamespace = namespace === '' ? undefined : [namespace]
  return {
    trustDomain: readText(problems, spec.trustDomain, 'spec.trustDomain'),
    backEnd: readBackEnd(problems, spec),
    leaf: {
      lifetime: lifetime(problems, leaf.lifetime, 'spec.leaf.lifetime', authorityDefaults.leafLifetime),
      minLifetime: lifetime(problems, leaf.minLifetime, 'spec.leaf.minLifetime', authorityDefaults.minLeafLifetime),
      maxLifetime: readDuration(problems, maxLifetime, 'spec.leaf.maxLifetime'),
      keyTypes: readList(problems, keyTypes, 'spec.leaf.keyTypes', readKeyType),
    },
    policy: {
      allowedNamespaces: ofNamespace ?? readList(problems, policy.allowedNamespaces, 'spec.policy.allowedNamespaces', readText),
      allowedDNSNames: readList(problems, policy.allowedDNSNames, 'spec.policy.allowedDNSNames', readText) ?? [],
      shortServiceNames: readFlag(problems, policy.shortServiceNames, 'spec.policy.shortServiceNames') ?? namespace !== '',
    },
    trustBundle: { namespaces: readNamespaces(problems, spec) },
  }
}

function readBackEnd(problems: Problems, spec: Fields): AuthorityBackEnd {
  if (spec.caSecret !== undefined) {
    if (spec.selfManaged !== undefined) problems.push('spec names both selfManaged and caSecret: choose one')
    const caSecret = readRecord(problems, spec.caSecret, 'spec.caSecret')
    const name = readText(problems, caSecret.name, 'spec.caSecret.name')
    if (name === undefined) problems.push('spec.caSecret.name is missing')
    return { kind: 'caSecret', name: name ?? '' }
  }
  const selfManaged = readRecord(problems, spec.selfManaged, 'spec.selfManaged')
  return {
    kind: 'selfManaged',
    keyType: readKeyType(problems, selfManaged.keyType, 'spec.selfManaged.keyType') ?? authorityDefaults.keyType,
    rootLifetime: lifetime(problems, selfManaged.rootLifetime, 'spec.selfManaged.rootLifetime', authorityDefaults.rootLifetime),
  }
}

const readKeyType = (problems: Problems, value: unknown, path: string): KeyType | undefined => readChoice(problems, value, path, KEY_TYPES)

const lifetime = (problems: Problems, value: unknown, path: string, standard: string): Duration =>
  readDuration(problems, value, path) ?? (parseDuration(standard) as Duration)

function readNamespaces(problems: Problems, spec: Fields): AuthoritySpec['trustBundle']['namespaces'] {
  const trustBundle = readRecord(problems, spec.trustBundle, 'spec.trustBundle')
  const path = 'spec.trustBundle.namespaces'
  const namespaces = readRecord(problems, trustBundle.namespaces, path)
  const policy = readChoice(problems, namespaces.policy, `${path}.policy`, BUNDLE_POLICIES) ?? authorityDefaults.bundleNamespaces
  const { selector } = namespaces
  return { policy, selector: selector === undefined ? MATCHES_NOTHING : readLabelSelector(problems, selector, `${path}.selector`) }
}

function readStatus(raw: unknown): AuthorityStatus {
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
