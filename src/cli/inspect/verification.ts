// Whether what is in a Secret holds together now: the chain under the anchors beside it, the chain under the published bundle as the controller sees it,
// the key. Pure; the checks are the controller's own.

import type { Instant } from '../../base/instant.ts'
import type { SecretFacts } from '../../controllers/identity/facts.ts'
import { verifyChain } from '../../pki/verify-chain.ts'
import type { Style } from '../output/colour.ts'
import type { PageRow } from '../output/table.ts'
import type { Material } from './material.ts'

export interface Finding {
  readonly name: string
  /** Undefined: unknown. */
  readonly ok: boolean | undefined
  readonly text: string
}

/** `seen`: the same Secret in the controller's facts. */
export function findingsOf({ secret, chain, anchors }: Material, seen: SecretFacts | undefined, now: Instant): readonly Finding[] {
  return [chainFinding(chain, anchors, now), publishedFinding(seen), keyFinding(secret)]
}

function chainFinding(chain: Material['chain'], anchors: Material['anchors'], now: Instant): Finding {
  const name = 'With ca.crt'
  const problem = chain.problem === undefined ? anchors.problem && `ca.crt: ${anchors.problem}` : `tls.crt: ${chain.problem}`
  if (problem !== undefined) return { name, ok: false, text: problem }
  const verdict = verifyChain(chain.certificates, anchors.certificates, now)
  return {
    name,
    ok: verdict.ok,
    text: verdict.ok ? 'the chain verifies now to the anchors in the Secret' : `${verdict.rule}: ${verdict.detail}`,
  }
}

function publishedFinding(seen: SecretFacts | undefined): Finding {
  const name = 'With authority'
  if (seen?.trusted === undefined) {
    return { name, ok: undefined, text: 'unknown: the published bundle of the authority may not be read by this account, or there is none' }
  }
  return { name, ok: seen.trusted.ok, text: seen.trusted.ok ? 'the chain verifies to the published bundle' : seen.trusted.detail }
}

/** Whether the key fits is found out where the Secret is read; the key itself is gone by then. */
function keyFinding({ problem }: Material['secret']): Finding {
  const name = 'Private key'
  return problem === undefined
    ? { name, ok: true, text: 'fits the certificate (it is never shown)' }
    : { name, ok: false, text: problem.detail }
}

export function findingRows(findings: readonly Finding[]): PageRow[] {
  return findings.map(({ name, ok, text }) => [
    name,
    { text: ok === undefined ? text : `${ok ? 'yes' : 'no'}: ${text}`, style: styleOf(ok) },
  ])
}

const styleOf = (ok: boolean | undefined): Style => (ok === undefined ? 'waiting' : ok ? 'good' : 'bad')
