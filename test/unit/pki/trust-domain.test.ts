import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseTrustDomain } from '../../../src/pki/trust-domain.ts'
import { accepted, refused } from '../../support/refusals.ts'

describe('a trust domain', () => {
  it.each(['example.org', 'cluster.local', 'a', 'my_domain-1.x', '1.2.3.4', 'x'.repeat(255)])('may be %s', (text) => {
    expect(parseTrustDomain(text)).toBe(text)
  })

  it.each([
    ['', /is empty/],
    ['x'.repeat(256), /longer than 255 .*1 to 255/],
    ['Example.org', /"Example.org" holds upper case/],
    ['example.org:8443', /holds a port/],
    ['example.org/', /holds a path/],
    ['spiffe://example.org', /holds a scheme.*without spiffe/],
    ['user@example.org', /holds user information/],
    ['exa mple.org', /not allowed/],
    ['exämple.org', /not allowed/],
    ['example.org\n', /"example.org\\n" holds a character that is not allowed/],
    ['example\0.org', /not allowed/],
    ['ex%61mple.org', /not allowed/],
    ['.example.org', /a dot/],
    ['example.org.', /a dot/],
    ['example..org', /a dot/],
  ])('is not %j', (text, message) => {
    expect(refused(() => parseTrustDomain(text))).toMatch(/^TrustDomainInvalid: trust domain /)
    expect(refused(() => parseTrustDomain(text))).toMatch(message)
  })

  it('is accepted after a mutation of one character exactly when the rule allows it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('example.org', 'a_b-c.d1'),
        fc.nat(10),
        fc.string({ minLength: 0, maxLength: 2, unit: 'binary' }),
        (good, at, by) => {
          const text = good.slice(0, at) + by + good.slice(at + 1)
          const allowed = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(text) && !text.endsWith('\n')
          expect(accepted(() => parseTrustDomain(text))).toBe(allowed ? text : undefined)
        },
      ),
    )
  })
})
