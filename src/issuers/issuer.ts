// The issuer interface: what every back end does for the identity controller. One contract suite (test/contract) runs against all of them.
// An issuer turns a request into a chain; it decides nothing about names or lifetimes, and what it returns is checked by the caller.

import type { AuthorityRef } from '../api/names.ts'
import type { Instant } from '../base/instant.ts'
import type { Certificate } from '../pki/certificate.ts'
import type { Fingerprint } from '../pki/fingerprint.ts'
import type { LeafProfile } from '../pki/profile.ts'
import type { SubjectPublicKey } from '../pki/subject-public-key.ts'

/** Which CA key signs: the very version of the Secret that the plan was made from. */
export interface GenerationRef {
  readonly number: number
  readonly secretName: string
  readonly secretUid: string
  readonly secretResourceVersion: string
  /** Of the CA certificate that signs. */
  readonly certificateFingerprint: Fingerprint
}

export interface IssueRequest {
  readonly authority: AuthorityRef
  readonly generation: GenerationRef
  readonly profile: LeafProfile
  readonly publicKey: SubjectPublicKey
  readonly now: Instant
}

/** Leaf first, then intermediates, no root. */
export interface IssuedChain {
  readonly chain: readonly Certificate[]
}

/** Fails with an OperatorError: `retry` when trying again may help, `blocked` when a person is needed. It never returns a partial answer. */
export interface Issuer {
  issue(request: IssueRequest): Promise<IssuedChain>
}

/**
 * By what they sign with. Own roots (selfManaged) and CAs that others keep (caSecret) are both generations: key and certificate in a CA Secret of
 * ours, which the authority controller made or copied.
 */
export type Issuers = Readonly<Record<'generations', Issuer>>
