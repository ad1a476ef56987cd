// Is the present leaf still right? Ordered checks, the first that fails names the reason for a new one. Pure.
// Time left on the leaf alone proves nothing: a leaf of a CA that is gone is worthless however long it lasts.

import { annotations, authorityKey, authorityText } from '../../api/names.ts'
import type { Reason } from '../../api/reason.ts'
import { holdsKey, KEY_FILES } from '../../api/stored/leaf-files.ts'
import { labelledAuthority } from '../../api/stored/leaf-secret.ts'
import type { Duration } from '../../base/duration.ts'
import type { Instant } from '../../base/instant.ts'
import { formatInstant } from '../../base/instant.ts'
import { clampRenewAt } from '../../pki/profile.ts'
import type { Asked } from './asked.ts'
import type { SecretFacts } from './facts.ts'

export interface Finding {
  readonly reason: Reason
  readonly message: string
}

type LeafCheck = (secret: SecretFacts, asked: Asked, now: Instant) => Finding | undefined

const CHECKS: readonly LeafCheck[] = [
  material,
  chainTrusted,
  issuedByAuthority,
  issuedByActive,
  identity,
  namesMissing,
  keyType,
  profile,
  notYetValid,
  renewalRequested,
  renewalDue,
  formats,
]

/** Why a new leaf must be issued; undefined when the present one is right. */
export function checkLeaf(secret: SecretFacts | undefined, asked: Asked, now: Instant): Finding | undefined {
  if (!secret) return { reason: 'SecretMissing', message: 'there is no Secret' }
  for (const check of CHECKS) {
    const finding = check(secret, asked, now)
    if (finding) return finding
  }
  return undefined
}

/** When the present leaf is to be renewed: as drawn at issuance, clamped, since annotations can be edited. */
export function currentRenewAt(secret: SecretFacts, renewBefore: Duration | undefined): Instant | undefined {
  return secret.leaf && clampRenewAt(secret.renewAt, secret.leaf, renewBefore)
}

/** A leaf that lasts as long as its issuer serves to its end: another one would end at the same instant, and be due sooner and sooner towards it. */
export function nextRenewal(
  secret: SecretFacts,
  { generation, renewBefore }: Pick<Asked, 'generation' | 'renewBefore'>,
): Instant | undefined {
  const { leaf } = secret
  return leaf && leaf.notAfter >= generation.notAfter ? leaf.notAfter : currentRenewAt(secret, renewBefore)
}

function material(secret: SecretFacts): Finding | undefined {
  return secret.problem && { reason: secret.problem.reason, message: secret.problem.detail }
}

function chainTrusted({ trusted }: SecretFacts): Finding | undefined {
  if (!trusted || trusted.ok) return undefined
  return { reason: 'ChainNotTrusted', message: `the certificate does not verify to the published bundle: ${trusted.detail}` }
}

/** It verifies to the authority that it came from, which is not the one that is asked for now. */
function issuedByAuthority(secret: SecretFacts, { authority, generation }: Asked): Finding | undefined {
  const from = labelledAuthority(secret)
  if (secret.leaf?.authorityKeyID === generation.subjectKeyID || !from || authorityKey(from) === authorityKey(authority.ref))
    return undefined
  return {
    reason: 'AuthorityChanged',
    message: `the certificate is of ${authorityText(from)}, ${authorityText(authority.ref)} is asked for`,
  }
}

/** By the key identifier in the leaf: annotations can be edited. */
function issuedByActive({ leaf }: SecretFacts, { generation }: Asked): Finding | undefined {
  if (leaf?.authorityKeyID === generation.subjectKeyID) return undefined
  return { reason: 'GenerationRetiring', message: `the certificate is of another generation than ${generation.number}, which signs now` }
}

function identity({ leaf }: SecretFacts, { profile }: Asked): Finding | undefined {
  const uri = profile.spiffeId.uri
  if (leaf?.uris.length === 1 && leaf.uris[0] === uri && leaf.otherNames === 0 && !leaf.isCA) return undefined
  return { reason: 'NamesChanged', message: `the certificate is for ${leaf?.uris.join(', ') || 'nobody'}, not for ${uri}` }
}

/** Only names that are missing: one too many leaves with the next renewal, so that a Service deleted by mistake costs nothing. */
function namesMissing({ leaf }: SecretFacts, { profile }: Asked): Finding | undefined {
  const present = new Set<string>(leaf?.dnsNames)
  const missing = profile.dnsNames.filter((name) => !present.has(name))
  if (missing.length === 0) return undefined
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : ''
  return { reason: 'NamesChanged', message: `the certificate lacks ${missing.slice(0, 3).join(', ')}${more}` }
}

function keyType({ leaf }: SecretFacts, { profile }: Asked): Finding | undefined {
  if (leaf?.keyType === profile.keyType) return undefined
  return { reason: 'KeyTypeChanged', message: `the key is ${leaf?.keyType ?? 'of an unknown type'}, ${profile.keyType} is asked for` }
}

function profile(secret: SecretFacts, { profileHash }: Asked): Finding | undefined {
  if (secret.annotations[annotations.profileHash] === profileHash) return undefined
  return {
    reason: 'ProfileChanged',
    message: 'the spec asks for another lifetime, time of renewal, way of naming or keystore password than the certificate was made with',
  }
}

/** Issued while our clock was ahead: peers refuse it until then. A minute is what clocks may differ by. */
function notYetValid({ leaf }: SecretFacts, _asked: Asked, now: Instant): Finding | undefined {
  if (!leaf || leaf.notBefore <= now + CLOCK_SKEW_MS) return undefined
  return { reason: 'NotYetValid', message: `the certificate begins at ${formatInstant(leaf.notBefore)} only` }
}

const CLOCK_SKEW_MS = 60_000

function renewalRequested(secret: SecretFacts, { renewedFor }: Asked): Finding | undefined {
  if (renewedFor === undefined || secret.annotations[annotations.renewedFor] === renewedFor) return undefined
  return { reason: 'RenewalRequested', message: `a renewal was asked for at ${renewedFor}` }
}

/** Keystores and the like are made with the key, which nobody remembers: a new pair is simpler than reading the old key back. */
function formats({ files, keyFilesHash, annotations: own }: SecretFacts, asked: Asked): Finding | undefined {
  const wanted: readonly string[] = asked.formats.flatMap((format) => KEY_FILES[format])
  const present = files.filter(holdsKey)
  const missing = wanted.filter((name) => !present.includes(name))
  if (missing.length > 0) return { reason: 'FormatsChanged', message: `the Secret lacks ${missing.join(', ')}` }
  const extra = present.filter((name) => !wanted.includes(name))
  if (extra.length > 0) return { reason: 'FormatsChanged', message: `the Secret holds ${extra.join(', ')}, which is not asked for` }
  if (keyFilesHash === own[annotations.keyFilesHash]) return undefined
  return { reason: 'FormatsChanged', message: `one of ${present.join(', ')} was edited` }
}

function renewalDue(secret: SecretFacts, asked: Asked, now: Instant): Finding | undefined {
  const renewAt = nextRenewal(secret, asked)
  if (renewAt === undefined || renewAt > now) return undefined
  return { reason: 'RenewalDue', message: `renewal was due at ${formatInstant(renewAt)}` }
}
