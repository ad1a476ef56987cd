// What the API server makes of our kinds: it refuses bad objects with the rule in the message, sets defaults, keeps trust domains as they
// were, and prints the columns. Against a real API server; no controller runs.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type ControlPlane, startControlPlane } from '../../scripts/control-plane/index.ts'
import { DURATION_PATTERN, MAX_DURATION_LENGTH } from '../../src/api/duration-schema.ts'
import { hours, minutes, parseDuration } from '../../src/base/duration.ts'
import { type Answer, type Call, createCaller, installDefinitions, MERGE_PATCH } from '../support/api-caller.ts'

const API = '/apis/mutualidentity.io/v1alpha1'
const IDENTITIES = `${API}/namespaces/default/mutualidentities`
const AUTHORITIES = `${API}/clustermutualauthorities`

let plane: ControlPlane
let call: Call

beforeAll(async () => {
  plane = await startControlPlane({ controllerManager: false })
  call = createCaller(plane)
  await installDefinitions(call)
})

afterAll(async () => {
  await plane?.stop()
})

let count = 0
const freshName = (): string => `it-${++count}`

const identity = (spec: unknown, name = freshName()): object => ({
  apiVersion: 'mutualidentity.io/v1alpha1',
  kind: 'MutualIdentity',
  metadata: { name },
  spec,
})
const authority = (spec: unknown, name = freshName()): object => ({
  apiVersion: 'mutualidentity.io/v1alpha1',
  kind: 'ClusterMutualAuthority',
  metadata: { name },
  spec,
})

const createIdentity = (spec: unknown, name?: string): Promise<Answer> => call('POST', IDENTITIES, identity(spec, name))
const createAuthority = (spec: unknown, name?: string): Promise<Answer> => call('POST', AUTHORITIES, authority(spec, name))

const selecting = (podSelector: unknown): object => ({ podSelector })
const requiring = (...matchExpressions: unknown[]): object => selecting({ matchExpressions })
const lasting = (lifetime: unknown): object => ({ podSelector: {}, certificate: { lifetime } })

const NAME_RULE = /metadata\.name: Invalid value: ".*": metadata\.name in body should match '\^\[a-z0-9-\]\+\$'/
const NAME_LENGTH_RULE = /metadata\.name: Too long: may not be more than 52 bytes/
const KEY_RULE = /must be a label key/
const VALUE_RULE = /must be a label value/
const LIFETIME_RULE = /must be a duration from 1m to 8760h, such as 24h: numbers with the units h, m, s or ms \(there are no days\)/
const ROOT_RULE = /must be a duration from 3h1m to 87600h/
const ACCOUNT_RULE = /must be the name of a service account/
const TRUST_DOMAIN_RULE = /must be a trust domain \(SPIFFE-ID 2\.1\)/

const EVERYTHING = {
  podSelector: {},
  authorityRef: { kind: 'MutualAuthority', name: 'internal' },
  certificate: { lifetime: '24h', renewBefore: '8h', dnsNames: ['web.example.org', 'a-1.b'] },
  delivery: {
    secretName: 'web.tls',
    formats: ['CombinedPEM', 'SPIFFE', 'PKCS12', 'JKS', 'DER'],
    keystorePasswordRef: { name: 'password', key: 'value' },
    secretTemplate: { labels: { team: 'a', 'app.kubernetes.io/part-of': 'shop' }, annotations: { 'example.org/note': 'any text' } },
  },
  trust: { additionalAuthorities: [{ name: 'edge' }, { kind: 'MutualAuthority', name: 'edge', pooled: true }] },
  restart: { onRenewal: true },
}

