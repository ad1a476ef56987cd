// Which generation of an authority does what. States are derived here from what is stored, never written:
// the highest activated one is active, lower ones are retiring, higher ones prepared - so no write can make two active, or none.

import type { TrustBundle } from '../../pki/bundle.ts'
import type { Certificate } from '../../pki/certificate.ts'
import type { CaSecret } from './ca-secret.ts'

export type GenerationState = 'Prepared' | 'Active' | 'Retiring'

/** A generation that can be read, with its root. */
export interface Generation {
  readonly number: number
  readonly state: GenerationState
  readonly secret: CaSecret
  /** What signs. */
  readonly certificate: Certificate
  /** Its anchor. */
  readonly root: Certificate
}

/** The readable generations of one authority, in order of their numbers. `secrets`: its CA Secrets in any order. */
export function deriveGenerations(secrets: readonly CaSecret[]): readonly Generation[] {
  const readable = secrets
    .filter((secret) => secret.problem === undefined && secret.certificate !== undefined && secret.root !== undefined)
    .sort((a, b) => a.generation - b.generation)
  const active = Math.max(0, ...readable.filter((secret) => secret.activatedAt !== undefined).map((secret) => secret.generation))
  return readable.map((secret) => ({
    number: secret.generation,
    state: secret.generation === active ? 'Active' : secret.generation < active ? 'Retiring' : 'Prepared',
    secret,
    certificate: secret.certificate as Certificate,
    root: secret.root as Certificate,
  }))
}

/** The generation that may sign: active, and its root is in the published bundle (a root is in the bundle before its key signs). */
export function signingGeneration(generations: readonly Generation[], bundle: TrustBundle | undefined): Generation | undefined {
  const active = generations.find((generation) => generation.state === 'Active')
  const published = bundle?.anchors.some((anchor) => anchor.fingerprint === active?.root.fingerprint)
  return published ? active : undefined
}
