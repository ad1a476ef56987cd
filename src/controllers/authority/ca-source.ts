// The plan's part for a CA that somebody else keeps in a Secret: may it be used, can it sign, and what if it was replaced. Pure.
// It is copied once; a CA that replaces it is another generation, which only a rotation may bring in: never a silent switch.

import { type AuthorityRef, authorityText } from '../../api/names.ts'
import { spiffeTrustDomain } from '../../api/stored/ca-pair.ts'
import { type CaSource, refusedFor } from '../../api/stored/ca-source.ts'
import type { Generation } from '../../api/stored/generations.ts'
import type { Duration } from '../../base/duration.ts'
import { formatDuration } from '../../base/duration.ts'
import type { Instant } from '../../base/instant.ts'
import { trustDomainUri } from '../../pki/spiffe-id.ts'
import type { TrustDomain } from '../../pki/trust-domain.ts'
import { checkInForce, checkSignerCertificate } from '../../pki/verify.ts'
import { verifyIssuers } from '../../pki/verify-chain.ts'
import type { Readiness } from '../readiness.ts'
import type { AuthorityFacts } from './facts.ts'
import { type AuthorityPlan, ROOT_TO_LEAF, stop } from './plan-step.ts'

/** The copy that becomes generation 1, or why there is none yet. */
export function planCopy(facts: AuthorityFacts, name: string, trustDomain: TrustDomain, now: Instant): AuthorityPlan {
  const { source, ref, authority } = facts
  const stopped = sourceProblem(source, name, ref, trustDomain, now)
  if (stopped || !source?.certificate)
    return stop(stopped?.state ?? 'waiting', stopped?.reason ?? 'CASourceNotFound', stopped?.message ?? '')
  const { notBefore, notAfter } = source.certificate
  const longestLeafLifetime = Math.floor((notAfter - notBefore) / ROOT_TO_LEAF) as Duration
  if (authority.spec.leaf.lifetime > longestLeafLifetime) {
    const message = `Secret ${name} holds a CA of ${formatDuration(notAfter - notBefore)}, of which a sixth must not be less than leaf.lifetime ${formatDuration(authority.spec.leaf.lifetime)}: lower leaf.lifetime, or use a CA that lasts longer`
    return stop('refused', 'CASourceInvalid', message)
  }
  const message = `the CA in Secret ${name} becomes generation 1 for trust domain ${trustDomain}`
  const { uid, resourceVersion } = source
  return {
    step: { kind: 'copyGeneration', source: { name, uid, resourceVersion }, trustDomain, generation: 1, longestLeafLifetime },
    reason: 'GenerationCopied',
    message,
    readiness: { state: 'waiting', reason: 'GenerationCopied', message },
    held: false,
    next: undefined,
  }
}

function sourceProblem(
  source: CaSource | undefined,
  name: string,
  ref: AuthorityRef,
  trustDomain: TrustDomain,
  now: Instant,
): Readiness | undefined {
  const refused = refusedFor(source, name, ref)
  if (refused !== undefined) return { state: 'refused', reason: 'CASourceNotAllowed', message: refused }
  if (!source) {
    const message = `there is no Secret ${name} in the operator's namespace: create it with tls.crt and tls.key, or name another in spec.caSecret.name`
    return { state: 'waiting', reason: 'CASourceNotFound', message }
  }
  const detail = cannotSign(source, trustDomain, now)
  if (detail === undefined) return undefined
  const message = `Secret ${name} holds no CA that can sign: ${detail}. Put another CA with its key there, or name another Secret in spec.caSecret.name`
  return { state: 'refused', reason: 'CASourceInvalid', message }
}

function cannotSign({ certificate, root, intermediates, problem }: CaSource, trustDomain: TrustDomain, now: Instant): string | undefined {
  if (problem !== undefined || !certificate || !root) return problem ?? 'it holds no certificate'
  const named = spiffeTrustDomain(certificate)
  if (named !== undefined && named !== trustDomain) return `it is the CA of trust domain ${named}, not of ${trustDomain}`
  // Signing refuses it too, and by then it would be copied for good.
  const foreign = certificate.uris.find((uri) => uri !== trustDomainUri(trustDomain))
  if (foreign !== undefined) return `it names ${foreign} in its subjectAltName, where only ${trustDomainUri(trustDomain)} may stand`
  for (const ca of new Set([certificate, ...intermediates, root])) {
    for (const verdict of [checkSignerCertificate(ca), verifyIssuers([ca]), checkInForce(ca, now)])
      if (!verdict.ok) return `${verdict.rule}: ${verdict.detail}`
  }
  return undefined
}

/** What people should know while a generation signs: that the Secret it came from holds another CA by now, or the spec names another back end. */
export function sourceNote(
  { authority, source, ref }: AuthorityFacts,
  active: Generation,
): Pick<Readiness, 'reason' | 'message'> | undefined {
  const { backEnd } = authority.spec
  const { copiedFrom } = active.secret
  const goesOn = `generation ${active.number} goes on signing until a rotation takes the other one over`
  if (backEnd.kind === 'selfManaged') {
    if (copiedFrom === undefined) return undefined
    return { reason: 'RotationPending', message: `it was copied from Secret ${copiedFrom} and the spec asks for an own root: ${goesOn}` }
  }
  const refused = refusedFor(source, backEnd.name, ref)
  if (refused !== undefined) return { reason: 'CASourceNotAllowed', message: `${refused}; the copy goes on signing` }
  if (!source) {
    return {
      reason: 'CASourceNotFound',
      message: `Secret ${backEnd.name}, from which CAs are taken, is not there; the copy goes on signing`,
    }
  }
  if (source.problem !== undefined) {
    return {
      reason: 'CASourceInvalid',
      message: `Secret ${backEnd.name} holds no CA any more (${source.problem}); the copy goes on signing`,
    }
  }
  if (source.certificate?.fingerprint === active.certificate.fingerprint) return undefined
  return { reason: 'RotationPending', message: `Secret ${backEnd.name} holds another CA than ${authorityText(ref)} signs with: ${goesOn}` }
}
