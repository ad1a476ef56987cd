// MutualIdentity: "these pods get a certificate of their own". Its types, its defaults, and how the store sees one.
// Used by the identity and bundle controllers and explain. The schema stands in mutual-identity-schema.ts.

import type { Duration } from '../base/duration.ts'
import { KEY_TYPES, type KeyType } from '../pki/key-type.ts'
import type { Condition } from './condition.ts'
import { type LabelSelector, MATCHES_NOTHING, readLabelSelector } from './label-selector.ts'
import { AUTHORITY_KINDS, type AuthorityRef, annotations, authorityRef, leafSecretName } from './names.ts'
import {
  asRecord,
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
  readTexts,
} from './reading.ts'
import { type LastFailure, readConditions, readFields, readItems, readLastFailure } from './reading-status.ts'

export const SERVICE_NAMES = ['Auto', 'None'] as const
export const FORMATS = ['CombinedPEM', 'SPIFFE', 'PKCS12', 'JKS', 'DER'] as const
export type Format = (typeof FORMATS)[number]

/** An identity that goes from one authority to the next has one or two. */
export const MOST_FORMER_AUTHORITIES = 32

/** What a field is that nobody set; the API server writes the same from the schema. */
export const identityDefaults = {
  authorityKind: 'ClusterMutualAuthority',
  authorityName: 'default',
  keyType: 'ECDSAP256',
  serviceNames: 'Auto',
} as const

/** Another authority whose members this workload accepts. */
export interface AdditionalAuthority {
  readonly ref: AuthorityRef
  /** Its anchors go into ca.crt too, for programs that read one file. */
  readonly pooled: boolean
}

export interface MutualIdentitySpec {
  readonly podSelector: LabelSelector
  /** Undefined: observed from the selected pods. */
  readonly serviceAccountName: string | undefined
  readonly authority: AuthorityRef
  readonly certificate: {
    /** notAfter - notBefore; undefined: the authority's default. */
    readonly lifetime: Duration | undefined
    /** Before notAfter; undefined: drawn in the middle of the lifetime. */
    readonly renewBefore: Duration | undefined
    readonly keyType: KeyType
    readonly serviceNames: (typeof SERVICE_NAMES)[number]
    /** Extra names, each of which the authority must allow. */
    readonly dnsNames: readonly string[]
  }
  readonly delivery: {
    readonly secretName: string
    /** Besides PEM. */
    readonly formats: readonly Format[]
    /** Of the keystores; undefined: the well-known password of Java. */
    readonly keystorePasswordRef: { readonly name: string; readonly key: string } | undefined
    readonly secretTemplate: SecretTemplate
  }
  readonly trust: { readonly additionalAuthorities: readonly AdditionalAuthority[] }
  readonly restart: { readonly onRenewal: boolean }
}

