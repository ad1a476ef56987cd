// MutualIdentity: "these pods get a certificate of their own". Its types, its defaults, and how the store sees one.
// Used by the identity and bundle controllers and explain. The schema stands in mutual-identity-schema.ts.

import type { Duration } from '../base/duration.ts'
import { KEY_TYPES, type KeyType } from '../pki/key-type.ts'
import type { Condition } from './condition.ts'
import { type LabelSelector, MATCHES_NOTHING, readLabelSelector } from './label-selector.ts'
import { annotations } from './names.ts'
import {
  asRecord,
  type KindMeta,
  kindMeta,
  type Problems,
  type RawKind,
  readChoice,
  readDuration,
  readRecord,
  readText,
} from './reading.ts'
import { type LastFailure, readConditions, readFields, readLastFailure } from './reading-status.ts'

export const SERVICE_NAMES = ['Auto', 'None'] as const
export const AUTHORITY_KINDS = ['ClusterMutualAuthority'] as const

/** What a field is that nobody set; the API server writes the same from the schema. */
export const identityDefaults = {
  authorityKind: 'ClusterMutualAuthority',
  authorityName: 'default',
  keyType: 'ECDSAP256',
  serviceNames: 'Auto',
} as const

export interface MutualIdentitySpec {
  readonly podSelector: LabelSelector
  /** Undefined: observed from the selected pods. */
  readonly serviceAccountName: string | undefined
  readonly authorityRef: { readonly kind: (typeof AUTHORITY_KINDS)[number]; readonly name: string }
  readonly certificate: {
    /** notAfter - notBefore; undefined: the authority's default. */
    readonly lifetime: Duration | undefined
    readonly keyType: KeyType
    readonly serviceNames: (typeof SERVICE_NAMES)[number]
  }
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
  const spec = readSpec(problems, raw.spec)
  return {
    ...kindMeta(raw),
    renewRequestedAt: raw.metadata.annotations?.[annotations.renewRequestedAt],
    spec,
    problem: problems.length === 0 ? undefined : problems.join('; '),
    status: readStatus(raw.status),
  }
}

function readSpec(problems: Problems, raw: unknown): MutualIdentitySpec {
  const spec = readRecord(problems, raw, 'spec')
  const authorityRef = readRecord(problems, spec.authorityRef, 'spec.authorityRef')
  const certificate = readRecord(problems, spec.certificate, 'spec.certificate')
  return {
    podSelector: readSelector(problems, spec.podSelector),
    serviceAccountName: readText(problems, spec.serviceAccountName, 'spec.serviceAccountName'),
    authorityRef: {
      kind: readChoice(problems, authorityRef.kind, 'spec.authorityRef.kind', AUTHORITY_KINDS) ?? identityDefaults.authorityKind,
      name: readText(problems, authorityRef.name, 'spec.authorityRef.name') ?? identityDefaults.authorityName,
    },
    certificate: {
      lifetime: readDuration(problems, certificate.lifetime, 'spec.certificate.lifetime'),
      keyType: readChoice(problems, certificate.keyType, 'spec.certificate.keyType', KEY_TYPES) ?? identityDefaults.keyType,
      serviceNames:
        readChoice(problems, certificate.serviceNames, 'spec.certificate.serviceNames', SERVICE_NAMES) ?? identityDefaults.serviceNames,
    },
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
  const lastFailure = readLastFailure(status.lastFailure)
  return {
    conditions: readConditions(status.conditions),
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...(spiffeID === undefined ? {} : { spiffeID }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(lastFailure === undefined ? {} : { lastFailure }),
  }
}
