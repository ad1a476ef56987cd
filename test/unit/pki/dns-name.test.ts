import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseDnsName } from '../../../src/pki/dns-name.ts'
import { accepted, refused } from '../../support/refusals.ts'

const longest = `${`${'x'.repeat(63)}.`.repeat(3)}${'x'.repeat(61)}`

describe('a DNS name', () => {
  it.each(['web', 'web.shop', 'web.shop.svc.cluster.local', 'a-b.c1', '1a.2', 'web.123', 'xn--bcher-kva.example', longest])(
    'may be %s',
    (text) => {
      expect(parseDnsName(text)).toBe(text)
    },
  )

  it.each([
    ['', /is empty/],
    [`${longest}x`, /longer than 253 characters/],
    [`${'x'.repeat(64)}.svc`, /label longer than 63/],
    ['web.shop.', /ends with a dot/],
    ['web..shop', /empty label/],
    ['.web', /empty label/],
    ['Web.shop', /upper case/],
    ['web_1.shop', /not allowed/],
    ['web\0.shop', /not allowed/],
    ['web.shop\n', /not allowed/],
    ['web shop', /not allowed/],
    ['wéb', /not allowed/],
    ['-web.shop', /hyphen/],
    ['web-.shop', /hyphen/],
    ['10.0.0.1', /IP address/],
    ['127.1', /IP address/],
    ['0.0.0.0', /IP address/],
    ['::1', /IP address/],
    ['*.web.shop.svc', /is a wildcard: name each host/],
  ])('is not %j', (text, message) => {
    expect(refused(() => parseDnsName(text))).toMatch(/^DnsNameInvalid: DNS name /)
    expect(refused(() => parseDnsName(text))).toMatch(message)
  })

  it('may be a wildcard where that is allowed', () => {
    expect(parseDnsName('*.web.shop.svc', { wildcard: true })).toBe('*.web.shop.svc')
    expect(parseDnsName('*.web.shop', { wildcard: true })).toBe('*.web.shop')
  })

  it.each([
    ['*', /top-level/],
    ['*.local', /top-level/],
    ['w*.shop.svc', /leftmost/],
    ['web.*.svc', /leftmost/],
    ['*.*.svc', /leftmost/],
    ['**.shop.svc', /leftmost/],
    ['*.1.2.3', /IP address/],
  ])('is not the wildcard %j even there', (text, message) => {
    expect(refused(() => parseDnsName(text, { wildcard: true }))).toMatch(message)
  })

  it('is accepted after a mutation of one character exactly when the rule allows it', () => {
    const good = 'web-1.shop.svc'
    fc.assert(
      fc.property(fc.nat(good.length), fc.string({ minLength: 0, maxLength: 2, unit: 'binary' }), (at, by) => {
        const text = good.slice(0, at) + by + good.slice(at + 1)
        const allowed = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(text)
        expect(accepted(() => parseDnsName(text))).toBe(allowed ? text : undefined)
      }),
      { numRuns: 500 },
    )
  })
})