const certificateOf = (certificate: object): object => ({ podSelector: {}, certificate })
const deliveryOf = (delivery: object): object => ({ podSelector: {}, delivery })
const labelled = (key: string): object => deliveryOf({ secretTemplate: { labels: { [key]: 'x' } } })
const annotated = (key: string): object => deliveryOf({ secretTemplate: { annotations: { [key]: 'x' } } })
const RENEW_RULE = /must be from 5 % to 80 % of lifetime 24h/
const BAD_IDENTITIES: [string, object, RegExp][] = [
  ['a renewal too late to try again', certificateOf({ lifetime: '24h', renewBefore: '1h' }), RENEW_RULE],
  ['a renewal too early', certificateOf({ lifetime: '24h', renewBefore: '20h' }), RENEW_RULE],
  ['a renewal in days', certificateOf({ renewBefore: '1d' }), /must be a duration from 3s to 7008h/],
  ['a DNS name that is a wildcard', certificateOf({ dnsNames: ['*.example.org'] }), /must be a DNS name without wildcard/],
  ['a DNS name in upper case', certificateOf({ dnsNames: ['Web.example.org'] }), /must be a DNS name without wildcard/],
  ['a DNS name with a final dot', certificateOf({ dnsNames: ['web.example.org.'] }), /must be a DNS name without wildcard/],
  ['a DNS name with an underscore', certificateOf({ dnsNames: ['we_b.example.org'] }), /must be a DNS name without wildcard/],
  ['a DNS name with a NUL', certificateOf({ dnsNames: ['web.example.org\u0000.evil'] }), /must be a DNS name without wildcard/],
  ['a DNS label of 64 characters', certificateOf({ dnsNames: [`${'a'.repeat(64)}.example.org`] }), /must be a DNS name without wildcard/],
  [
    '2,000 DNS names',
    certificateOf({ dnsNames: Array.from({ length: 2000 }, (_, index) => `a${index}.example.org`) }),
    /must have at most 64 items/,
  ],
  ['a DNS name twice', certificateOf({ dnsNames: ['a.b', 'a.b'] }), /Duplicate value: "a\.b"/],
  ['an unknown format', deliveryOf({ formats: ['PEM'] }), /Unsupported value: "PEM"/],
  ['a Secret name with a slash', deliveryOf({ secretName: 'a/b' }), /must be the name of a Secret/],
  [
    'a password under a key that no Secret has',
    deliveryOf({ keystorePasswordRef: { name: 'password', key: 'a\u001b[2J\nb' } }),
    /keystorePasswordRef\.key: Invalid value: .*must be a key of a Secret/s,
  ],
  ['a password without a key', deliveryOf({ keystorePasswordRef: { name: 'password' } }), /keystorePasswordRef\.key: Required value/],
  ['a label of ours', labelled('mutualidentity.io/role'), /key 'mutualidentity\.io\/role' is reserved/],
  ['a label below ours', labelled('x.mutualidentity.io/role'), /is reserved/],
  ['the label that says who manages', labelled('app.kubernetes.io/managed-by'), /is reserved/],
  ['a label of Kubernetes', labelled('node.kubernetes.io/x'), /is reserved/],
  ['an annotation of ours', annotated('mutualidentity.io/renew-at'), /key 'mutualidentity\.io\/renew-at' is reserved/],
  ['an annotation of kubectl', annotated('kubectl.kubernetes.io/last-applied-configuration'), /is reserved/],
  ['an annotation that is no key', annotated('a b'), /key 'a b' must be a label key/],
  ['an authority of an unknown kind', { podSelector: {}, authorityRef: { kind: 'Issuer', name: 'x' } }, /Unsupported value: "Issuer"/],
  [
    'an authority of another namespace',
    { podSelector: {}, authorityRef: { kind: 'MutualAuthority', name: 'x', namespace: 'y' } },
    /unknown field "spec\.authorityRef\.namespace"/,
  ],
  [
    'an additional authority twice',
    { podSelector: {}, trust: { additionalAuthorities: [{ name: 'a' }, { name: 'a' }] } },
    /Duplicate value/,
  ],
]

