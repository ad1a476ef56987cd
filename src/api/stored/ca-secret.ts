// The CA Secret of one generation of a self-managed authority, in the operator's namespace: how it is written, and what of it is cached.
// Used by the authority controller, the self-managed issuer and everybody who asks which generation signs. No IO; the key is never cached.

import { type Duration, formatDuration, parseDuration } from '../../base/duration.ts'
import { formatInstant, type Instant, parseInstant } from '../../base/instant.ts'
import { type Certificate, readChain } from '../../pki/certificate.ts'
import { publicKeyHash } from '../../pki/key-type.ts'
import { formatPem } from '../../pki/pem.ts'
import { parsePrivateKey } from '../../pki/private-key.ts'
import { parseTrustDomain, type TrustDomain } from '../../pki/trust-domain.ts'
import { type AuthorityRef, annotations, caSecretName, labels, MANAGER, type Role } from '../names.ts'
import { dataField, type RawStored, read, type StoredMeta, storedMeta } from './common.ts'

/** A CA Secret in the cache. */
export interface CaSecret extends StoredMeta {
  readonly authority: AuthorityRef
  /** From the annotation, 0 when that is unreadable (then there is a problem too). */
  readonly generation: number
  readonly trustDomain: string
  /** Since when it signs; undefined: prepared. */
  readonly activatedAt: Instant | undefined
  /** The longest lifetime of a leaf it may sign. */
  readonly longestLeafLifetime: Duration | undefined
  readonly certificate: Certificate | undefined
  /** Why this generation cannot sign: garbage, no key, another key. */
  readonly problem: string | undefined
}

/** Projects a CA Secret; total. */
export function projectCaSecret(raw: RawStored): CaSecret {
  const own = raw.metadata.annotations ?? {}
  const generation = Number(own[annotations.generation])
  const activatedAt = own[annotations.activatedAt]
  const longest = own[annotations.longestLeafLifetime]
  const { certificate, problem } = readPair(raw)
  const trustDomain = rootTrustDomain(certificate) ?? own[annotations.trustDomain] ?? ''
  const nameless = read(() => parseTrustDomain(trustDomain)).problem
  const numbered = Number.isSafeInteger(generation) && generation > 0
  return {
    ...storedMeta(raw),
    authority: { kind: 'ClusterMutualAuthority', namespace: '', name: raw.metadata.labels?.[labels.authority] ?? '' },
    generation: numbered ? generation : 0,
    trustDomain,
    activatedAt: activatedAt === undefined ? undefined : parseInstant(activatedAt),
    longestLeafLifetime: longest === undefined ? undefined : parseDuration(longest),
    certificate,
    problem: problem ?? (numbered ? nameless : `annotation ${annotations.generation} is not a positive number`),
  }
}

/** A generation about to be written. `privateKey` is PKCS#8 PEM; the caller zeroes it. */
export interface NewGeneration {
  readonly authority: AuthorityRef
  readonly generation: number
  readonly trustDomain: TrustDomain
  readonly certificate: Certificate
  readonly privateKey: Buffer
  readonly longestLeafLifetime: Duration
  readonly activatedAt: Instant | undefined
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
        ...(generation.activatedAt === undefined ? {} : { [annotations.activatedAt]: formatInstant(generation.activatedAt) }),
      },
    },
    data: {
      'tls.crt': Buffer.from(formatPem('CERTIFICATE', generation.certificate.der), 'latin1').toString('base64'),
      'tls.key': generation.privateKey.toString('base64'),
    },
  }
}

/** The labels of a CA Secret. */
export function caSecretLabels(authority: AuthorityRef): Record<string, string> {
  const role: Role = 'ca'
  return {
    [labels.managedBy]: MANAGER,
    [labels.role]: role,
    [labels.authority]: authority.name,
    [labels.authorityKind]: authority.kind,
  }
}

/** A root of ours names its trust domain in its URI SAN, which nobody can edit; the annotation is for people. */
function rootTrustDomain(certificate: Certificate | undefined): string | undefined {
  const [uri] = certificate?.uris ?? []
  return uri?.startsWith('spiffe://') ? uri.slice('spiffe://'.length) : undefined
}

function readPair(raw: RawStored): { certificate: Certificate | undefined; problem: string | undefined } {
  const certificateText = dataField(raw, 'tls.crt')
  if (!certificateText) return { certificate: undefined, problem: 'tls.crt is missing or empty' }
  const chain = read(() => readChain(certificateText.toString('latin1')))
  const certificate = chain.value?.[0]
  if (!certificate) return { certificate: undefined, problem: `tls.crt: ${chain.problem}` }
  const keyText = dataField(raw, 'tls.key')
  if (!keyText) return { certificate, problem: 'tls.key is missing or empty' }
  const keyHash = read(() => publicKeyHash(parsePrivateKey(keyText)))
  keyText.fill(0)
  if (!keyHash.value) return { certificate, problem: `tls.key: ${keyHash.problem}` }
  if (keyHash.value !== certificate.publicKeyHash) return { certificate, problem: 'tls.key is not the key of the certificate in tls.crt' }
  return { certificate, problem: undefined }
}
