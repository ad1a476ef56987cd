// What cannot be used and reaches the controllers all the same: stored before the schema refused it, or for the controllers alone to judge. One table:
// the reason, the text that names the value and the remedy, and that nothing is lost meanwhile. What the API server refuses is in test/cluster/crd.test.ts,
// every kind of CA that cannot sign in test/unit/controllers/authority/ca-source.test.ts.

import { describe, expect, it } from '@jest/globals'
import { authorityResources, clusterMutualAuthorities, mutualIdentities } from '../../src/api/kinds.ts'
import { hours, minutes } from '../../src/base/duration.ts'
import { configMaps, namespaces, type RawObject, type Resource, secrets } from '../../src/k8s/resource.ts'
import { renderPrivateKey } from '../../src/pki/keys.ts'
import { corporateCa, keyPem, sourceSecret } from '../support/corporate-ca.ts'
import { b64, makeCA, OPERATOR_NAMESPACE, pemOf } from '../support/material.ts'
import { authority, identity, SHOP, secretOf } from '../support/scenario/cast.ts'
import {
  AN_HOUR,
  allIsWell,
  CA,
  caCount,
  copy,
  dataOf,
  LONGEST_RETRY,
  materialOf,
  RECORD,
  record,
  type Shop,
  serial,
  shop,
} from '../support/scenario/shop.ts'
import type { World } from '../support/scenario/world.ts'

interface Told {
  readonly reason: string | undefined
  readonly message: string
  readonly stalled: boolean
}

function told(world: World, resource: Resource, ref: { namespace?: string; name: string }): Told {
  const { status } = (world.api.object(resource, ref) ?? {}) as {
    status?: { conditions?: readonly { readonly type: string; readonly reason: string; readonly message: string }[] }
  }
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return {
    reason: ready?.reason,
    message: ready?.message ?? '',
    stalled: status?.conditions?.some(({ type }) => type === 'Stalled') ?? false,
  }
}

/** Puts an object into the store past the schema, as it may have been stored before; no watch tells of it, so operators are started after it. */
function storeAnyway(
  world: World,
  resource: Resource,
  ref: { namespace?: string; name: string },
  change: (object: RawObject) => RawObject,
): void {
  const { version, objects } = world.api.snapshot()
  const changed = new Map(
    [...objects].map(([key, object]) => {
      const { namespace = '', name } = object.metadata
      const isIt = key.startsWith(`${resource.plural}.`) && namespace === (ref.namespace ?? '') && name === ref.name
      return [key, isIt ? change(structuredClone(object)) : object] as const
    }),
  )
  world.api.restore({ version, objects: changed })
}

async function restarted(world: World, between: () => void): Promise<void> {
  world.processes.at(-1)?.kill()
  between()
  await world.start()
  await world.pass(LONGEST_RETRY)
}

/** Fields one level down are laid over those that are there; a null takes one away. */
function overlay(present: Record<string, unknown>, change: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...present }
  for (const [key, value] of Object.entries(change)) {
    const isRecord = (one: unknown): one is Record<string, unknown> => typeof one === 'object' && one !== null && !Array.isArray(one)
    if (value === null) delete merged[key]
    else merged[key] = isRecord(value) && isRecord(merged[key]) && key !== 'podSelector' ? { ...merged[key], ...value } : value
  }
  return merged
}

const PAYMENTS = { namespace: SHOP, name: 'payments' }
const POLICY = {
  policy: { allowedDNSNames: ['*.example.org', 'kubernetes.default.svc', 'web.bank.svc', 'ledger.bank', '127.0.0.1', '0.0.0.0', 'web'] },
}
const of = (change: object): object => ({ certificate: change })
const into = (change: object): object => ({ delivery: change })
const named = (...dnsNames: unknown[]): object => of({ dnsNames })
const long = (length: number): string => 'a'.repeat(length)

