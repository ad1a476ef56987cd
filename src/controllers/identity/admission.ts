// The first checks of an identity's plan: may it be served at all, and by which authority. Pure.

import { authorityText } from '../../api/names.ts'
import type { Readiness } from '../readiness.ts'
import type { IdentityFacts } from './facts.ts'

type Check = (facts: IdentityFacts) => Readiness | undefined

/** In this order: what makes the later ones meaningless comes first. */
const CHECKS: readonly Check[] = [
  specProblem,
  operatorNamespace,
  terminating,
  secretClaimed,
  authorityFound,
  namespaceAllowed,
  authorityKnown,
  authorityReady,
]

/** The first check that stops this identity, or undefined. */
export function admissionChecks(facts: IdentityFacts): Readiness | undefined {
  for (const check of CHECKS) {
    const stop = check(facts)
    if (stop) return stop
  }
  return undefined
}

function specProblem({ identity }: IdentityFacts): Readiness | undefined {
  return identity.problem === undefined ? undefined : { state: 'refused', reason: 'SpecInvalid', message: identity.problem }
}

function operatorNamespace({ inOperatorNamespace, identity }: IdentityFacts): Readiness | undefined {
  if (!inOperatorNamespace) return undefined
  const message = `namespace ${identity.namespace} is the operator's own and holds CA keys: put the workload into another one`
  return { state: 'refused', reason: 'OperatorNamespace', message }
}

function terminating({ namespaceTerminating, identity }: IdentityFacts): Readiness | undefined {
  if (!namespaceTerminating) return undefined
  return { state: 'waiting', reason: 'NamespaceTerminating', message: `namespace ${identity.namespace} is being deleted` }
}

function secretClaimed({ secretClaimedBy, identity }: IdentityFacts): Readiness | undefined {
  if (secretClaimedBy === undefined) return undefined
  const message = `Secret ${identity.spec.delivery.secretName} is that of MutualIdentity ${secretClaimedBy}, which comes first: choose another spec.delivery.secretName`
  return { state: 'refused', reason: 'SecretNameTaken', message }
}

function authorityFound({ authority, identity }: IdentityFacts): Readiness | undefined {
  if (authority) return undefined
  return {
    state: 'waiting',
    reason: 'AuthorityNotFound',
    message: `there is no ${authorityText(identity.spec.authority)}: create it, or name another in spec.authorityRef`,
  }
}

function namespaceAllowed({ authority, identity }: IdentityFacts): Readiness | undefined {
  const allowed = authority?.allowedNamespaces
  if (!allowed || allowed.includes(identity.namespace)) return undefined
  const message = `${authorityText(authority.ref)} does not allow namespace ${identity.namespace} (spec.policy.allowedNamespaces)`
  return { state: 'refused', reason: 'NamespaceNotAllowed', message }
}

function authorityKnown({ authority }: IdentityFacts): Readiness | undefined {
  if (!authority || authority.unreadable === undefined) return undefined
  const message = `${authorityText(authority.ref)} is unknown: ${authority.unreadable}, so the step depends on what it holds`
  return { state: 'waiting', reason: 'AuthorityUnknown', message }
}

function authorityReady({ authority }: IdentityFacts): Readiness | undefined {
  if (!authority || authority.signing) return undefined
  return {
    state: 'waiting',
    reason: 'AuthorityNotReady',
    message: `${authorityText(authority.ref)} cannot sign: ${authority.problem}`,
  }
}