describe('a MutualIdentity', () => {
  it.each<[string, unknown, RegExp]>([
    ['no spec', undefined, /spec: Required value/],
    ['no selector', {}, /spec\.podSelector: Required value/],
    ['a selector that is null', selecting(null), /spec\.podSelector: (Required|Invalid) value/],
    ['a selector that is a text', selecting('app=web'), /spec\.podSelector: Invalid value: "string"/],
    ['a label key with a blank', selecting({ matchLabels: { 'my app': 'web' } }), /key 'my app' must be a label key/],
    ['an empty label key', selecting({ matchLabels: { '': 'web' } }), KEY_RULE],
    ['a label key with two slashes', selecting({ matchLabels: { 'a/b/c': 'web' } }), KEY_RULE],
    ['a label key whose prefix is in upper case', selecting({ matchLabels: { 'Example.org/app': 'web' } }), KEY_RULE],
    ['a label key of 64 characters', selecting({ matchLabels: { ['k'.repeat(64)]: 'web' } }), KEY_RULE],
    ['a label key whose prefix has 254 characters', selecting({ matchLabels: { [`${'k'.repeat(254)}/app`]: 'web' } }), KEY_RULE],
    ['a label value with a blank', selecting({ matchLabels: { app: 'my web' } }), /"my web": must be a label value/],
    ['a label value that ends in a dot', selecting({ matchLabels: { app: 'web.' } }), VALUE_RULE],
    ['a label value of 64 characters', selecting({ matchLabels: { app: 'v'.repeat(64) } }), /may not be more than 63/],
    ['a label value that is a number', selecting({ matchLabels: { app: 1 } }), /must be of type string: "integer"/],
    [
      '33 labels',
      selecting({ matchLabels: Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`l${index}`, 'v'])) }),
      /must have at most 32 items/,
    ],
    [
      'an unknown operator',
      requiring({ key: 'app', operator: 'Equals', values: ['web'] }),
      /Unsupported value: "Equals": supported values: "In", "NotIn"/,
    ],
    ['an operator in lower case', requiring({ key: 'app', operator: 'in', values: ['web'] }), /Unsupported value: "in"/],
    ['a requirement without operator', requiring({ key: 'app' }), /operator: Required value/],
    ['a requirement without key', requiring({ operator: 'Exists' }), /key: Required value/],
    ['a requirement with an empty key', requiring({ key: '', operator: 'Exists' }), KEY_RULE],
    ['In without values', requiring({ key: 'app', operator: 'In' }), /operator In needs at least one value in values/],
    [
      'NotIn with an empty list',
      requiring({ key: 'app', operator: 'NotIn', values: [] }),
      /operator NotIn needs at least one value in values/,
    ],
    [
      'Exists with values',
      requiring({ key: 'app', operator: 'Exists', values: ['web'] }),
      /operator Exists takes no values: leave values out/,
    ],
    [
      'DoesNotExist with values',
      requiring({ key: 'app', operator: 'DoesNotExist', values: ['web'] }),
      /operator DoesNotExist takes no values/,
    ],
    ['a requirement with a bad value', requiring({ key: 'app', operator: 'In', values: ['web', '-'] }), VALUE_RULE],
    ['a requirement with a bad key', requiring({ key: 'app/', operator: 'Exists' }), KEY_RULE],
    ['17 requirements', requiring(...Array.from({ length: 17 }, () => ({ key: 'app', operator: 'Exists' }))), /must have at most 16 items/],
    ['a lifetime of nothing', lasting('0s'), LIFETIME_RULE],
    ['a negative lifetime', lasting('-1h'), LIFETIME_RULE],
    ['a lifetime in days', lasting('90d'), /"90d": must be a duration/],
    ['a lifetime without unit', lasting('24'), LIFETIME_RULE],
    ['an empty lifetime', lasting(''), LIFETIME_RULE],
    ['a lifetime that is a number', lasting(24), /must be of type string: "integer"/],
    ['a lifetime with a blank', lasting('1h 30m'), LIFETIME_RULE],
    ['a lifetime in upper case', lasting('24H'), LIFETIME_RULE],
    ['a lifetime of nanoseconds', lasting('90000000000ns'), LIFETIME_RULE],
    ['a lifetime with a bare fraction', lasting('.5h'), LIFETIME_RULE],
    ['a lifetime below a minute', lasting('59s'), LIFETIME_RULE],
    ['a lifetime above a year', lasting('8761h'), LIFETIME_RULE],
    ['a lifetime of 200 years', lasting('1752000h'), LIFETIME_RULE],
    ['a lifetime beyond what a duration holds', lasting('999999999999h'), LIFETIME_RULE],
    ['a lifetime of 1,000 characters', lasting('1m'.repeat(500)), /may not be more than 20/],
    [
      'an unknown key type',
      { podSelector: {}, certificate: { keyType: 'RSA1024' } },
      /Unsupported value: "RSA1024": supported values: "ECDSAP256"/,
    ],
    [
      'an unknown way to find names',
      { podSelector: {}, certificate: { serviceNames: 'All' } },
      /Unsupported value: "All": supported values: "Auto", "None"/,
    ],
    ['a service account in upper case', { podSelector: {}, serviceAccountName: 'Web' }, /"Web": must be the name of a service account/],
    ['an empty service account', { podSelector: {}, serviceAccountName: '' }, ACCOUNT_RULE],
    ['a service account with a slash', { podSelector: {}, serviceAccountName: 'web/../admin' }, ACCOUNT_RULE],
    ['a service account with a colon', { podSelector: {}, serviceAccountName: 'system:admin' }, ACCOUNT_RULE],
    ['a service account of 254 characters', { podSelector: {}, serviceAccountName: 'a'.repeat(254) }, /may not be more than 253/],
    [
      'an authority of another kind',
      { podSelector: {}, authorityRef: { kind: 'Issuer' } },
      /Unsupported value: "Issuer": supported values: "ClusterMutualAuthority"/,
    ],
    [
      'an authority of another namespace',
      { podSelector: {}, authorityRef: { name: 'default', namespace: 'other' } },
      /unknown field "spec\.authorityRef\.namespace"/,
    ],
    [
      'an authority whose name has a dot',
      { podSelector: {}, authorityRef: { name: 'a.b' } },
      /"a\.b": the name of an authority must be a DNS label/,
    ],
    ['an unknown field', { podSelector: {}, podselector: {} }, /unknown field "spec\.podselector"/],
    ['a field that does not work yet', { podSelector: {}, delivery: { mode: 'Secret' } }, /unknown field "spec\.delivery\.mode"/],
    ...BAD_IDENTITIES,
  ])('with %s is refused', async (_what, spec, rule) => {
    const { code, message } = await createIdentity(spec)
    expect(message).toMatch(rule)
    expect([400, 422]).toContain(code)
  })

  it.each([
    ['a name with a dot', 'shop.payments', NAME_RULE],
    ['a name of 53 characters', 'n'.repeat(53), NAME_LENGTH_RULE],
  ])('with %s is refused', async (_what, name, rule) => {
    const { code, message } = await createIdentity(selecting({}), name)
    expect(message).toMatch(rule)
    expect(message).toContain(name)
    expect(code).toBe(422)
  })

  it('of another version is not known', async () => {
    const object = { ...identity(selecting({})), apiVersion: 'mutualidentity.io/v1' }
    expect((await call('POST', IDENTITIES.replace('v1alpha1', 'v1'), object)).code).toBe(404)
  })

  it('is refused with nothing but the rule that it breaks', async () => {
    const { message } = await createIdentity(lasting('90d'))
    expect(message).not.toMatch(/evaluating rule|call arguments|some validation rules were not checked/)
    expect(message.match(/spec\./g)).toHaveLength(1)
  })

  it.each<[string, object]>([
    ['an empty selector', selecting({})],
    [
      'every operator',
      requiring(
        { key: 'app', operator: 'In', values: ['web', ''] },
        { key: 'example.org/tier', operator: 'NotIn', values: ['b'] },
        { key: 'x', operator: 'Exists' },
        { key: 'y', operator: 'DoesNotExist', values: [] },
      ),
    ],
    [
      'labels at the limits',
      selecting({
        matchLabels: { [`${`${'a'.repeat(61)}.`.repeat(4)}abcde/${'k'.repeat(63)}`]: 'v'.repeat(63), e: '', 'A_b.c': 'D-e_f.g' },
      }),
    ],
    ['a lifetime in several units', lasting('1h30m0.5s')],
    ['a lifetime in seconds', lasting('31536000s')],
    ['a lifetime as Go prints it', lasting('8760h0m0s')],
    ['everything set', EVERYTHING],
    ['a service account with dots', { podSelector: {}, serviceAccountName: 'build.robot-1' }],
  ])('with %s is accepted', async (_what, spec) => {
    expect(await createIdentity(spec)).toMatchObject({ code: 201 })
  })

  it('with a name of 52 characters is accepted', async () => {
    expect((await createIdentity(selecting({}), 'n'.repeat(52))).code).toBe(201)
  })

  it('stays as it was written where nothing else was said', async () => {
    const { body } = await createIdentity(selecting({ matchLabels: { app: 'payments' } }))
    expect(body.spec).toEqual({ podSelector: { matchLabels: { app: 'payments' } } })
  })

  it('may have the largest selector there is', async () => {
    const key = (index: number) => `${'a'.repeat(250)}${String(index).padStart(3, '0')}/${'k'.repeat(63)}`
    const values = Array.from({ length: 64 }, (_, index) => `${'v'.repeat(60)}${String(index).padStart(3, '0')}`)
    const podSelector = {
      matchLabels: Object.fromEntries(Array.from({ length: 32 }, (_, index) => [key(index), 'v'.repeat(63)])),
      matchExpressions: Array.from({ length: 16 }, (_, index) => ({ key: key(index), operator: 'In', values })),
    }
    expect(await createIdentity(selecting(podSelector))).toMatchObject({ code: 201 })
  })

  it('may have exactly the lifetimes that our parser reads, within the bounds', async () => {
    const accepts = async (lifetime: string): Promise<boolean> =>
      (await call('POST', `${IDENTITIES}?dryRun=All`, identity(lasting(lifetime)))).code === 201
    const shape = new RegExp(`^${DURATION_PATTERN}$`)
    const parts = fc.array(
      fc.tuple(fc.nat(9999), fc.constantFrom('', '.5', '.25', '.125'), fc.constantFrom('h', 'm', 's', 'ms', 'us', 'd', '')),
      {
        minLength: 1,
        maxLength: 3,
      },
    )
    await fc.assert(
      fc.asyncProperty(parts, async (generated) => {
        const lifetime = generated.flat().join('')
        const ms = lifetime.length <= MAX_DURATION_LENGTH && shape.test(lifetime) ? parseDuration(lifetime) : undefined
        expect(await accepts(lifetime)).toBe(ms !== undefined && ms >= minutes(1) && ms <= hours(8760))
      }),
    )
  })

  it('gets the defaults beside what it says', async () => {
    const { body } = await createIdentity({ podSelector: {}, authorityRef: { name: 'other' }, certificate: { keyType: 'ED25519' } })
    expect(body.spec).toMatchObject({
      authorityRef: { kind: 'ClusterMutualAuthority', name: 'other' },
      certificate: { keyType: 'ED25519', serviceNames: 'Auto' },
    })
  })
})

