// DNS names as they may stand in a certificate: already in the one spelling that verifiers compare (RFC 5280 section 4.2.1.6).
// Used by profiles and by whoever asks for names. Nothing is normalised, and an IP address is never a DNS name.

import { refuse } from './refusal.ts'

/** A valid DNS name, lower case, without a final dot; made only by parseDnsName. */
export type DnsName = string & { readonly __dnsName: unique symbol }

/** RFC 1035 section 2.3.4, in the dotted form without the final dot. */
const MAX_LENGTH = 253
const MAX_LABEL = 63

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

/**
 * Reads a DNS name. A wildcard is the leftmost label alone, stands before two labels at least, and only where `wildcard` allows it
 * (RFC 6125 section 6.4.3). Throws `DnsNameInvalid` (blocked) naming the value, the rule and a remedy.
 */
export function parseDnsName(text: string, options: { wildcard?: boolean } = {}): DnsName {
  const problem = problemOf(text, options.wildcard ?? false)
  if (problem) throw refuse({ reason: 'DnsNameInvalid', what: 'DNS name', value: text, rule: problem[0], remedy: problem[1] })
  return text as DnsName
}

/** The rule that is broken and the remedy. */
function problemOf(text: string, wildcard: boolean): readonly [string, string] | undefined {
  if (text === '') return ['is empty', 'give a name such as web.shop.svc']
  if (text.length > MAX_LENGTH) return [`is longer than ${MAX_LENGTH} characters`, 'shorten it']
  if (text.endsWith('.')) return ['ends with a dot', 'leave the dot out']
  const labels = text.split('.')
  if (labels[0] === '*') {
    if (!wildcard) return ['is a wildcard', 'name each host']
    if (labels.length < 3) return ['is a wildcard for a whole top-level domain', 'name at least two labels after the star']
    labels.shift()
  }
  // Also 127.1 and the like, which some resolvers read as addresses.
  if (labels.every((label) => /^\d+$/.test(label)) || text.includes(':')) return ['is an IP address', 'give a name']
  for (const label of labels) {
    const problem = labelProblem(label)
    if (problem) return problem
  }
  return undefined
}

function labelProblem(label: string): readonly [string, string] | undefined {
  if (label === '') return ['has an empty label', 'write one dot between labels']
  if (label.length > MAX_LABEL) return [`has a label longer than ${MAX_LABEL} characters`, 'shorten that label']
  if (label.includes('*')) return ['has a wildcard that is not the leftmost label alone', 'name each host']
  if (/[A-Z]/.test(label)) return ['holds upper case letters', 'write it in lower case']
  if (label.startsWith('-') || label.endsWith('-')) return ['has a label that begins or ends with a hyphen', 'use hyphens inside only']
  if (!LABEL.test(label)) return ['holds a character that is not allowed', 'use lower case letters, digits and hyphens']
  return undefined
}
