import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseSpiffeId, parseWorkloadId, trustDomainUri, workloadId } from '../../../src/pki/spiffe-id.ts'
import { parseTrustDomain } from '../../../src/pki/trust-domain.ts'
import { accepted, refused } from '../../support/refusals.ts'

const domain = parseTrustDomain('example.org')

describe('a SPIFFE ID', () => {
  it.each([
    ['spiffe://example.org', ''],
    ['spiffe://example.org/ns/shop/sa/web', '/ns/shop/sa/web'],
    ['spiffe://example.org/A.b_c-1/...', '/A.b_c-1/...'],
    [`spiffe://example.org/${'x'.repeat(2027)}`, `/${'x'.repeat(2027)}`],
  ])('is read from %s', (uri, path) => {
    expect(parseSpiffeId(uri)).toEqual({ uri, trustDomain: 'example.org', path })
  })

  it.each([
    ['', /is empty/],
    [`spiffe://example.org/${'x'.repeat(2028)}`, /longer than 2048 characters/],
    ['https://example.org/a', /does not begin with spiffe/],
    ['SPIFFE://example.org/a', /does not begin with spiffe/],
    ['spiffe:/example.org/a', /does not begin with spiffe/],
    ['spiffe:///a', /has no trust domain/],
    ['spiffe://', /has no trust domain/],
    ['spiffe://Example.org/a', /upper case/],
    ['spiffe://example.org:1/a', /port/],
    ['spiffe://u@example.org/a', /user information/],
    ['spiffe://example.org/', /ends with a slash/],
    ['spiffe://example.org/a/', /ends with a slash/],
    ['spiffe://example.org//a', /empty path segment/],
    ['spiffe://example.org/./a', /relative path segment/],
    ['spiffe://example.org/a/..', /relative path segment/],
    ['spiffe://example.org/a?b', /query/],
    ['spiffe://example.org/a#b', /fragment/],
    ['spiffe://example.org/a%20b', /percent-encoding/],
    ['spiffe://example.org/a b', /path with a character/],
    ['spiffe://example.org/ä', /path with a character/],
    ['spiffe://example.org/a\n', /path with a character/],
    ['spiffe://example.org/a\0', /path with a character/],
  ])('is not read from %j', (uri, message) => {
    expect(refused(() => parseSpiffeId(uri))).toMatch(/^SpiffeIdInvalid: SPIFFE ID /)
    expect(refused(() => parseSpiffeId(uri))).toMatch(message)
  })

  it('is accepted after a mutation of one character exactly when the standard allows it', () => {
    const good = 'spiffe://example.org/ns/shop/sa/web'
    fc.assert(
      fc.property(fc.nat(good.length), fc.string({ minLength: 0, maxLength: 2, unit: 'binary' }), (at, by) => {
        const uri = good.slice(0, at) + by + good.slice(at + 1)
        const shape = /^spiffe:\/\/[a-z0-9_-]+(\.[a-z0-9_-]+)*(\/[A-Za-z0-9._-]+)*$/.test(uri)
        const allowed = shape && !/\/\.{1,2}(\/|$)/.test(uri)
        expect(accepted(() => parseSpiffeId(uri))?.uri).toBe(allowed ? uri : undefined)
      }),
      { numRuns: 500 },
    )
  })

  it('of a trust domain has no path', () => {
    expect(parseSpiffeId(trustDomainUri(domain)).path).toBe('')
  })
})

describe("a workload's SPIFFE ID", () => {
  it('is made of trust domain, namespace and service account, and taken apart again', () => {
    const id = workloadId(domain, 'shop', 'web.v1')
    expect(id.uri).toBe('spiffe://example.org/ns/shop/sa/web.v1')
    expect(parseSpiffeId(id.uri)).toEqual(id)
    expect(parseWorkloadId(id.uri)).toEqual({ id, namespace: 'shop', serviceAccount: 'web.v1' })
  })

  it.each([
    ['', 'web', /namespace/],
    ['Shop', 'web', /namespace/],
    ['shop/sa/root', 'web', /namespace/],
    ['shop.x', 'web', /namespace/],
    ['-shop', 'web', /namespace/],
    ['x'.repeat(64), 'web', /namespace/],
    ['shop', '', /service account/],
    ['shop', 'web/../admin', /service account/],
    ['shop', '..', /service account/],
    ['shop', 'web.', /service account/],
    ['shop', 'Web', /service account/],
    ['shop', 'x'.repeat(254), /service account/],
    ['shop', 'web\n', /service account/],
  ])('is not made for namespace %j and account %j', (namespace, account, message) => {
    expect(refused(() => workloadId(domain, namespace, account))).toMatch(message)
  })

  it.each([
    'spiffe://example.org/ns/shop',
    'spiffe://example.org/ns/shop/sa/web/x',
    'spiffe://example.org/x/ns/shop/sa/web',
    'spiffe://example.org/ns/Shop/sa/web',
    'spiffe://example.org/ns/shop/sa/..',
    'spiffe://Example.org/ns/shop/sa/web',
    'https://example.org/ns/shop/sa/web',
    'spiffe://example.org/ns//sa/web',
    'spiffe://example.org/ns/shop/sa/web\n',
    '',
  ])('is not found in %j', (uri) => {
    expect(parseWorkloadId(uri)).toBeUndefined()
  })

  it('found in any text is one that would be made from its parts', () => {
    const part = fc.string({ unit: fc.constantFrom('a', '-', '.', '/', 'A', '0'), maxLength: 4 })
    fc.assert(
      fc.property(part, part, part, (name, namespace, account) => {
        const found = parseWorkloadId(`spiffe://${name}/ns/${namespace}/sa/${account}`)
        if (found) expect(workloadId(parseTrustDomain(name), namespace, account)).toEqual(found.id)
        else expect(accepted(() => workloadId(parseTrustDomain(name), namespace, account))).toBeUndefined()
      }),
      { numRuns: 500 },
    )
  })
})
