// Reads the caches and returns one record, AuthorityFacts. Writes nothing; nothing is read after it in a pass.

import type { Authority } from '../../api/authority.ts'
import { authorityKey } from '../../api/names.ts'
import { deriveGenerations } from '../../api/stored/generations.ts'
import { type Caches, recordOf } from '../caches.ts'
import { elderOf, standardTrustDomain } from '../trust-domain-claims.ts'
import type { AuthorityFacts } from './facts.ts'

/** What the operator's flags say of trust domains, and where it lives. */
export interface TrustDomainRules {
  readonly operatorNamespace: string
  /** Of cluster authorities that name none; those of namespaces are below it. */
  readonly defaultTrustDomain: string
  /** The trust domains that namespaced authorities may have besides their standard one, by namespace. */
  readonly namespacedTrustDomains: Readonly<Record<string, readonly string[]>>
}

/** All facts about one authority. */
export function observeAuthorityState(authority: Authority, caches: Caches, rules: TrustDomainRules): AuthorityFacts {
  const { ref, spec } = authority
  const secrets = [...caches.caSecrets.by('authority', authorityKey(ref))].sort((a, b) => a.generation - b.generation)
  const standard = standardTrustDomain(authority, rules.defaultTrustDomain)
  return {
    authority,
    ref,
    operatorNamespace: rules.operatorNamespace,
    inOperatorNamespace: ref.namespace === rules.operatorNamespace,
    secrets,
    generations: deriveGenerations(secrets),
    record: recordOf(ref, caches),
    source: spec.backEnd.kind === 'caSecret' ? caches.caSources.get(rules.operatorNamespace, spec.backEnd.name) : undefined,
    standardTrustDomain: standard,
    trustDomainAllowed: isAllowed(authority, rules),
    elder: elderOf(authority, caches, rules.defaultTrustDomain, (other) => isAllowed(other, rules))?.ref,
  }
}

/** An administrator's object may speak for any trust domain, a tenant's only for what is the namespace's. */
function isAllowed(authority: Authority, { defaultTrustDomain, namespacedTrustDomains }: TrustDomainRules): boolean {
  const { ref, spec } = authority
  if (ref.namespace === '' || spec.trustDomain === undefined) return true
  if (spec.trustDomain === standardTrustDomain(authority, defaultTrustDomain)) return true
  return (
    Object.hasOwn(namespacedTrustDomains, ref.namespace) && (namespacedTrustDomains[ref.namespace]?.includes(spec.trustDomain) ?? false)
  )
}
