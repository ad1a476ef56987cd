// The one record that an authority's plan is made from. Plain data without secrets.

import type { Authority, ReportedGeneration } from '../../api/authority.ts'
import type { AuthorityRef } from '../../api/names.ts'
import type { BundleRecord } from '../../api/stored/bundle.ts'
import type { CaSecret } from '../../api/stored/ca-secret.ts'
import type { CaSource } from '../../api/stored/ca-source.ts'
import type { Generation } from '../../api/stored/generations.ts'

export interface AuthorityFacts {
  readonly authority: Authority
  readonly ref: AuthorityRef
  /** Where its CA Secrets are looked for. */
  readonly operatorNamespace: string
  /** Objects of namespaced kinds are refused in the operator's own namespace: CA keys live there. */
  readonly inOperatorNamespace: boolean
  /** All its CA Secrets that the cache shows, readable or not, in order of their numbers. */
  readonly secrets: readonly CaSecret[]
  /** The readable ones, with their states. */
  readonly generations: readonly Generation[]
  /** The published bundle; undefined: none was published, or its label was taken away. */
  readonly record: BundleRecord | undefined
  /** Of a caSecret back end: the Secret that it names; undefined: there is none. */
  readonly source: CaSource | undefined
  /** What the trust domain is where neither the spec nor a generation says. */
  readonly standardTrustDomain: string
  /** Whether it may have the trust domain that its spec names. */
  readonly trustDomainAllowed: boolean
  /** An authority that claims the same trust domain and comes first. */
  readonly elder: AuthorityRef | undefined
}

/**
 * What the status told of and no CA Secret shows any more. It is told on, whatever else is lost later: where the operator's namespace is deleted too,
 * the status is the only witness that there was a CA.
 */
export function toldOnly({ authority, generations }: AuthorityFacts): readonly ReportedGeneration[] {
  return generations.length === 0 ? (authority.status.generations ?? []) : []
}
