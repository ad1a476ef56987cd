// May an identity go over to its new authority now? Its peers must accept it first, and have had the time to. Pure.

import { authorityText } from '../../../api/names.ts'
import { seconds } from '../../../base/duration.ts'
import { formatInstant, type Instant } from '../../../base/instant.ts'
import type { AuthorityFacts } from '../../authority-facts.ts'
import type { Readiness } from '../../readiness.ts'
import type { IdentityFacts } from '../facts.ts'
import { servingSecret } from '../ownership.ts'
import { PROPAGATION_DELAY } from '../propagation.ts'

/** Peers are looked at again so often: what they hold wakes nobody else. */
const LOOK_AGAIN = seconds(15)

/** Undefined: nothing holds it. */
export function heldBySwitch(facts: IdentityFacts, now: Instant): (Readiness & { readonly next: Instant }) | undefined {
  const { switching, authority } = facts
  if (!switching || !authority) return undefined
  const { from, peersNotReady, acceptedSince, until } = switching
  const [to, old] = [authorityText(authority.ref), authorityText(from.ref)]
  if (!from.bundle && until > now) {
    const message = `the published bundle of ${old} cannot be read, so whether its peers accept ${to} cannot be told: the Secret stays as it is`
    return { state: 'waiting', reason: 'TrustOutdated', message, next: Math.min(until, now + LOOK_AGAIN) }
  }
  // Nobody can renew what the old one signed. It may be back, and its peers accept what they have; but just before the end of that, waiting longer
  // would leave a certificate that nobody accepts.
  const lastChance = signs(from, now) ? Number.POSITIVE_INFINITY : servingSecret(facts) ? until - PROPAGATION_DELAY : now
  if (lastChance <= now) return undefined
  const seen = 'identities of other namespaces are not seen'
  if (peersNotReady.length > 0) {
    const names = `${peersNotReady.slice(0, 5).join(', ')}${peersNotReady.length > 5 ? ` and ${peersNotReady.length - 5} more` : ''}`
    const goesOn = signs(from, now)
      ? `${old} goes on`
      : `${old} cannot sign just now, and its certificate stays until shortly before its end, or`
    const message = `${goesOn} until the identities of this namespace that live by it accept ${to}: list it in spec.trust.additionalAuthorities (pooled, where programs read ca.crt) of ${names}; ${seen}`
    return { state: 'waiting', reason: 'PeersNotReady', message, next: Math.min(lastChance, now + LOOK_AGAIN) }
  }
  const readyAt = acceptedSince + PROPAGATION_DELAY
  if (acceptedSince === 0 || readyAt <= now) return undefined
  const message = `all peers of this namespace accept ${to}; ${old} goes on until ${formatInstant(readyAt)}, when their programs have read it; ${seen}`
  return { state: 'waiting', reason: 'PeersNotReady', message, next: Math.min(readyAt, now + LOOK_AGAIN) }
}

const signs = ({ signing }: AuthorityFacts, now: Instant): boolean => signing !== undefined && signing.notAfter > now
