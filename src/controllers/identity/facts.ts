// The one record that an identity's plan is made from. Plain data without secrets; `explain` prints it as it is.

import type { MutualIdentity } from '../../api/mutual-identity.ts'
import type { LeafSecret } from '../../api/stored/leaf-secret.ts'
import type { DnsName } from '../../pki/dns-name.ts'
import type { Verdict } from '../../pki/verify.ts'
import type { AuthorityFacts } from '../authority-facts.ts'

/** The leaf Secret as the plan sees it: facts instead of bytes. */
export interface SecretFacts extends Omit<LeafSecret, 'chain'> {
  /** Whether the chain verifies by signature to an anchor of the published bundle; undefined without a chain or a bundle. */
  readonly trusted: Verdict | undefined
}

export interface IdentityFacts {
  readonly identity: MutualIdentity
  /** Identities are refused in the operator's own namespace: CA keys live there. */
  readonly inOperatorNamespace: boolean
  readonly namespaceTerminating: boolean
  /** Undefined: there is no such authority. */
  readonly authority: AuthorityFacts | undefined
  /** Live pods that the selector matches. */
  readonly selectedPods: number
  /** Service accounts of those pods, sorted. */
  readonly observedAccounts: readonly string[]
  /** The account in the URI SAN of a leaf that verifies to our own anchors: what was decided before. */
  readonly recordedAccount: string | undefined
  /** DNS names of the Services that cover the pods, sorted; none where the spec says so. */
  readonly serviceDnsNames: readonly DnsName[]
  /** Collections that this account may not read (explain under a person's rights): what they would show is not known. */
  readonly unknown: readonly string[]
  /** `unknown`: this account may not read Secrets (explain under a person's rights). */
  readonly secret: SecretFacts | 'unknown' | undefined
}
