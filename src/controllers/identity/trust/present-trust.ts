// The trust of an identity as it stands: by its present authority, and by the other one while it is being switched. Pure.

import { authorityKey, authorityText } from '../../../api/names.ts'
import { messageOf, OperatorError } from '../../../base/errors.ts'
import type { Instant } from '../../../base/instant.ts'
import type { AuthorityFacts } from '../../authority-facts.ts'
import type { IdentityFacts, Switching } from '../facts.ts'
import { type TrustOrProblem, trustFor } from './trust.ts'

/** `authority`: the one whose certificate the identity has, or gets. */
export function trustOf(facts: IdentityFacts, authority: Pick<AuthorityFacts, 'ref' | 'bundle'>, now: Instant): TrustOrProblem {
  const { identity, switching } = facts
  if (!authority.bundle) return { problem: 'its authority has published no trust bundle that can be read' }
  const other = switching && otherOf(switching, authority)
  if (other?.unreadable) return { problem: `the published bundle of ${authorityText(other.ref)} cannot be read` }
  const until = switching?.until ?? now
  const also = other?.bundle ? [{ ref: other.ref, bundle: other.bundle, until, former: other === switching?.from }] : []
  try {
    return trustFor({ ref: authority.ref, bundle: authority.bundle }, facts.trust, { also, formats: identity.spec.delivery.formats, now })
  } catch (error) {
    if (error instanceof OperatorError) return { problem: messageOf(error) }
    throw error
  }
}

/** The authority on the other side of a switch. */
function otherOf({ from, to }: Switching, present: Pick<AuthorityFacts, 'ref'>): Other {
  return authorityKey(from.ref) === authorityKey(present.ref) ? to : from
}

type Other = Pick<AuthorityFacts, 'ref' | 'bundle'> & { readonly unreadable?: unknown }