/** Labels and annotations that people want on the Secret. */
export interface SecretTemplate {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** Instants are RFC 3339 text. A cache: losing it loses nothing. */
export interface MutualIdentityStatus {
  readonly observedGeneration?: number
  readonly conditions: readonly Condition[]
  readonly spiffeID?: string
  readonly certificate?: {
    readonly serialNumber: string
    readonly notAfter: string
    readonly renewAt: string
    readonly issuedBy: string
  }
  /** Those that signed before and are still accepted, as the Secret says it too: kind, name and until when. */
  readonly formerAuthorities?: readonly string[]
  /** Running pods that the selector matches, and how many of them run under another account than the certificate is for. */
  readonly pods?: { readonly selected: number; readonly mismatched: number }
  readonly lastFailure?: LastFailure
}

/** What the store holds of one. */
export interface MutualIdentity extends KindMeta {
  /** The annotation as it stands. */
  readonly renewRequestedAt: string | undefined
  readonly spec: MutualIdentitySpec
  /** Why the spec cannot be used (an object stored before a schema change); undefined when it can. */
  readonly problem: string | undefined
  readonly status: MutualIdentityStatus
}

/** Projects an object as the API server holds it. Total: what cannot be read becomes `problem`. */
export function projectMutualIdentity(raw: RawKind): MutualIdentity {
  const problems: Problems = []
  const meta = kindMeta(raw)
  const spec = readSpec(problems, raw.spec, meta)
  return {
    ...meta,
    renewRequestedAt: raw.metadata.annotations?.[annotations.renewRequestedAt],
    spec,
    problem: problems.length === 0 ? undefined : problems.join('; '),
    status: readStatus(raw.status),
  }
}

function readSpec(problems: Problems, raw: unknown, { namespace, name }: KindMeta): MutualIdentitySpec {
  const spec = readRecord(problems, raw, 'spec')
  const certificate = readRecord(problems, spec.certificate, 'spec.certificate')
  const delivery = readRecord(problems, spec.delivery, 'spec.delivery')
  const trust = readRecord(problems, spec.trust, 'spec.trust')
  const restart = readRecord(problems, spec.restart, 'spec.restart')
  const readFormat = (found: Problems, value: unknown, path: string) => readChoice(found, value, path, FORMATS)
  const readOther = (found: Problems, value: unknown, path: string) => readAdditional(found, value, path, namespace)
  return {
    podSelector: readSelector(problems, spec.podSelector),
    serviceAccountName: readText(problems, spec.serviceAccountName, 'spec.serviceAccountName'),
    authority: readAuthorityRef(problems, readRecord(problems, spec.authorityRef, 'spec.authorityRef'), 'spec.authorityRef', namespace),
    certificate: {
      lifetime: readDuration(problems, certificate.lifetime, 'spec.certificate.lifetime'),
      renewBefore: readDuration(problems, certificate.renewBefore, 'spec.certificate.renewBefore'),
      keyType: readChoice(problems, certificate.keyType, 'spec.certificate.keyType', KEY_TYPES) ?? identityDefaults.keyType,
      serviceNames:
        readChoice(problems, certificate.serviceNames, 'spec.certificate.serviceNames', SERVICE_NAMES) ?? identityDefaults.serviceNames,
      dnsNames: readList(problems, certificate.dnsNames, 'spec.certificate.dnsNames', readText) ?? [],
    },
    delivery: {
      secretName: readText(problems, delivery.secretName, 'spec.delivery.secretName') ?? leafSecretName(name),
      formats: readList(problems, delivery.formats, 'spec.delivery.formats', readFormat) ?? [],
      keystorePasswordRef: readPasswordRef(problems, delivery.keystorePasswordRef),
      secretTemplate: readTemplate(problems, delivery.secretTemplate),
    },
    trust: { additionalAuthorities: readList(problems, trust.additionalAuthorities, 'spec.trust.additionalAuthorities', readOther) ?? [] },
    restart: { onRenewal: readFlag(problems, restart.onRenewal, 'spec.restart.onRenewal') ?? false },
  }
}

function readAuthorityRef(problems: Problems, fields: Fields, path: string, namespace: string): AuthorityRef {
  const kind = readChoice(problems, fields.kind, `${path}.kind`, AUTHORITY_KINDS) ?? identityDefaults.authorityKind
  return authorityRef(kind, namespace, readText(problems, fields.name, `${path}.name`) ?? identityDefaults.authorityName)
}

function readAdditional(problems: Problems, value: unknown, path: string, namespace: string): AdditionalAuthority {
  const fields = readRecord(problems, value, path)
  return { ref: readAuthorityRef(problems, fields, path, namespace), pooled: readFlag(problems, fields.pooled, `${path}.pooled`) ?? false }
}

function readPasswordRef(problems: Problems, value: unknown): { name: string; key: string } | undefined {
  if (value === undefined || value === null) return undefined
  const path = 'spec.delivery.keystorePasswordRef'
  const fields = readRecord(problems, value, path)
  const name = readText(problems, fields.name, `${path}.name`)
  const key = readText(problems, fields.key, `${path}.key`)
  if (name !== undefined && key !== undefined) return { name, key }
  problems.push(`${path} needs name and key`)
  return undefined
}

function readTemplate(problems: Problems, value: unknown): SecretTemplate {
  const path = 'spec.delivery.secretTemplate'
  const template = readRecord(problems, value, path)
  return {
    labels: readTexts(problems, template.labels, `${path}.labels`),
    annotations: readTexts(problems, template.annotations, `${path}.annotations`),
  }
}

/** There is no default: nobody must get an identity by having left something out. */
function readSelector(problems: Problems, raw: unknown): LabelSelector {
  if (raw !== undefined && raw !== null) return readLabelSelector(problems, raw, 'spec.podSelector')
  problems.push('spec.podSelector is missing')
  return MATCHES_NOTHING
}

function readStatus(raw: unknown): MutualIdentityStatus {
  const status = asRecord(raw) ?? {}
  const { observedGeneration, spiffeID } = readFields(status, { observedGeneration: 'number', spiffeID: 'string' })
  const { serialNumber, notAfter, renewAt, issuedBy } = readFields(status.certificate, {
    serialNumber: 'string',
    notAfter: 'string',
    renewAt: 'string',
    issuedBy: 'string',
  })
  const certificate = serialNumber && notAfter && renewAt && issuedBy ? { serialNumber, notAfter, renewAt, issuedBy } : undefined
  const formerAuthorities = readItems(status.formerAuthorities, (item) => (typeof item === 'string' ? item : undefined))
  const { selected, mismatched } = readFields(status.pods, { selected: 'number', mismatched: 'number' })
  const lastFailure = readLastFailure(status.lastFailure)
  return {
    conditions: readConditions(status.conditions),
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...(spiffeID === undefined ? {} : { spiffeID }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(formerAuthorities.length === 0 ? {} : { formerAuthorities }),
    ...(selected === undefined || mismatched === undefined ? {} : { pods: { selected, mismatched } }),
    ...(lastFailure === undefined ? {} : { lastFailure }),
  }
}
