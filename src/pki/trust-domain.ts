// Trust domain names (SPIFFE-ID section 2.1), the `example.org` of spiffe://example.org/ns/shop/sa/web.
// Used by settings, the API objects and SPIFFE IDs. Nothing is normalised: a name that is not right is refused.

import { refuse } from './refusal.ts'

/** A valid trust domain name; made only by parseTrustDomain. */
export type TrustDomain = string & { readonly __trustDomain: unique symbol }

/** SPIFFE-ID section 2.3: at most 255 bytes. */
const MAX_LENGTH = 255

/** What is wrong with a name, most telling first: the first rule that fires gives the message. */
const RULES: readonly { readonly broken: (text: string) => boolean; readonly rule: string; readonly remedy: string }[] = [
  { broken: (text) => text === '', rule: 'is empty', remedy: 'give a name such as example.org' },
  {
    broken: (text) => text.length > MAX_LENGTH,
    rule: `is longer than ${MAX_LENGTH} characters`,
    remedy: `use 1 to ${MAX_LENGTH} characters`,
  },
  { broken: (text) => text.includes('://'), rule: 'holds a scheme', remedy: 'give the name alone, without spiffe://' },
  { broken: (text) => text.includes('/'), rule: 'holds a path', remedy: 'give the name alone, without a slash' },
  { broken: (text) => text.includes('@'), rule: 'holds user information', remedy: 'give the name alone, without @' },
  { broken: (text) => text.includes(':'), rule: 'holds a port', remedy: 'give the name alone, without a colon' },
  { broken: (text) => /[A-Z]/.test(text), rule: 'holds upper case letters', remedy: 'write it in lower case' },
  {
    broken: (text) => !/^[a-z0-9._-]+$/.test(text),
    rule: 'holds a character that is not allowed',
    remedy: 'use lower case letters, digits, dots, hyphens and underscores',
  },
  // The standard allows empty labels, but Go's crypto/x509 refuses any certificate with such a host in a URI SAN.
  {
    broken: (text) => text.split('.').includes(''),
    rule: 'begins or ends with a dot, or holds two in a row',
    remedy: 'put something between the dots',
  },
]

/** Reads a trust domain name. Throws `TrustDomainInvalid` (blocked) naming the value, the rule and a remedy. */
export function parseTrustDomain(text: string): TrustDomain {
  const broken = RULES.find((rule) => rule.broken(text))
  if (broken) throw refuse({ reason: 'TrustDomainInvalid', what: 'trust domain', value: text, rule: broken.rule, remedy: broken.remedy })
  return text as TrustDomain
}