describe('a ClusterMutualAuthority', () => {
  it.each<[string, unknown, RegExp]>([
    ['no spec', undefined, /spec: Required value/],
    ['a trust domain in upper case', { trustDomain: 'Example.org' }, /"Example\.org": must be a trust domain/],
    ['a trust domain with a port', { trustDomain: 'example.org:8443' }, TRUST_DOMAIN_RULE],
    ['a trust domain with a path', { trustDomain: 'example.org/prod' }, TRUST_DOMAIN_RULE],
    ['a trust domain with a scheme', { trustDomain: 'spiffe://example.org' }, TRUST_DOMAIN_RULE],
    ['a trust domain with user information', { trustDomain: 'me@example.org' }, TRUST_DOMAIN_RULE],
    ['a trust domain with percent encoding', { trustDomain: 'ex%61mple.org' }, TRUST_DOMAIN_RULE],
    ['a trust domain outside ASCII', { trustDomain: 'bücher.example' }, TRUST_DOMAIN_RULE],
    ['a trust domain that ends in a dot', { trustDomain: 'example.org.' }, TRUST_DOMAIN_RULE],
    ['an empty trust domain', { trustDomain: '' }, TRUST_DOMAIN_RULE],
    ['a trust domain of 256 characters', { trustDomain: 'a'.repeat(256) }, /may not be more than 255/],
    ['an unknown CA key type', { selfManaged: { keyType: 'RSA2048' } }, /Unsupported value: "RSA2048"/],
    ['a root that leaves no time to announce its successor', { selfManaged: { rootLifetime: '3h' }, leaf: { lifetime: '20m' } }, ROOT_RULE],
    ['a root of 200 years', { selfManaged: { rootLifetime: '1752000h' } }, ROOT_RULE],
    ['a root lifetime in days', { selfManaged: { rootLifetime: '90d' } }, ROOT_RULE],
    ['a lifetime of nothing', { leaf: { lifetime: '0h' } }, LIFETIME_RULE],
    ['a smallest lifetime below a minute', { leaf: { minLifetime: '30s' } }, LIFETIME_RULE],
    [
      'a lifetime below the smallest',
      { leaf: { lifetime: '5m' } },
      /spec\.leaf\.lifetime: Invalid value: lifetime 5m is below minLifetime 10m: lower minLifetime \(1m at least\) or raise lifetime/,
    ],
    [
      'a lifetime above the largest',
      { leaf: { maxLifetime: '12h' } },
      /spec\.leaf\.lifetime: Invalid value: lifetime 24h is above maxLifetime 12h/,
    ],
    [
      'a lifetime above a sixth of the root',
      { selfManaged: { rootLifetime: '100h' } },
      /leaf\.lifetime 24h is more than a sixth of selfManaged\.rootLifetime 100h/,
    ],
    [
      'a largest lifetime above a sixth of the root',
      { leaf: { maxLifetime: '361h' } },
      /leaf\.maxLifetime 361h is more than a sixth of selfManaged\.rootLifetime 2160h/,
    ],
    ['no key type at all', { leaf: { keyTypes: [] } }, /should have at least 1 items/],
    ['an unknown key type', { leaf: { keyTypes: ['ED448'] } }, /Unsupported value: "ED448"/],
    ['a key type twice', { leaf: { keyTypes: ['ED25519', 'ED25519'] } }, /Duplicate value: "ED25519"/],
    ['no namespace at all', { policy: { allowedNamespaces: [] } }, /should have at least 1 items/],
    ['a pattern for a namespace', { policy: { allowedNamespaces: ['team-*'] } }, /"team-\*": the name of a namespace must be a DNS label/],
    ['an unknown field', { selfManaged: { rootlifetime: '100h' } }, /unknown field "spec\.selfManaged\.rootlifetime"/],
    ['two back ends', { caSecret: { name: 'ca' }, selfManaged: {} }, /selfManaged and caSecret cannot both be given/],
    ['a CA Secret without a name', { caSecret: {} }, /spec\.caSecret\.name: Required value/],
    ['a CA Secret with a name of upper case', { caSecret: { name: 'Mine' } }, /"Mine": must be the name of a Secret/],
    [
      'a lifetime above a sixth of the root that nobody named',
      { leaf: { lifetime: '400h' } },
      /leaf\.lifetime 400h is more than a sixth of selfManaged\.rootLifetime 2160h/,
    ],
    [
      'a star in the middle of a DNS name',
      { policy: { allowedDNSNames: ['web.*.org'] } },
      /"web\.\*\.org": must be a DNS name in lower case/,
    ],
    ['a star alone', { policy: { allowedDNSNames: ['*'] } }, /"\*": must be a DNS name/],
    ['policy Selector without a selector', { trustBundle: { namespaces: { policy: 'Selector' } } }, /policy Selector needs a selector/],
    ['a selector that nobody reads', { trustBundle: { namespaces: { policy: 'All', selector: {} } } }, /policy All takes no selector/],
    ['a back end that does not work yet', { vault: { address: 'https://vault' } }, /unknown field "spec\.vault"/],
  ])('with %s is refused', async (_what, spec, rule) => {
    const { code, message } = await createAuthority(spec)
    expect(message).toMatch(rule)
    expect([400, 422]).toContain(code)
  })

  it('with a name that has a dot is refused', async () => {
    expect((await createAuthority({}, 'a.b')).message).toMatch(NAME_RULE)
  })

  it('is refused with nothing but the rule that it breaks', async () => {
    const { message } = await createAuthority({ leaf: { lifetime: '1d' } })
    expect(message).not.toMatch(/evaluating rule|call arguments|some validation rules were not checked/)
    expect(message.match(/spec\./g)).toHaveLength(1)
  })

  it('needs nothing but a name, and gets its defaults', async () => {
    const { code, body } = await createAuthority({})
    expect(code).toBe(201)
    expect(body.spec).toEqual({
      leaf: { lifetime: '24h', minLifetime: '10m' },
      policy: { shortServiceNames: false },
      trustBundle: { namespaces: { policy: 'WithIdentities' } },
    })
  })

  it('gets its defaults where a back end is empty', async () => {
    const { body } = await createAuthority({ selfManaged: {} })
    expect(body.spec).toMatchObject({ selfManaged: { keyType: 'ECDSAP256', rootLifetime: '2160h' } })
  })

  it.each<[string, object]>([
    [
      'everything set',
      {
        trustDomain: 'prod_1.example-2.org',
        selfManaged: { keyType: 'RSA4096', rootLifetime: '87600h' },
        leaf: { lifetime: '1h', minLifetime: '1m', maxLifetime: '8760h', keyTypes: ['ED25519', 'ECDSAP256'] },
        policy: { allowedNamespaces: ['shop', 'team-1'], allowedDNSNames: ['web.example.org', '*.example.org'], shortServiceNames: true },
        trustBundle: { namespaces: { policy: 'Selector', selector: { matchLabels: { mesh: 'yes' } } } },
      },
    ],
    ['a CA that others keep, and any lifetimes', { caSecret: { name: 'corporate.ca' }, leaf: { lifetime: '8760h' } }],
    ['bounds for a demo', { selfManaged: { rootLifetime: '3h1m' }, leaf: { lifetime: '2m', minLifetime: '1m' } }],
    ['lifetimes that are all the same', { leaf: { lifetime: '360h', minLifetime: '360h', maxLifetime: '360h' } }],
    ['a trust domain of 255 characters', { trustDomain: 'a'.repeat(255) }],
  ])('with %s is accepted', async (_what, spec) => {
    expect(await createAuthority(spec)).toMatchObject({ code: 201 })
  })

  describe('keeps its trust domain', () => {
    const SET = { trustDomain: 'example.org' }
    const merge = async (before: object, patch: object): Promise<Answer> => {
      const name = freshName()
      expect((await createAuthority(before, name)).code).toBe(201)
      return call('PATCH', `${AUTHORITIES}/${name}`, { spec: patch }, { contentType: MERGE_PATCH })
    }

    it.each<[string, object, object, RegExp]>([
      [
        'it is changed',
        SET,
        { trustDomain: 'example.com' },
        /trustDomain is immutable: it is example\.org and can be neither changed nor set nor removed/,
      ],
      ['it is removed', SET, { trustDomain: null }, /trustDomain is immutable: it is example\.org/],
      ['it is set later', {}, SET, /trustDomain is immutable: it is not set/],
    ])('when %s: refused', async (_what, before, patch, rule) => {
      const { code, message } = await merge(before, patch)
      expect(message).toMatch(rule)
      expect(code).toBe(422)
    })

    it('when the whole object is replaced without it: refused', async () => {
      const name = freshName()
      const { body } = await createAuthority(SET, name)
      const replacement = { ...authority({}, name), metadata: body.metadata }
      expect((await call('PUT', `${AUTHORITIES}/${name}`, replacement)).message).toMatch(/trustDomain is immutable/)
    })

    it.each<[string, object, object]>([
      ['other fields are changed', SET, { leaf: { lifetime: '12h' } }],
      ['it is said again', SET, SET],
      ['other fields are changed where it was never set', {}, { leaf: { lifetime: '12h' } }],
    ])('when %s: accepted', async (_what, before, patch) => {
      expect(await merge(before, patch)).toMatchObject({ code: 200 })
    })
  })
})

