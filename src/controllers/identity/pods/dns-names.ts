// Which DNS names go into a certificate: those of Services, and extra ones that the authority allows. Pure.
// Whoever holds a certificate for a name can be taken for whatever has that name, so nothing is allowed that is not listed.

import { authorityText } from '../../../api/names.ts'
import { messageOf } from '../../../base/errors.ts'
import { type DnsName, parseDnsName } from '../../../pki/dns-name.ts'
import type { AuthorityFacts } from '../../authority-facts.ts'
import type { Readiness } from '../../readiness.ts'
import type { IdentityFacts } from '../facts.ts'

/** Names in one certificate at most: beyond it TLS handshakes grow past what servers take in one flight many times over. */
export const MAX_DNS_NAMES = 400

/** Sorted, each once; a Readiness says which name is refused and why. */
export function dnsNamesAsked(facts: IdentityFacts, authority: AuthorityFacts): readonly DnsName[] | Readiness {
  const ofServices = [...facts.serviceDnsNames, ...(authority.shortServiceNames ? facts.shortServiceNames : [])]
  const extra: DnsName[] = []
  for (const text of facts.identity.spec.certificate.dnsNames) {
    const name = extraName(text, facts, authority)
    if (typeof name !== 'string') return name
    extra.push(name)
  }
  const names = [...new Set([...ofServices, ...extra])].sort()
  return names.length > MAX_DNS_NAMES ? tooMany(names.length) : names
}

function extraName(text: string, facts: IdentityFacts, authority: AuthorityFacts): DnsName | Readiness {
  const name = parsed(text)
  if ('problem' in name) return notAllowed(text, name.problem)
  const rule = clusterNameProblem(text, facts)
  if (rule !== undefined) return notAllowed(text, rule)
  if (authority.allowedDNSNames.some((pattern) => matchesPattern(text, pattern))) return name.value
  const list = authority.allowedDNSNames.slice(0, 5).join(', ') || 'none'
  const who = authorityText(authority.ref)
  return notAllowed(
    text,
    `is not among those that ${who} allows (spec.policy.allowedDNSNames: ${list}): have it added, or leave the name out`,
  )
}

/** What is no DNS name was stored before the schema refused it. */
function parsed(text: string): { readonly value: DnsName } | { readonly problem: string } {
  try {
    return { value: parseDnsName(text) }
  } catch (error) {
    return { problem: messageOf(error) }
  }
}

/** Names that mean something in the cluster come from Services alone, whatever a list allows. */
function clusterNameProblem(name: string, { foreignServiceNames, clusterSuffixes }: IdentityFacts): string | undefined {
  if (!name.includes('.')) return 'is a bare name, which means another Service in each namespace: give a name with a dot'
  const suffix = clusterSuffixes.find((domain) => name === domain || name.endsWith(`.${domain}`))
  if (suffix !== undefined)
    return `ends with ${suffix}: names of Services come from the Services that cover the pods (certificate.serviceNames)`
  if (!foreignServiceNames.includes(name)) return undefined
  return 'is how a Service of another namespace is called: leave it out'
}

/** `*.` stands for one label. */
function matchesPattern(name: string, pattern: string): boolean {
  if (!pattern.startsWith('*.')) return name === pattern
  const dot = name.indexOf('.')
  return dot > 0 && name.slice(dot + 1) === pattern.slice(2)
}

function notAllowed(name: string, rule: string): Readiness {
  return { state: 'refused', reason: 'DNSNameNotAllowed', message: `certificate.dnsNames ${name}: ${rule}` }
}

function tooMany(count: number): Readiness {
  const message = `${count} DNS names are more than the ${MAX_DNS_NAMES} one certificate may hold: narrow podSelector, set certificate.serviceNames to None, or shorten certificate.dnsNames`
  return { state: 'refused', reason: 'TooManyNames', message }
}