/** What is told is ready where the certificate is good all the same. */
const IDENTITIES: readonly [string, object, string, RegExp][] = [
  ['a lifetime of nothing', of({ lifetime: '0s' }), 'LifetimeOutOfBounds|SpecInvalid', /lifetime.*0s.*(choose|is not a duration)/],
  ['a negative lifetime', of({ lifetime: '-1h' }), 'SpecInvalid', /spec\.certificate\.lifetime "-1h" is not a duration such as 24h/],
  ['a lifetime in days', of({ lifetime: '90d' }), 'SpecInvalid', /spec\.certificate\.lifetime "90d" is not a duration such as 24h/],
  [
    'a lifetime of 200 years',
    of({ lifetime: '1752000h' }),
    'LifetimeOutOfBounds|SpecInvalid',
    /1752000h.*(choose 10m to 360h|is not a duration)/,
  ],
  ['a lifetime below the bounds', of({ lifetime: '1m' }), 'LifetimeOutOfBounds', /1m is outside default's bounds: choose 10m to 360h/],
  ['a lifetime that is a number', of({ lifetime: 24 }), 'SpecInvalid', /lifetime 24 is not a duration/],
  ['a renewal too late', of({ renewBefore: '1m' }), 'RenewBeforeOutOfBounds', /renewBefore 1m .*lifetime 1h: choose 3m to 48m/],
  ['a renewal too early', of({ renewBefore: '59m' }), 'RenewBeforeOutOfBounds', /renewBefore 59m .*choose 3m to 48m/],
  ['an unknown key type', of({ keyType: 'RSA1024' }), 'SpecInvalid', /keyType "RSA1024" is not one of ECDSAP256/],
  ['an unknown way to find names', of({ serviceNames: 'All' }), 'SpecInvalid', /serviceNames "All" is not one of Auto, None/],
  ['no selector', { podSelector: null }, 'SpecInvalid', /spec\.podSelector is missing/],
  ['a selector that is a text', { podSelector: 'app=web' }, 'SpecInvalid', /spec\.podSelector "app=web" is not/],
  ['an unknown operator', { podSelector: { matchExpressions: [{ key: 'app', operator: 'Is', values: ['x'] }] } }, 'SpecInvalid', /"Is"/],
  [
    'a selector of numbers',
    { podSelector: { matchLabels: { app: 1 } } },
    'SpecInvalid',
    /podSelector .*"app":1.* is not a valid label selector/,
  ],
  [
    'a service account that leaves its place',
    { serviceAccountName: 'web/../admin' },
    'SpiffeIdInvalid|SpecInvalid',
    /web\/\.\.\/admin|serviceAccount/,
  ],
  [
    'a service account with a NUL',
    { serviceAccountName: 'web\u0000' },
    'SpiffeIdInvalid|SpecInvalid',
    /has a service account that is none: use 1 to 253 lower case letters/,
  ],
  ['a service account of 3,000 characters', { serviceAccountName: long(3000) }, 'SpiffeIdInvalid|SpecInvalid', /2048|253|long/],
  [
    'an authority of an unknown kind',
    { authorityRef: { kind: 'Issuer', name: 'x' } },
    'SpecInvalid',
    /authorityRef\.kind "Issuer" is not one of ClusterMutualAuthority/,
  ],
  [
    'an authority that is missing',
    { authorityRef: { name: 'none' } },
    'AuthorityNotFound',
    /no ClusterMutualAuthority none: create it, or name another in spec\.authorityRef/,
  ],
  [
    'a tenant authority that is missing',
    { authorityRef: { kind: 'MutualAuthority', name: 'default' } },
    'AuthorityNotFound',
    /no MutualAuthority shop\/default: create it/,
  ],
  ['a DNS name that is a wildcard', named('*.example.org'), 'DNSNameNotAllowed', /dnsNames \*\.example\.org/],
  ['a DNS name in upper case', named('Web.example.org'), 'DNSNameNotAllowed', /Web\.example\.org/],
  ['a DNS name with a final dot', named('web.example.org.'), 'DNSNameNotAllowed', /web\.example\.org\./],
  ['a DNS name with an underscore', named('we_b.example.org'), 'DNSNameNotAllowed', /we_b/],
  ['a DNS name with a NUL', named('web\u0000.example.org'), 'DNSNameNotAllowed', /web/],
  ['a DNS label of 64 characters', named(`${long(64)}.example.org`), 'DNSNameNotAllowed', /63/],
  [
    'a DNS name of the API server',
    named('kubernetes.default.svc'),
    'DNSNameNotAllowed',
    /kubernetes\.default\.svc: ends with svc: names of Services come from the Services/,
  ],
  ["another namespace's Service", named('web.bank.svc'), 'DNSNameNotAllowed', /web\.bank\.svc: ends with svc/],
  [
    "another namespace's Service, in short",
    named('ledger.bank'),
    'DNSNameNotAllowed',
    /ledger\.bank: is how a Service of another namespace is called: leave it out/,
  ],
  ['a bare name', named('web'), 'DNSNameNotAllowed', /web: is a bare name/],
  ['an address', named('127.0.0.1'), 'DNSNameNotAllowed', /127\.0\.0\.1/],
  ['the address of all', named('0.0.0.0'), 'DNSNameNotAllowed', /0\.0\.0\.0/],
  ['a URI as a name', named('spiffe://cluster.local/x'), 'DNSNameNotAllowed', /spiffe:/],
  [
    'a name that the authority does not allow',
    named('web.example.com'),
    'DNSNameNotAllowed',
    /web\.example\.com: is not among those that ClusterMutualAuthority default allows \(.*\*\.example\.org.*\): have it added, or leave the name out/,
  ],
  [
    '2,000 names',
    named(...Array.from({ length: 2000 }, (_, index) => `a${index}.example.org`)),
    'TooManyNames',
    /2003 DNS names are more than the 400.*narrow podSelector/,
  ],
  ['a name that is a number', named(1), 'SpecInvalid', /dnsNames\[0\] 1 is not a text/],
  ['an unknown format', into({ formats: ['PEM'] }), 'SpecInvalid', /formats\[0\] "PEM" is not one of CombinedPEM/],
  [
    'a password without a key',
    into({ formats: ['JKS'], keystorePasswordRef: { name: 'password' } }),
    'SpecInvalid',
    /keystorePasswordRef needs name and key/,
  ],
  [
    'a password that is missing',
    into({ formats: ['JKS'], keystorePasswordRef: { name: 'none', key: 'x' } }),
    'KeystorePasswordMissing',
    /none/,
  ],
  [
    'a Secret of somebody else',
    into({ secretName: 'password' }),
    'SecretNotOwned',
    /Secret password .*choose another spec\.delivery\.secretName, or delete that Secret/,
  ],
  [
    'the Secret of another identity',
    into({ secretName: 'orders-mtls' }),
    'SecretNameTaken',
    /orders-mtls is that of MutualIdentity orders.*choose another/,
  ],
  ['a Secret with an impossible name', into({ secretName: 'UPPER_case' }), 'Invalid', /UPPER_case/],
  [
    'a Secret elsewhere',
    into({ secretName: `../../${OPERATOR_NAMESPACE}/secrets/default-ca-1` }),
    'Invalid|NotFound|BadRequest',
    /default-ca-1/,
  ],
  ['a template with an impossible label', into({ secretTemplate: { labels: { 'a b': 'x' } } }), 'Invalid', /a b/],
  ['a template that is no map', into({ secretTemplate: { labels: ['x'] } }), 'SpecInvalid', /secretTemplate\.labels/],
  [
    'an additional authority of an unknown kind',
    { trust: { additionalAuthorities: [{ kind: 'Issuer', name: 'x' }] } },
    'SpecInvalid',
    /"Issuer" is not one of/,
  ],
  [
    'everything of the wrong type',
    { certificate: 1, delivery: [], trust: 'x', restart: 'y', authorityRef: 7 },
    'SpecInvalid',
    /spec\.certificate 1 is not an object/,
  ],
]

/** Told without harm: the certificate is current, or a new one is right. */
const HARMLESS: readonly [string, object, string, RegExp][] = [
  [
    'a template with labels of ours',
    into({ secretTemplate: { labels: { 'mutualidentity.io/role': 'ca', 'app.kubernetes.io/managed-by': 'x' } } }),
    'Current',
    /current/,
  ],
  [
    'a template with annotations of ours',
    into({ secretTemplate: { annotations: { 'mutualidentity.io/renew-at': '2099-01-01T00:00:00Z' } } }),
    'Current',
    /current/,
  ],
  [
    'an additional authority that is missing',
    { trust: { additionalAuthorities: [{ name: 'none' }] } },
    'TrustIncomplete',
    /none.*has published no trust bundle yet/,
  ],
]

async function prepared(): Promise<Shop> {
  const one = await shop({ spec: AN_HOUR, authority: POLICY })
  const { world } = one
  await world.person.create(namespaces, { metadata: { name: 'bank' } })
  await world.person.create(
    { group: '', version: 'v1', plural: 'services', kind: 'Service', namespaced: true },
    {
      metadata: { namespace: 'bank', name: 'ledger' },
      spec: { selector: { app: 'ledger' }, clusterIP: '10.0.0.9' },
    },
  )
  await world.settle()
  return one
}

describe('a stored identity with', () => {
  it.each(IDENTITIES)('%s is refused, in words that help, and loses nothing', async (_what, change, reason, says) => {
    const one = await prepared()
    const { world } = one
    const before = [materialOf(world, 'payments'), materialOf(world, 'orders'), dataOf(copy(world))]
    const good = structuredClone(world.api.object(mutualIdentities, PAYMENTS)?.['spec']) as Record<string, unknown>
    const stored = (spec: unknown) => (object: RawObject) => ({
      ...object,
      spec,
      metadata: { ...object.metadata, generation: ((object.metadata as { generation?: number }).generation ?? 1) + 1 },
    })
    await restarted(world, () =>
      storeAnyway(
        world,
        mutualIdentities,
        PAYMENTS,
        stored(overlay(good, change as Record<string, unknown>)) as (object: RawObject) => RawObject,
      ),
    )
    const { reason: given, message } = told(world, mutualIdentities, PAYMENTS)
    expect(given).toMatch(new RegExp(`^(${reason})$`))
    expect(message).toMatch(says)
    expect([materialOf(world, 'payments'), materialOf(world, 'orders'), dataOf(copy(world))]).toEqual(before)
    await restarted(world, () => storeAnyway(world, mutualIdentities, PAYMENTS, stored(good) as (object: RawObject) => RawObject))
    expect(materialOf(world, 'payments')).toEqual(before[0])
    await allIsWell(one, 'payments', 'orders')
  })

  it.each(HARMLESS)('%s does no harm', async (_what, change, reason, says) => {
    const one = await prepared()
    const { world } = one
    const before = materialOf(world, 'payments')
    const overlaid = (object: RawObject): RawObject =>
      ({ ...object, spec: overlay(object['spec'] as Record<string, unknown>, change as Record<string, unknown>) }) as RawObject
    await restarted(world, () => storeAnyway(world, mutualIdentities, PAYMENTS, overlaid))
    const { reason: given, message } = told(world, mutualIdentities, PAYMENTS)
    expect([given, message]).toEqual([reason, expect.stringMatching(says)])
    expect(materialOf(world, 'payments')).toEqual(before)
    expect(secretOf(world, 'payments-mtls')?.metadata.labels?.['mutualidentity.io/role']).toBe('leaf')
    await one.oracles.comesToRest()
    expect(one.oracles.finish()).toEqual([])
  })

  it.each<[string, object]>([
    ['an identity of somebody else', { spiffeID: 'spiffe://cluster.local/ns/bank/sa/admin' }],
    [
      'a certificate that is not there',
      { certificate: { serialNumber: '00', notAfter: '2099-01-01T00:00:00Z', renewAt: '2099-01-01T00:00:00Z', issuedBy: 'x' } },
    ],
    ['nothing', { observedGeneration: 99, conditions: [] }],
  ])('a forged status that tells of %s is put right and not believed', async (_what, status) => {
    const one = await prepared()
    const { world } = one
    const before = [serial(world, 'payments'), world.api.object(mutualIdentities, PAYMENTS)?.['status']]
    await world.person.mergePatch(mutualIdentities, PAYMENTS, { status }, { subresource: 'status' })
    await world.pass(LONGEST_RETRY)
    expect([serial(world, 'payments'), { ...(world.api.object(mutualIdentities, PAYMENTS)?.['status'] as object), conditions: 0 }]).toEqual(
      [before[0], { ...(before[1] as object), conditions: 0 }],
    )
    await world.pass(hours(1))
    await allIsWell(one, 'payments', 'orders')
  })
})

// It holds nothing up for longer than an hour (readiness.ts, LONGEST_HOLD_MS).
it('a forged failure in a status goes with the next pass', async () => {
  const one = await prepared()
  const lastFailure = { reason: 'Forged', message: 'x', at: '2026-11-24T12:00:00Z', attempts: 1e6, nextAttemptAt: '2099-01-01T00:00:00Z' }
  await one.world.person.mergePatch(mutualIdentities, PAYMENTS, { status: { lastFailure } }, { subresource: 'status' })
  await one.world.pass(LONGEST_RETRY)
  expect(one.world.api.object(mutualIdentities, PAYMENTS)?.['status']).not.toHaveProperty('lastFailure')
  await allIsWell(one, 'payments', 'orders')
})

it('a forged failure in a status, until years from now, stops no renewal', async () => {
  const one = await prepared()
  const before = serial(one.world, 'payments')
  const lastFailure = { reason: 'Forged', message: 'x', at: '2026-11-24T12:00:00Z', attempts: 1e6, nextAttemptAt: '2099-01-01T00:00:00Z' }
  await one.world.person.mergePatch(mutualIdentities, PAYMENTS, { status: { lastFailure } }, { subresource: 'status' })
  await one.world.pass(minutes(40))
  expect(serial(one.world, 'payments')).not.toBe(before)
  expect(one.oracles.finish()).toEqual([])
})

const AUTHORITIES: readonly [string, object, string, RegExp][] = [
  [
    'another trust domain',
    { trustDomain: 'other.test' },
    'TrustDomainChanged',
    /spec\.trustDomain is other\.test but the CA was made for cluster\.local.*make another authority/,
  ],
  ['a trust domain in upper case', { trustDomain: 'Cluster.Local' }, 'TrustDomainChanged|TrustDomainInvalid', /Cluster\.Local/],
  ['a root in days', { selfManaged: { rootLifetime: '90d' } }, 'SpecInvalid', /rootLifetime "90d" is not a duration such as 24h/],
  ['two back ends', { selfManaged: {}, caSecret: { name: 'x' } }, 'SpecInvalid', /names both selfManaged and caSecret: choose one/],
  ['a back end without a name', { caSecret: {}, selfManaged: null }, 'SpecInvalid', /spec\.caSecret\.name is missing/],
  ['a leaf in days', { leaf: { lifetime: '1d' } }, 'SpecInvalid', /leaf\.lifetime "1d" is not a duration/],
  ['an unknown key type', { leaf: { keyTypes: ['RSA1024'] } }, 'SpecInvalid', /keyTypes\[0\] "RSA1024" is not one of/],
  ['namespaces that are a text', { policy: { allowedNamespaces: 'all' } }, 'SpecInvalid', /allowedNamespaces "all" is not a list/],
  [
    'an unknown policy of bundles',
    { trustBundle: { namespaces: { policy: 'Everyone' } } },
    'SpecInvalid',
    /"Everyone" is not one of WithIdentities, All, Selector/,
  ],
]

describe('a stored authority with', () => {
  it.each(AUTHORITIES)('%s is refused, signs nothing meanwhile, and loses nothing', async (_what, change, reason, says) => {
    const one = await prepared()
    const { world } = one
    const ref = { name: 'default' }
    const before = [materialOf(world, 'payments'), materialOf(world, 'orders'), dataOf(copy(world)), dataOf(record(world)), caCount(world)]
    const good = structuredClone(world.api.object(clusterMutualAuthorities, ref)?.['spec']) as Record<string, unknown>
    await restarted(world, () =>
      storeAnyway(
        world,
        clusterMutualAuthorities,
        ref,
        (object) => ({ ...object, spec: overlay(good, change as Record<string, unknown>) }) as RawObject,
      ),
    )
    await identity(world, 'ledger', { serviceAccountName: 'ledger', ...AN_HOUR })
    await world.pass(minutes(1))
    const { reason: given, message } = told(world, clusterMutualAuthorities, ref)
    expect(given).toMatch(new RegExp(`^(${reason})$`))
    expect(message).toMatch(says)
    expect(secretOf(world, 'ledger-mtls')).toBeUndefined()
    expect([
      materialOf(world, 'payments'),
      materialOf(world, 'orders'),
      dataOf(copy(world)),
      dataOf(record(world)),
      caCount(world),
    ]).toEqual(before)
    await restarted(world, () => storeAnyway(world, clusterMutualAuthorities, ref, (object) => ({ ...object, spec: good }) as RawObject))
    await allIsWell(one, 'payments', 'orders', 'ledger')
  })

  it.each<[string, string, string, RegExp]>([
    ['in upper case', 'Fresh.Test', 'TrustDomainInvalid', /Fresh\.Test/],
    ['with a port', 'fresh.test:443', 'TrustDomainInvalid', /fresh\.test:443/],
    ['with a path', 'fresh.test/x', 'TrustDomainInvalid', /fresh\.test\/x/],
    ['with a scheme', 'spiffe://fresh.test', 'TrustDomainInvalid', /spiffe:/],
    ['of 256 characters', long(256), 'TrustDomainInvalid', /255/],
    [
      'that another authority has',
      'cluster.local',
      'TrustDomainTaken',
      /cluster\.local belongs to ClusterMutualAuthority default.*another spec\.trustDomain/,
    ],
  ])('a first trust domain %s makes no CA', async (_what, trustDomain, reason, says) => {
    const one = await shop({ spec: AN_HOUR })
    const { world } = one
    await authority(world, 'fresh', { trustDomain: 'good.test' }).catch(() => undefined)
    world.processes[0]?.kill()
    await world.person.delete(secrets, { namespace: OPERATOR_NAMESPACE, name: 'fresh-ca-1' }, {}).catch(() => undefined)
    await world.person.delete(configMaps, { namespace: OPERATOR_NAMESPACE, name: 'fresh-trust-bundle' }, {}).catch(() => undefined)
    await restarted(world, () =>
      storeAnyway(
        world,
        clusterMutualAuthorities,
        { name: 'fresh' },
        (object) => ({ ...object, spec: { ...(object['spec'] as object), trustDomain } }) as RawObject,
      ),
    )
    expect(told(world, clusterMutualAuthorities, { name: 'fresh' })).toEqual({
      reason,
      message: expect.stringMatching(says),
      stalled: true,
    })
    expect(caCount(world)).toBe(1)
    await allIsWell(one, 'payments', 'orders')
  })

  it('a place in the namespace of the operator, or the trust domain of another namespace, makes no CA', async () => {
    const one = await shop({ spec: AN_HOUR })
    const { world } = one
    await world.person.create(authorityResources.MutualAuthority, { metadata: { namespace: OPERATOR_NAMESPACE, name: 'inner' }, spec: {} })
    await world.person.create(authorityResources.MutualAuthority, {
      metadata: { namespace: SHOP, name: 'thief' },
      spec: { trustDomain: 'bank.cluster.local' },
    })
    await world.person.create(mutualIdentities, {
      metadata: { namespace: OPERATOR_NAMESPACE, name: 'inner' },
      spec: { podSelector: {}, serviceAccountName: 'x' },
    })
    await world.pass(minutes(1))
    expect(told(world, authorityResources.MutualAuthority, { namespace: OPERATOR_NAMESPACE, name: 'inner' })).toMatchObject({
      reason: 'OperatorNamespace',
      message: expect.stringMatching(/mutual-identity-system is the operator's own.*another one/),
    })
    expect(told(world, authorityResources.MutualAuthority, { namespace: SHOP, name: 'thief' })).toMatchObject({
      reason: 'TrustDomainNotAllowed',
      message: expect.stringMatching(/bank\.cluster\.local.*leave it out \(then it is shop\.cluster\.local\)/),
    })
    expect(told(world, mutualIdentities, { namespace: OPERATOR_NAMESPACE, name: 'inner' }).reason).toBe('OperatorNamespace')
    expect(caCount(world)).toBe(1)
    await allIsWell(one, 'payments', 'orders')
  })
})

describe('a CA of somebody else', () => {
  type Change = (ca: Awaited<ReturnType<typeof corporateCa>>, world: World) => RawObject | Promise<RawObject>
  const holding =
    (data: (ca: Awaited<ReturnType<typeof corporateCa>>) => Record<string, string | undefined>): Change =>
    (ca) =>
      sourceSecret(ca, { data: data(ca) })
  it.each<[string, Change, string, RegExp]>([
    [
      'that is empty',
      (ca) => ({ ...sourceSecret(ca), data: { 'tls.crt': '', 'tls.key': '' } }) as RawObject,
      'CASourceInvalid',
      /tls\.crt is missing or empty/,
    ],
    ['that is garbage', holding(() => ({ 'tls.crt': b64('garbage') })), 'CASourceInvalid', /tls\.crt/],
    ['without its key', holding(() => ({ 'tls.key': '' })), 'CASourceInvalid', /tls\.key is missing or empty/],
    [
      "with another CA's key",
      async (ca) => sourceSecret(ca, { data: { 'tls.key': b64(keyPem(await corporateCa())) } }),
      'CASourceInvalid',
      /tls\.key is not the key of the certificate/,
    ],
    ['without its root', holding(() => ({ 'ca.crt': undefined })), 'CASourceInvalid', /ca\.crt, where the root should be, is missing/],
    [
      'that has expired',
      async () => sourceSecret(await corporateCa({ recipe: { notAfter: Date.parse('2026-11-24T11:00:00Z') } })),
      'CASourceInvalid',
      /expired at 2026-11-24T11:00:00Z/,
    ],
    [
      'that lasts too short',
      async () => sourceSecret(await corporateCa({ recipe: { notAfter: Date.parse('2026-11-24T18:00:00Z') } })),
      'CASourceInvalid',
      /lower leaf\.lifetime, or use a CA that lasts longer/,
    ],
    ['that is no CA', async () => sourceSecret(await corporateCa({ recipe: { ca: false } })), 'CASourceInvalid', /is no CA/],
    [
      'below a root that allows none',
      async () => sourceSecret(await corporateCa({ below: 2, rootRecipe: { pathLength: 0 } })),
      'CASourceInvalid',
      /path/i,
    ],
    [
      'signed with SHA-1',
      async () => sourceSecret(await corporateCa({ recipe: { hash: 'SHA-1' } })),
      'CASourceInvalid',
      /signed with 1\.2\.840\.10045\.4\.1, which is not accepted/,
    ],
    [
      'without key identifier',
      async () => sourceSecret(await corporateCa({ recipe: { subjectKeyID: null } })),
      'CASourceInvalid',
      /subject ?key/i,
    ],
    [
      'in the wrong order',
      holding((ca) => ({ 'tls.crt': b64(pemOf(ca.root, ca.certificate)) })),
      'CASourceInvalid',
      /Put another CA with its key there/,
    ],
    [
      'with 10,000 certificates',
      holding((ca) => ({ 'tls.crt': b64(pemOf(ca.certificate).repeat(1000)) })),
      'CASourceInvalid',
      /Put another CA with its key there/,
    ],
    ['that is one of ours', (_ca, world) => world.api.object(secrets, CA) as RawObject, 'CASourceNotAllowed', /one of this operator's own/],
  ])('%s is refused until it is right, and nothing else suffers', async (_what, change, reason, says) => {
    const one = await shop({ spec: AN_HOUR })
    const { world } = one
    const ca = await corporateCa()
    const object = await change(ca, world)
    const { name } = object.metadata
    const put = async (source: RawObject): Promise<void> => {
      const { data, type = 'kubernetes.io/tls' } = source as RawObject & { data: object; type?: string }
      await world.person.create(secrets, { type, data, metadata: { namespace: OPERATOR_NAMESPACE, name: source.metadata.name } })
    }
    if (name !== CA.name) await put(object)
    await authority(world, 'corporate', { trustDomain: 'corporate.test', caSecret: { name } })
    await identity(world, 'ledger', { serviceAccountName: 'ledger', authorityRef: { name: 'corporate' } })
    await world.pass(LONGEST_RETRY)
    expect(told(world, clusterMutualAuthorities, { name: 'corporate' })).toEqual({
      reason,
      message: expect.stringMatching(says),
      stalled: true,
    })
    expect([secretOf(world, 'ledger-mtls'), caCount(world)]).toEqual([undefined, 1])
    expect(told(world, mutualIdentities, { namespace: SHOP, name: 'ledger' }).reason).toBe('AuthorityNotReady')
    if (name !== CA.name) {
      await world.person.delete(secrets, { namespace: OPERATOR_NAMESPACE, name }, {})
      await put(sourceSecret(ca))
      await world.pass(LONGEST_RETRY)
      expect(told(world, clusterMutualAuthorities, { name: 'corporate' }).reason).toBe('Current')
      expect(told(world, mutualIdentities, { namespace: SHOP, name: 'ledger' }).reason).toBe('Current')
    }
    await one.oracles.comesToRest()
    expect(one.oracles.finish().filter((breach) => !breach.includes('ledger'))).toEqual([])
  })
})

describe('a record of the published bundle', () => {
  it.each<[string, (text: string) => string | Promise<string>]>([
    ['that is empty', () => ''],
    ['with a private key inside', async (text) => `${text}${renderPrivateKey((await makeCA()).keyPair.privateKey).toString()}`],
    ['with a byte order mark', (text) => `\ufeff${text}`],
    ['without its last newline', (text) => text.trimEnd()],
    ['with a block that is none', (text) => `${text}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`],
    ['with a block that does not end', (text) => `${text}-----BEGIN CERTIFICATE-----\n`],
    ['with lines that end as on Windows', (text) => text.replaceAll('\n', '\r\n')],
    ['of almost 1 MiB', (text) => text + '#'.repeat(1_040_000 - text.length)],
    ['with the same root a thousand times', (text) => text.repeat(1000)],
  ])('%s is not believed, and written anew', async (_what, edit) => {
    const one = await shop({ spec: AN_HOUR })
    const { world } = one
    const before = [dataOf(record(world))['ca.crt'], dataOf(copy(world))['ca.crt'], materialOf(world, 'payments')]
    const text = await edit(before[0] as string)
    await world.person.mergePatch(configMaps, RECORD, {
      data: { 'ca.crt': text, ...(text.length > 500_000 ? { 'bundle.json': null } : {}) },
    })
    await world.pass(LONGEST_RETRY)
    expect([dataOf(record(world))['ca.crt'], dataOf(copy(world))['ca.crt'], materialOf(world, 'payments')]).toEqual(before)
    await allIsWell(one, 'payments', 'orders')
  })
})