describe('kubectl get', () => {
  const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  const table = async (path: string): Promise<Record<string, { value: unknown; wide: boolean }>> => {
    const { body } = await call('GET', path, undefined, { accept: TABLE })
    const { columnDefinitions, rows } = body as unknown as {
      columnDefinitions: { name: string; priority: number }[]
      rows: { cells: unknown[] }[]
    }
    return Object.fromEntries(
      columnDefinitions.map(({ name, priority }, index) => [name, { value: rows[0]?.cells[index], wide: priority > 0 }]),
    )
  }
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'Current',
    message: 'm',
    lastTransitionTime: '2026-01-01T00:00:00Z',
    observedGeneration: 1,
  }

  it('shows how an identity stands', async () => {
    const name = freshName()
    await createIdentity(selecting({}), name)
    const status = {
      observedGeneration: 1,
      conditions: [ready],
      spiffeID: 'spiffe://example.org/ns/default/sa/web',
      certificate: {
        serialNumber: 'ab',
        notAfter: '2126-01-02T00:00:00Z',
        renewAt: '2126-01-01T12:00:00Z',
        issuedBy: 'ClusterMutualAuthority/default/1',
      },
      pods: { selected: 3, mismatched: 1 },
    }
    expect((await call('PATCH', `${IDENTITIES}/${name}/status`, { status }, { contentType: MERGE_PATCH })).code).toBe(200)
    expect(await table(`${IDENTITIES}/${name}`)).toEqual({
      Name: { value: name, wide: false },
      Ready: { value: 'True', wide: false },
      Reason: { value: 'Current', wide: false },
      Identity: { value: 'spiffe://example.org/ns/default/sa/web', wide: true },
      Expires: { value: '2126-01-02T00:00:00Z', wide: false },
      Renews: { value: '2126-01-01T12:00:00Z', wide: true },
      Pods: { value: 3, wide: false },
      Age: { value: expect.stringMatching(/^\d+s$/), wide: false },
    })
  })

  it('shows how an authority stands, with the root that signs', async () => {
    const name = freshName()
    await createAuthority({}, name)
    const root = { fingerprint: 'f', subjectKeyID: 's', notBefore: '2026-01-01T00:00:00Z' }
    const status = {
      conditions: [ready],
      trustDomain: 'example.org',
      generations: [
        { ...root, number: 1, state: 'Retiring', notAfter: '2126-01-01T00:00:00Z' },
        { ...root, number: 2, state: 'Active', notAfter: '2127-01-01T00:00:00Z' },
      ],
      trustBundle: { fingerprint: 'f', anchors: 2 },
    }
    expect((await call('PATCH', `${AUTHORITIES}/${name}/status`, { status }, { contentType: MERGE_PATCH })).code).toBe(200)
    expect(await table(`${AUTHORITIES}/${name}`)).toEqual({
      Name: { value: name, wide: false },
      Ready: { value: 'True', wide: false },
      Reason: { value: 'Current', wide: false },
      'Trust Domain': { value: 'example.org', wide: false },
      'Root Expires': { value: '2127-01-01T00:00:00Z', wide: false },
      Age: { value: expect.stringMatching(/^\d+s$/), wide: false },
    })
  })

  it('knows the short names and the category', async () => {
    const { body } = await call('GET', API)
    const names = Object.fromEntries(
      (body.resources as { name: string; shortNames?: string[]; categories?: string[] }[]).map((resource) => [resource.name, resource]),
    )
    expect(names.mutualidentities).toMatchObject({ shortNames: ['mid'], categories: ['mutual'] })
    expect(names.clustermutualauthorities).toMatchObject({ shortNames: ['cmauth'], categories: ['mutual'] })
  })
})

describe('a status', () => {
  it('is not written with the object', async () => {
    const { body } = await call('POST', IDENTITIES, {
      ...identity(selecting({})),
      status: { spiffeID: 'spiffe://forged/ns/kube-system/sa/admin' },
    })
    expect(body.status).toBeUndefined()
  })
})
