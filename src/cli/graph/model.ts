// Who trusts whom, as plain data: authorities with their anchors, identities with who signed for them, whom they accept, and what their Secrets hold.
// Made from the controller's own facts; drawn by tree.ts, dot.ts and svg.ts. Pure.

import type { Authority } from '../../api/authority.ts'
import { type AuthorityRef, authorityKey, authorityRef, authorityText, isAuthorityKind } from '../../api/names.ts'
import type { IdentityFacts } from '../../controllers/identity/facts.ts'
import { reportedState } from '../status/identity-row.ts'
import type { State } from '../status/state.ts'
import type { HeldAnchors } from './anchors.ts'

export interface GraphAuthority {
  readonly key: string
  readonly text: string
  /** Undefined: not known, or none yet. */
  readonly trustDomain: string | undefined
  /** Undefined: there is no such authority, or it may not be read. */
  readonly state: State | undefined
  /** `default/1`: of each generation. */
  readonly anchors: readonly string[]
}

export type Why = 'own' | 'additional' | 'pooled' | 'former' | 'switching'

export interface Acceptance {
  readonly authority: string
  readonly why: Why
}

export interface GraphIdentity {
  readonly key: string
  readonly spiffeID: string | undefined
  readonly state: State
  /** Key of the authority that signed, or will. */
  readonly signedBy: string
  readonly accepts: readonly Acceptance[]
  readonly switching: { readonly to: string; readonly waitsFor: readonly string[] } | undefined
  readonly secretName: string
  /** By file, the names of anchors; undefined: there is no Secret. */
  readonly holds: Readonly<Record<string, readonly string[]>> | 'unknown' | undefined
}

export interface Graph {
  readonly authorities: readonly GraphAuthority[]
  readonly identities: readonly GraphIdentity[]
}

export interface GraphSources {
  readonly authorities: readonly Authority[]
  readonly identities: readonly IdentityFacts[]
  readonly held: HeldAnchors
}

export function graphOf({ authorities, identities, held }: GraphSources): Graph {
  const names = anchorNames(authorities)
  const drawn = identities.map((facts) => identityNode(facts, held, names))
  const known = new Map(authorities.map((authority) => [authorityKey(authority.ref), authorityNode(authority)]))
  // Who is named and not there is drawn as well: that is what one looks for.
  for (const { ref } of identities.flatMap(refsOf)) {
    const key = authorityKey(ref)
    if (!known.has(key)) known.set(key, { key, text: authorityText(ref), trustDomain: undefined, state: undefined, anchors: [] })
  }
  return { authorities: [...known.values()], identities: drawn }
}

/** By fingerprint, as the authorities themselves report their roots. */
function anchorNames(authorities: readonly Authority[]): ReadonlyMap<string, string> {
  return new Map(
    authorities.flatMap(({ ref, status }) =>
      (status.generations ?? []).map(({ fingerprint, number }) => [fingerprint, `${authorityKey(ref)}/${number}`] as const),
    ),
  )
}

function authorityNode({ ref, status, generation }: Authority): GraphAuthority {
  return {
    key: authorityKey(ref),
    text: authorityText(ref),
    trustDomain: status.trustDomain,
    state: reportedState(status.conditions, generation).state,
    anchors: (status.generations ?? []).map(({ number, state }) => `${authorityKey(ref)}/${number} (${state.toLowerCase()})`),
  }
}

function refsOf(facts: IdentityFacts): { ref: AuthorityRef }[] {
  const { identity, trust } = facts
  return [{ ref: signerOf(facts) }, { ref: identity.spec.authority }, ...trust.additional, ...trust.former]
}

function identityNode(facts: IdentityFacts, held: HeldAnchors, names: ReadonlyMap<string, string>): GraphIdentity {
  const { identity, switching, trust } = facts
  const { namespace, name, spec, status, generation } = identity
  const signer = authorityKey(signerOf(facts))
  const asked = authorityKey(spec.authority)
  const accepts: Acceptance[] = [
    { authority: signer, why: 'own' },
    ...(signer === asked ? [] : [{ authority: asked, why: 'switching' } as const]),
    ...trust.additional.map(({ ref, pooled }) => ({ authority: authorityKey(ref), why: pooled ? 'pooled' : 'additional' }) as const),
    ...trust.former.map(({ ref }) => ({ authority: authorityKey(ref), why: 'former' }) as const),
  ]
  const files = held === 'unknown' ? 'unknown' : held.get(`${namespace}/${spec.delivery.secretName}`)
  return {
    key: `${namespace}/${name}`,
    spiffeID: status.spiffeID,
    state: reportedState(status.conditions, generation).state,
    signedBy: signer,
    accepts: accepts.filter(({ authority }, index) => accepts.findIndex((other) => other.authority === authority) === index),
    switching: signer === asked ? undefined : { to: asked, waitsFor: switching?.peersNotReady ?? [] },
    secretName: spec.delivery.secretName,
    holds:
      typeof files === 'object'
        ? Object.fromEntries(
            Object.entries(files).map(([file, prints]) => [file, prints.map((print) => names.get(print) ?? print.slice(0, 16))]),
          )
        : files,
  }
}

/** By the Secret; where that is not known, by what was reported (`ClusterMutualAuthority/default/1`); where nothing was, who is asked. */
function signerOf({ identity, switching, secret }: IdentityFacts): AuthorityRef {
  if (switching) return switching.from.ref
  const [kind, name] = (secret === 'unknown' ? (identity.status.certificate?.issuedBy ?? '') : '').split('/')
  if (kind === undefined || !name || !isAuthorityKind(kind)) return identity.spec.authority
  return authorityRef(kind, identity.namespace, name)
}
