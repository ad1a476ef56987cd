// The one record that an identity's plan is made from. Plain data without secrets; `explain` prints it as it is.

import type { MutualIdentity } from '../../api/mutual-identity.ts'
import type { LeafSecret } from '../../api/stored/leaf-secret.ts'
import type { Instant } from '../../base/instant.ts'
import type { DnsName } from '../../pki/dns-name.ts'
import type { Verdict } from '../../pki/verify.ts'
import type { AuthorityFacts } from '../authority-facts.ts'
import type { TrustFacts, TrustSource } from './trust/trust.ts'

/** The leaf Secret as the plan sees it: facts instead of bytes. */
export interface SecretFacts extends Omit<LeafSecret, 'chain'> {
  /** Whether the chain verifies by signature to an anchor of the authority that signed it (of the one asked for, where it is not of another); undefined without a chain or a bundle. */
  readonly trusted: Verdict | undefined
}

/** The present certificate is of another authority than the one asked for. */
export interface Switching {
  readonly from: AuthorityFacts
  /** Its published record, which may be there though it cannot sign just now, or is gone. */
  readonly to: Omit<TrustSource, 'pooled'>
  /** When that certificate ends. */
  readonly until: Instant
  /** Identities of the namespace that still live by the old authority and do not accept the new one. */
  readonly peersNotReady: readonly string[]
  /** Since when the last of the others accepts it. */
  readonly acceptedSince: Instant
}

/** A Secret of this identity under a name that it had before. */
export type FormerSecret = Pick<LeafSecret, 'name' | 'uid' | 'resourceVersion' | 'createdAt' | 'terminating'> & {
  readonly notAfter: Instant | undefined
}

export interface IdentityFacts {
  readonly identity: MutualIdentity
  /** Identities are refused in the operator's own namespace: CA keys live there. */
  readonly inOperatorNamespace: boolean
  readonly namespaceTerminating: boolean
  /** Undefined: there is no such authority. */
  readonly authority: AuthorityFacts | undefined
  readonly switching: Switching | undefined
  readonly trust: TrustFacts
  /** Live pods that the selector matches. */
  readonly selectedPods: number
  /** Of those pods, by their service account. */
  readonly podsByAccount: Readonly<Record<string, number>>
  /** Service accounts of those pods, sorted. */
  readonly observedAccounts: readonly string[]
  /** An older identity that selects some of the same pods, and how many. */
  readonly overlap: { readonly name: string; readonly pods: number } | undefined
  /** An identity that names the same Secret and comes first. */
  readonly secretClaimedBy: string | undefined
  /** It asks for restarts after renewals, and the operator makes none. */
  readonly restartUnavailable: boolean
  /** The account in the URI SAN of a leaf that verifies to our own anchors: what was decided before. */
  readonly recordedAccount: string | undefined
  /** DNS names of the Services that cover the pods, sorted; none where the spec says so. */
  readonly serviceDnsNames: readonly DnsName[]
  /** Their bare names, for authorities that allow them. */
  readonly shortServiceNames: readonly DnsName[]
  /** Services that cover the pods, and whose names are left out because pods of other accounts than spec.serviceAccountName serve them. */
  readonly servicesOfOthers: readonly string[]
  /** Of the extra names: those that are `<service>.<namespace>` of another namespace. */
  readonly foreignServiceNames: readonly string[]
  /** Domains under which all names are the cluster's: `svc`, `cluster.local`. */
  readonly clusterSuffixes: readonly string[]
  /** Collections that this account may not read (explain under a person's rights): what they would show is not known. */
  readonly unknown: readonly string[]
  /** `unknown`: this account may not read Secrets (explain under a person's rights). */
  readonly secret: SecretFacts | 'unknown' | undefined
  readonly formerSecrets: readonly FormerSecret[]
}
