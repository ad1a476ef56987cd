// The CA Secret of one generation of an authority, in the operator's namespace: how it is written, and what of it is cached.
// Used by the authority controller, the issuer and everybody who asks which generation signs. No IO; the key is never cached.

import { type Duration, formatDuration, parseDuration } from '../../base/duration.ts'
import { formatInstant, type Instant, parseInstant } from '../../base/instant.ts'
import type { Certificate } from '../../pki/certificate.ts'
import { formatPem } from '../../pki/pem.ts'
import { parseTrustDomain, type TrustDomain } from '../../pki/trust-domain.ts'
import { contained } from '../label-selector.ts'
import { type AuthorityRef, annotations, authorityLabels, authorityOfObject, caSecretName, labels, MANAGER, type Role } from '../names.ts'
import { type CaPair, readCaPair, spiffeTrustDomain } from './ca-pair.ts'
import { ownLabels, type RawStored, read, type StoredMeta, storedMeta } from './common.ts'

/** A CA Secret in the cache. */
export interface CaSecret extends StoredMeta, CaPair {
  readonly authority: AuthorityRef
  /** From the annotation, 0 when that is unreadable (then there is a problem too). */
  readonly generation: number
  readonly trustDomain: string
  /** Since when it signs; undefined: prepared. */
  readonly activatedAt: Instant | undefined
  /** The longest lifetime of a leaf it may sign. */
  readonly longestLeafLifetime: Duration | undefined
  /** Only ours. */
  readonly labels: Readonly<Record<string, string>>
  /** Name of the Secret of others that it was copied from. */
  readonly copiedFrom: string | undefined
}

/** Projects a CA Secret; total. */
export function projectCaSecret(raw: RawStored): CaSecret {
  const own = raw.metadata.annotations ?? {}
  const generation = Number(own[annotations.generation])
  const activatedAt = own[annotations.activatedAt]
  const longest = own[annotations.longestLeafLifetime]
  const pair = readCaPair(raw)
  const trustDomain = spiffeTrustDomain(pair.certificate) ?? own[annotations.trustDomain] ?? ''
  const nameless = read(() => parseTrustDomain(trustDomain)).problem
  const numbered = Number.isSafeInteger(generation) && generation > 0
  return {
    ...storedMeta(raw),
    ...pair,
    authority: authorityOfObject(raw.metadata.name),
    generation: numbered ? generation : 0,
    trustDomain,
    activatedAt: activatedAt === undefined ? undefined : parseInstant(activatedAt),
    longestLeafLifetime: longest === undefined ? undefined : parseDuration(longest),
    labels: ownLabels(raw),
    copiedFrom: own[annotations.copiedFrom],
    problem: pair.problem ?? (numbered ? nameless : `annotation ${annotations.generation} is not a positive number`),
  }
}

/** A generation about to be written. `privateKey` is PKCS#8 PEM; the caller zeroes it. */
export interface NewGeneration {
  readonly authority: AuthorityRef
  readonly generation: number
  readonly trustDomain: TrustDomain
  /** What signs. */
  readonly certificate: Certificate
  /** From the one that issued `certificate` up; none where that is a root. */
  readonly issuers: readonly Certificate[]
  readonly root: Certificate
  readonly privateKey: Buffer
  readonly longestLeafLifetime: Duration
  readonly activatedAt: Instant | undefined
  readonly copiedFrom: string | undefined
}

/** The whole Secret; to be written by a create-only POST, so that of two leaders one loses. */
export function renderCaSecret(namespace: string, generation: NewGeneration) {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: {
      namespace,
      name: caSecretName(generation.authority, generation.generation),
      labels: caSecretLabels(generation.authority),
      annotations: {
        [annotations.trustDomain]: generation.trustDomain,
        [annotations.generation]: String(generation.generation),
        [annotations.longestLeafLifetime]: formatDuration(generation.longestLeafLifetime),
        ...(generation.copiedFrom === undefined ? {} : { [annotations.copiedFrom]: generation.copiedFrom }),
        ...(generation.activatedAt === undefined ? {} : { [annotations.activatedAt]: formatInstant(generation.activatedAt) }),
      },
    },
    data: {
      'tls.crt': base64Pem([generation.certificate, ...generation.issuers]),
      'tls.key': generation.privateKey.toString('base64'),
      ...(generation.root === generation.certificate ? {} : { 'ca.crt': base64Pem([generation.root]) }),
    },
  }
}

const base64Pem = (certificates: readonly Certificate[]): string =>
  Buffer.from(certificates.map(({ der }) => formatPem('CERTIFICATE', der)).join(''), 'latin1').toString('base64')

/** The labels of a CA Secret. */
export function caSecretLabels(authority: AuthorityRef): Record<string, string> {
  const role: Role = 'ca'
  return { [labels.managedBy]: MANAGER, [labels.role]: role, ...authorityLabels(authority) }
}

/** Whether it has the labels that it was written with. */
export function caSecretIsLabelled({ labels: present, authority }: CaSecret): boolean {
  return contained(caSecretLabels(authority), present)
}
