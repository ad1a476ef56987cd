// Authorities of namespaces, in whole passes: what is theirs, and every way in which a tenant might try to speak for another.
// What the API server refuses is tried in test/cluster/operator/tenants.test.ts.

import { beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { projectMutualAuthority } from '../../../../src/api/authority.ts'
import { clusterMutualAuthorities, mutualAuthorities, mutualIdentities } from '../../../../src/api/kinds.ts'
import {
  API_VERSION,
  type AuthorityRef,
  annotations,
  authorityKey,
  authorityOfKey,
  authorityOfObject,
  authorityRef,
  bundleName,
  caSecretName,
  labels,
} from '../../../../src/api/names.ts'
import { publishedBundle } from '../../../../src/api/stored/bundle.ts'
import { hours, seconds } from '../../../../src/base/duration.ts'
import { formatInstant } from '../../../../src/base/instant.ts'
import { observeAuthorityState } from '../../../../src/controllers/authority/observe.ts'
import { planAuthority } from '../../../../src/controllers/authority/plan.ts'
import { observeAuthority } from '../../../../src/controllers/authority-facts.ts'
import { wantsCopy } from '../../../../src/controllers/bundle/plan.ts'
import { configMaps, type ObjectRef, type RawObject, type Resource, secrets } from '../../../../src/k8s/resource.ts'
import { makeBundle } from '../../../../src/pki/bundle.ts'
import { readChain } from '../../../../src/pki/certificate.ts'
import { parseTrustDomain } from '../../../../src/pki/trust-domain.ts'
import { type Scope, scopes, type WatchedCache } from '../../../../src/stores.ts'
import { corporateCa, sourceSecret } from '../../../support/corporate-ca.ts'
import {
  authorityObject,
  b64,
  bundleMap,
  caSecret,
  changed,
  filledStores,
  identityObject,
  makeCA,
  NOW,
  namespaceObject,
  OPERATOR_NAMESPACE,
  pemOf,
  podObject,
  type RawChange,
  serviceObject,
} from '../../../support/material.ts'
import { type Passes, passes } from '../../../support/passes.ts'

const INTERNAL: AuthorityRef = { kind: 'MutualAuthority', namespace: 'shop', name: 'internal' }
const KEY = 'shop.internal'
const COPY = { namespace: 'shop', name: 'shop.internal-trust-bundle' }
const inOperator = (name: string): ObjectRef => ({ namespace: OPERATOR_NAMESPACE, name })

let world: Passes
beforeEach(() => {
  world = begin()
})

/** A world with two namespaces of tenants. */
function begin(options: Parameters<typeof passes>[0] = {}): Passes {
  const one = passes(options)
  for (const name of ['shop', 'bank', OPERATOR_NAMESPACE]) one.seen('namespaces', namespaceObject(name))
  return one
}

/** MutualAuthority shop/internal; `olderBy` hours than its default age. */
function tenant(spec: object = {}, change: RawChange & { namespace?: string; name?: string; olderBy?: number } = {}): RawObject {
  const { namespace = 'shop', name = 'internal', olderBy = 0, ...more } = change
  const creationTimestamp = formatInstant(NOW - hours(24 + olderBy))
  const metadata = { namespace, name, generation: 1, creationTimestamp, uid: `uid-${namespace}-${name}` }
  return changed({ apiVersion: API_VERSION, kind: 'MutualAuthority', metadata, spec } as RawObject, more)
}

async function settle(...keys: string[]): Promise<void> {
  for (let pass = 0; pass < 6; pass++) for (const key of keys) await world.authority(key)
}
/** What Ready of an authority, or of an identity, says. */
function ready(resource: Resource, namespace: string, name: string): { status: string; reason: string; message: string } {
  const status = world.api.at(resource, { namespace, name })?.status as { conditions?: { type: string }[] } | undefined
  return status?.conditions?.find(({ type }) => type === 'Ready') as never
}
const ofTenant = (namespace = 'shop', name = 'internal') => ready(mutualAuthorities, namespace, name)
const ofCluster = (name = 'default') => ready(clusterMutualAuthorities, '', name)
const text = (resource: Resource, ref: ObjectRef, field: string): string => {
  const value = (world.api.at(resource, ref)?.data as Record<string, string> | undefined)?.[field] ?? ''
  return resource === secrets ? Buffer.from(value, 'base64').toString() : value
}
/** `secrets namespace/name` of all that was created but events, and statuses. */
const created = (): string[] =>
  world.api.writes.filter(({ verb, path }) => verb === 'create' && !path.startsWith('events')).map(({ path }) => path)

/** An identity of a namespace, with a pod and a Service. */
function workload(namespace: string, spec: object, name = 'payments'): void {
  world.seen('pods', podObject(`${namespace}-pod`, { metadata: { namespace } }))
  world.seen('services', serviceObject('payments', {}, { metadata: { namespace, uid: `uid-${namespace}-service` } }))
  world.seen('identities', identityObject(spec, { metadata: { namespace, name, uid: `uid-${namespace}-${name}` } }))
}
/** A pass over an identity, and another when it may tell that it waits. */
async function waiting(namespace: string): Promise<ReturnType<typeof ready>> {
  await world.identity(namespace)
  await world.clock.advance(seconds(3))
  await world.identity(namespace)
  return ready(mutualIdentities, namespace, 'payments')
}
const BY_TENANT = { authorityRef: { kind: 'MutualAuthority', name: 'internal' } }
const leafOf = (namespace: string) => readChain(text(secrets, { namespace, name: 'payments-mtls' }, 'tls.crt'))[0]

describe('the objects of two authorities never share a name', () => {
  const word = fc.constantFrom('a', 'b', 'ca', 'trust', 'bundle', '1', '2', 'x-ca-1', 'trust-bundle')
  const label = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('-'))
  const ref: fc.Arbitrary<AuthorityRef> = fc.oneof(
    label.map((name) => authorityRef('ClusterMutualAuthority', '', name)),
    fc.tuple(label, label).map(([namespace, name]) => authorityRef('MutualAuthority', namespace, name)),
  )
  const number = fc.integer({ min: 1, max: 12 })

  it('whatever their names are made of: a name leads back to the one authority whose it is', () => {
    fc.assert(
      fc.property(ref, number, (authority, generation) => {
        expect(authorityOfKey(authorityKey(authority))).toEqual(authority)
        expect(authorityOfObject(caSecretName(authority, generation))).toEqual(authority)
        expect(authorityOfObject(bundleName(authority))).toEqual(authority)
      }),
    )
  })

  it('whatever their names are made of: two authorities have different names for all', () => {
    const namesOf = (authority: AuthorityRef, generation: number) => [
      authorityKey(authority),
      caSecretName(authority, generation),
      bundleName(authority),
    ]
    fc.assert(
      fc.property(ref, ref, number, number, (one, other, first, second) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other))
        const [a, b] = [namesOf(one, first), namesOf(other, second)]
        // A Secret and a ConfigMap may share a name: they are of two kinds.
        expect(a.map((name, index) => name === b[index])).toEqual([false, false, false])
      }),
      { numRuns: 1000 },
    )
  })

  it.each<[string, AuthorityRef, AuthorityRef]>([
    ['a-b/c and a/b-c', authorityRef('MutualAuthority', 'a-b', 'c'), authorityRef('MutualAuthority', 'a', 'b-c')],
    ['the cluster’s x and shop/x', authorityRef('ClusterMutualAuthority', '', 'x'), authorityRef('MutualAuthority', 'shop', 'x')],
    ['the cluster’s shop-x and shop/x', authorityRef('ClusterMutualAuthority', '', 'shop-x'), authorityRef('MutualAuthority', 'shop', 'x')],
    ['x and x-ca-1', authorityRef('ClusterMutualAuthority', '', 'x'), authorityRef('ClusterMutualAuthority', '', 'x-ca-1')],
    ['x and x-trust-bundle', authorityRef('ClusterMutualAuthority', '', 'x'), authorityRef('ClusterMutualAuthority', '', 'x-trust-bundle')],
  ])('as %s', (_what, one, other) => {
    const all = [one, other].flatMap((authority) => [caSecretName(authority, 1), caSecretName(authority, 11), bundleName(authority)])
    expect(new Set(all).size).toBe(6)
  })

  it('and the longest are names that Kubernetes takes', () => {
    const longest = authorityRef('MutualAuthority', 'n'.repeat(63), 'a'.repeat(52))
    expect(caSecretName(longest, 999_999).length).toBeLessThanOrEqual(253)
    expect(bundleName(longest).length).toBeLessThanOrEqual(253)
  })

  it('so that both sign, each with a key of its own', async () => {
    for (const [namespace, name] of [
      ['a-b', 'c'],
      ['a', 'b-c'],
    ] as const) {
      world.seen('namespaces', namespaceObject(namespace))
      world.seen('namespacedAuthorities', tenant({}, { namespace, name }))
    }
    await settle('a-b.c', 'a.b-c')
    expect([ofTenant('a-b', 'c').reason, ofTenant('a', 'b-c').reason]).toEqual(['Current', 'Current'])
    expect(new Set(['a-b.c-ca-1', 'a.b-c-ca-1'].map((name) => text(secrets, inOperator(name), 'tls.key'))).size).toBe(2)
  })
})

describe('an authority of a namespace', () => {
  beforeEach(async () => {
    world.seen('namespacedAuthorities', tenant())
    await settle(KEY)
  })

  it("keeps its CA and the record of its bundle in the operator's namespace, under its namespace's name", () => {
    expect(created()).toEqual([
      'secrets mutual-identity-system/shop.internal-ca-1',
      'configmaps mutual-identity-system/shop.internal-trust-bundle',
    ])
    expect(ofTenant()).toMatchObject({ status: 'True', reason: 'Current' })
  })

  it('has all its objects labelled with its kind, namespace and name', () => {
    for (const [resource, name, role] of [
      [secrets, 'shop.internal-ca-1', 'ca'],
      [configMaps, 'shop.internal-trust-bundle', 'bundle'],
    ] as const) {
      expect(world.api.at(resource, inOperator(name))?.metadata.labels).toEqual({
        [labels.managedBy]: 'mutual-identity',
        [labels.role]: role,
        [labels.authority]: 'internal',
        [labels.authorityKind]: 'MutualAuthority',
        [labels.authorityNamespace]: 'shop',
      })
    }
  })

  it('speaks for <namespace>.<the operator’s trust domain>', () => {
    expect(world.api.at(mutualAuthorities, { namespace: 'shop', name: 'internal' })?.status).toMatchObject({
      trustDomain: 'shop.cluster.local',
    })
    expect(readChain(text(secrets, inOperator('shop.internal-ca-1'), 'tls.crt'))[0]?.uris).toEqual(['spiffe://shop.cluster.local'])
  })

  it('signs for identities of its namespace, with the bare names of Services among the names', async () => {
    workload('shop', BY_TENANT)
    await world.identity()
    expect(ready(mutualIdentities, 'shop', 'payments')).toMatchObject({ status: 'True', reason: 'Current' })
    expect(leafOf('shop')?.uris).toEqual(['spiffe://shop.cluster.local/ns/shop/sa/payments'])
    expect([...(leafOf('shop')?.dnsNames ?? [])].sort()).toEqual([
      'payments',
      'payments.shop',
      'payments.shop.svc',
      'payments.shop.svc.cluster.local',
    ])
    expect(text(secrets, { namespace: 'shop', name: 'payments-mtls' }, 'ca.crt')).toBe(
      text(configMaps, inOperator('shop.internal-trust-bundle'), 'ca.crt'),
    )
  })

  it('has its bundle copied into its own namespace, where an identity names it', async () => {
    workload('shop', BY_TENANT)
    await world.bundle('shop', KEY)
    expect(text(configMaps, COPY, 'ca.crt')).toBe(text(configMaps, inOperator(COPY.name), 'ca.crt'))
  })

  it('has no copy where no identity names it', async () => {
    await world.bundle('shop', KEY)
    expect(world.api.at(configMaps, COPY)).toBeUndefined()
  })
})

it('no bare names of Services where the authority does without them, nor by default where it is the cluster’s', async () => {
  world.seen('namespacedAuthorities', tenant({ policy: { shortServiceNames: false } }))
  world.seen('authorities', authorityObject())
  await settle(KEY, 'default')
  workload('shop', BY_TENANT)
  workload('bank', {})
  await world.identity('shop')
  await world.identity('bank')
  expect([leafOf('shop')?.dnsNames.includes('payments'), leafOf('bank')?.dnsNames.includes('payments')]).toEqual([false, false])
})

describe('a trust domain', () => {
  const allowing = { namespacedTrustDomains: { shop: ['pay.example.org', 'cluster.local'] } }

  it('that is the namespace’s own may be written down', async () => {
    world.seen('namespacedAuthorities', tenant({ trustDomain: 'shop.cluster.local' }))
    await settle(KEY)
    expect(ofTenant().reason).toBe('Current')
  })

  it.each([
    'cluster.local',
    'bank.cluster.local',
    'pay.example.org',
    'x.shop.cluster.local',
    'shop.cluster.local.evil',
    'shop',
    'constructor',
  ])('that is another (%s) is refused with the one to have and the flag, and nothing is made', async (trustDomain) => {
    world.seen('namespacedAuthorities', tenant({ trustDomain }))
    await settle(KEY)
    expect(ofTenant()).toMatchObject({ status: 'False', reason: 'TrustDomainNotAllowed' })
    expect(ofTenant().message).toBe(
      `spec.trustDomain ${trustDomain} is not the namespace's: leave it out (then it is shop.cluster.local), or have the operator started with it in --namespaced-trust-domains`,
    )
    expect(created()).toEqual([])
  })

  it('that the flags allow for the namespace is had', async () => {
    world = begin(allowing)
    world.seen('namespacedAuthorities', tenant({ trustDomain: 'pay.example.org' }))
    await settle(KEY)
    expect(world.api.at(mutualAuthorities, { namespace: 'shop', name: 'internal' })?.status).toMatchObject({
      trustDomain: 'pay.example.org',
    })
  })

  it.each(['bank', 'shop-pay', 'constructor', '__proto__'.replaceAll('_', 'x')])(
    'that the flags allow for another namespace is refused in %s',
    async (namespace) => {
      world = begin(allowing)
      world.seen('namespaces', namespaceObject(namespace))
      world.seen('namespacedAuthorities', tenant({ trustDomain: 'pay.example.org' }, { namespace }))
      await settle(`${namespace}.internal`)
      expect(ofTenant(namespace).reason).toBe('TrustDomainNotAllowed')
    },
  )

  it('that is recorded stays whatever the flags say later', async () => {
    world = begin(allowing)
    world.seen('namespacedAuthorities', tenant({ trustDomain: 'pay.example.org' }))
    await settle(KEY)
    const former = world
    world = begin()
    world.seen('namespacedAuthorities', former.api.at(mutualAuthorities, { namespace: 'shop', name: 'internal' }) as RawObject)
    world.seen('caSecrets', former.api.at(secrets, inOperator('shop.internal-ca-1')) as RawObject)
    world.seen('bundleRecords', former.api.at(configMaps, inOperator(COPY.name)) as RawObject)
    await settle(KEY)
    expect(ofTenant()).toMatchObject({ status: 'True', reason: 'Current' })
    workload('shop', BY_TENANT)
    await world.identity()
    expect(leafOf('shop')?.uris).toEqual(['spiffe://pay.example.org/ns/shop/sa/payments'])
  })

  const planWith = (defaultTrustDomain: string, namespace: string, secretsOf: RawObject[] = []) => {
    const stores = filledStores({ namespacedAuthorities: [tenant({}, { namespace })], caSecrets: secretsOf })
    const authority = stores.namespacedAuthorities.get(namespace, 'internal')
    if (!authority) throw new Error('the authority is not in its store')
    return planAuthority(
      observeAuthorityState(authority, stores, { operatorNamespace: OPERATOR_NAMESPACE, defaultTrustDomain, namespacedTrustDomains: {} }),
      NOW,
    )
  }
  it('that is recorded stays when the operator’s own becomes another', async () => {
    const ca = await makeCA({ trustDomain: parseTrustDomain('shop.cluster.local') })
    expect(planWith('example.org', 'shop', [caSecret(ca, { authority: INTERNAL })]).step).toMatchObject({
      kind: 'publish',
      bundle: { trustDomain: 'shop.cluster.local' },
    })
  })
  it('that becomes too long is refused', () => {
    expect(planWith(Array.from({ length: 4 }, () => 'a'.repeat(60)).join('.'), 'n'.repeat(63)).readiness).toMatchObject({
      state: 'refused',
      reason: 'TrustDomainInvalid',
    })
  })
})

it.each([{}, { trustDomain: 'cluster.local' }, { caSecret: { name: 'default-ca-1' } }])(
  "an authority in the operator's own namespace is refused (%j), and makes nothing",
  async (spec) => {
    world.seen('namespacedAuthorities', tenant(spec, { namespace: OPERATOR_NAMESPACE }))
    await settle(`${OPERATOR_NAMESPACE}.internal`)
    expect(ofTenant(OPERATOR_NAMESPACE)).toMatchObject({
      status: 'False',
      reason: 'OperatorNamespace',
      message: "namespace mutual-identity-system is the operator's own and holds CA keys: make the authority in another one",
    })
    expect(created()).toEqual([])
  },
)

describe('a tenant that claims the trust domain of the cluster', () => {
  const CLAIM = { trustDomain: 'cluster.local' }
  it('gets it neither before nor after the cluster’s authority is there, which is never stopped', async () => {
    world.seen('namespacedAuthorities', tenant(CLAIM, { olderBy: 1000 }))
    await settle(KEY)
    expect(ofTenant().reason).toBe('TrustDomainNotAllowed')
    world.seen('authorities', authorityObject())
    await settle('default', KEY)
    expect([ofCluster(), ofTenant()]).toMatchObject([
      { status: 'True', reason: 'Current' },
      { status: 'False', reason: expect.stringMatching(/^TrustDomain(Taken|NotAllowed)$/) },
    ])
    expect(created()).not.toContain('secrets mutual-identity-system/shop.internal-ca-1')
  })

  it('and has it by the flags has to stop when the cluster’s authority comes, which is not stopped', async () => {
    world = begin({ namespacedTrustDomains: { shop: ['cluster.local'] } })
    world.seen('namespacedAuthorities', tenant(CLAIM, { olderBy: 1000 }))
    await settle(KEY)
    expect(ofTenant().reason).toBe('Current')
    world.seen('authorities', authorityObject())
    await settle(KEY, 'default')
    expect([ofCluster(), ofTenant()]).toMatchObject([
      { status: 'True', reason: 'Current' },
      {
        status: 'False',
        reason: 'TrustDomainTaken',
        message: expect.stringMatching(/^trust domain cluster\.local belongs to ClusterMutualAuthority default/),
      },
    ])
    workload('shop', BY_TENANT)
    expect((await waiting('shop')).reason).toBe('AuthorityNotReady')
    expect(world.api.at(secrets, { namespace: 'shop', name: 'payments-mtls' })).toBeUndefined()
  })
})

describe('a tenant that claims what is another namespace’s', () => {
  const CLAIM = { trustDomain: 'shop.cluster.local' }
  const evil = () => tenant(CLAIM, { namespace: 'bank', name: 'evil', olderBy: 1000 })

  it('does not stop that namespace’s authority from coming up, though it is older', async () => {
    world.seen('namespacedAuthorities', evil())
    world.seen('namespacedAuthorities', tenant())
    await settle('bank.evil', KEY)
    expect([ofTenant().reason, ofTenant('bank', 'evil').reason]).toEqual([
      'Current',
      expect.stringMatching(/^TrustDomain(Taken|NotAllowed)$/),
    ])
  })

  it('is not told whose it is', async () => {
    world.seen('namespacedAuthorities', tenant())
    await settle(KEY)
    world.seen('namespacedAuthorities', evil())
    await settle('bank.evil')
    expect(ofTenant('bank', 'evil')).toMatchObject({
      reason: 'TrustDomainNotAllowed',
      message: expect.not.stringContaining('internal'),
    })
  })

  it('does not stop it while it signs', async () => {
    world.seen('namespacedAuthorities', tenant())
    await settle(KEY)
    world.seen('namespacedAuthorities', evil())
    await settle('bank.evil', KEY)
    expect(ofTenant().reason).toBe('Current')
    workload('shop', BY_TENANT)
    await world.identity()
    expect(ready(mutualIdentities, 'shop', 'payments').reason).toBe('Current')
    expect(world.api.at(secrets, inOperator('bank.evil-ca-1'))).toBeUndefined()
  })
})

describe('two authorities of one namespace with one trust domain', () => {
  const both = async (olderHasKey: boolean) => {
    world.seen('namespacedAuthorities', tenant({}, { name: 'young' }))
    if (!olderHasKey) await settle('shop.young')
    world.seen('namespacedAuthorities', tenant({}, { name: 'old', olderBy: 10 }))
    await settle('shop.old', 'shop.young')
  }
  it('the older has it', async () => {
    await both(true)
    expect([ofTenant('shop', 'old').reason, ofTenant('shop', 'young')]).toEqual([
      'Current',
      expect.objectContaining({
        reason: 'TrustDomainTaken',
        message: expect.stringMatching(/^trust domain shop\.cluster\.local belongs to MutualAuthority shop\/old/),
      }),
    ])
  })
  it('but one that signs already keeps it', async () => {
    await both(false)
    expect([ofTenant('shop', 'young').reason, ofTenant('shop', 'old').reason]).toEqual(['Current', 'TrustDomainTaken'])
    expect(created().filter((path) => path.startsWith('secrets'))).toEqual(['secrets mutual-identity-system/shop.young-ca-1'])
  })
})

const corporate = await corporateCa()
const meant = (value: string | undefined): RawObject => sourceSecret(corporate, { annotations: { [annotations.allowedAuthority]: value } })
const FROM_SECRET = { caSecret: { name: 'corporate-ca' } }

describe('a CA Secret', () => {
  it.each<[string, string | undefined]>([
    ['nobody', undefined],
    ['the authority of that name in another namespace', 'bank/internal'],
    ['another authority of the namespace', 'shop/other'],
    ['an authority of the cluster', 'internal'],
    ['all of the namespace', 'shop/*'],
    ['two at once', 'shop/internal,bank/internal'],
    ['it in other letters', 'Shop/Internal'],
    ['it and a blank', 'shop/internal '],
    ['an empty text', ''],
  ])('that an administrator means for %s is refused, with what to write', async (_what, value) => {
    world.seen('namespacedAuthorities', tenant(FROM_SECRET))
    world.api.put(secrets, meant(value))
    await settle(KEY)
    expect(ofTenant()).toMatchObject({
      status: 'False',
      reason: 'CASourceNotAllowed',
      message:
        'no Secret corporate-ca is meant for it: an administrator must annotate it mutualidentity.io/allowed-authority: shop/internal',
    })
    expect(created()).toEqual([])
  })

  it('that an administrator means for it is copied, also where that is written later', async () => {
    world.seen('namespacedAuthorities', tenant(FROM_SECRET))
    world.api.put(secrets, meant(undefined))
    await settle(KEY)
    world.api.put(secrets, meant('shop/internal'))
    await settle(KEY)
    expect(ofTenant().reason).toBe('Current')
    expect(text(secrets, inOperator('shop.internal-ca-1'), 'tls.crt')).toBe(pemOf(corporate.certificate))
    expect(text(configMaps, inOperator(COPY.name), 'ca.crt')).toBe(pemOf(corporate.root))
  })

  it('that was meant for it and is no longer: the copy goes on signing, and that is told once', async () => {
    world.seen('namespacedAuthorities', tenant(FROM_SECRET))
    world.api.put(secrets, meant('shop/internal'))
    await settle(KEY)
    world.api.put(secrets, meant(undefined))
    await settle(KEY)
    expect(ofTenant()).toMatchObject({
      status: 'True',
      reason: 'CASourceNotAllowed',
      message: expect.stringMatching(/the copy goes on signing$/),
    })
    const told = world.api.writes.filter(({ path, body }) => path.startsWith('events') && (body as { type?: string }).type === 'Warning')
    expect(told).toHaveLength(1)
  })

  it('that is not meant for it tells nothing of itself: good, garbage, empty, ours and none are refused alike', async () => {
    const messages = new Set<string>()
    for (const secret of [
      meant(undefined),
      { ...meant(undefined), data: {} },
      sourceSecret(corporate, { data: { 'tls.crt': b64('garbage') } }),
      sourceSecret(corporate, { labels: { [labels.managedBy]: 'mutual-identity' } }),
      undefined,
    ]) {
      world = begin()
      world.seen('namespacedAuthorities', tenant(FROM_SECRET))
      if (secret) world.api.put(secrets, secret)
      await settle(KEY)
      messages.add(`${ofTenant().reason}: ${ofTenant().message}`)
    }
    expect(messages.size).toBe(1)
  })

  it("in the tenant's own namespace is not looked at, whatever is written on it", async () => {
    world.seen('namespacedAuthorities', tenant(FROM_SECRET))
    world.api.put(secrets, { ...meant('shop/internal'), metadata: { ...meant('shop/internal').metadata, namespace: 'shop' } })
    await settle(KEY)
    expect(ofTenant().reason).toBe('CASourceNotAllowed')
    expect(world.api.reads.filter((path) => path.startsWith('secrets shop/'))).toEqual([])
  })

  it.each([
    ['the cluster’s CA', 'default-ca-1'],
    ['another tenant’s CA', 'bank.internal-ca-1'],
    ['its own CA', 'shop.other-ca-1'],
  ])('that is a generation of ours is refused, though it be annotated: %s', async (_what, name) => {
    world.seen('authorities', authorityObject())
    world.seen('namespacedAuthorities', tenant({}, { namespace: 'bank' }))
    world.seen('namespacedAuthorities', tenant({}, { name: 'other', olderBy: 10 }))
    await settle('default', 'bank.internal', 'shop.other')
    const generation = world.api.at(secrets, inOperator(name)) as RawObject
    const said = { ...generation.metadata.annotations, [annotations.allowedAuthority]: 'shop/internal' }
    world.api.put(secrets, { ...generation, metadata: { ...generation.metadata, annotations: said } })
    world.seen('namespacedAuthorities', tenant({ caSecret: { name }, trustDomain: 'shop.cluster.local' }))
    const other = world.stores.namespacedAuthorities.get('shop', 'other')
    world.stores.namespacedAuthorities.removed({ namespace: 'shop', name: 'other' }, other?.uid ?? '')
    await settle(KEY)
    expect(ofTenant()).toMatchObject({
      status: 'False',
      reason: 'CASourceNotAllowed',
      message: `no Secret ${name} is meant for it: an administrator must annotate it mutualidentity.io/allowed-authority: shop/internal`,
    })
    expect(world.api.at(secrets, inOperator('shop.internal-ca-1'))).toBeUndefined()
  })
})

describe('an identity of another namespace that names it', () => {
  beforeEach(async () => {
    world.seen('namespacedAuthorities', tenant())
    await settle(KEY)
  })

  it('means the one of its own namespace, and there is none', async () => {
    workload('bank', BY_TENANT)
    expect(await waiting('bank')).toMatchObject({
      status: 'False',
      reason: 'AuthorityNotFound',
      message: expect.stringMatching(/there is no MutualAuthority bank\/internal|there is no MutualAuthority internal/),
    })
    expect(world.api.at(secrets, { namespace: 'bank', name: 'payments-mtls' })).toBeUndefined()
  })

  it('gets no copy of its bundle', async () => {
    workload('bank', BY_TENANT)
    for (const key of [KEY, 'bank.internal']) await world.bundle('bank', key)
    expect(world.api.all().filter(({ kind, metadata }) => kind === 'ConfigMap' && metadata.namespace === 'bank')).toEqual([])
  })

  it('is signed by the one of its own namespace, once there is one', async () => {
    workload('bank', BY_TENANT)
    world.seen('namespacedAuthorities', tenant({}, { namespace: 'bank' }))
    await settle('bank.internal')
    await world.identity('bank')
    expect(leafOf('bank')?.uris).toEqual(['spiffe://bank.cluster.local/ns/bank/sa/payments'])
    expect(text(secrets, { namespace: 'bank', name: 'payments-mtls' }, 'ca.crt')).toBe(
      text(secrets, inOperator('bank.internal-ca-1'), 'tls.crt'),
    )
  })

  it('as one that it accepts besides its own does not get its anchors either', async () => {
    world.seen('authorities', authorityObject())
    await settle('default')
    workload('bank', { trust: { additionalAuthorities: [{ kind: 'MutualAuthority', name: 'internal', pooled: true }] } })
    await world.identity('bank')
    const root = text(secrets, inOperator('shop.internal-ca-1'), 'tls.crt')
    expect(JSON.stringify(world.api.all().filter(({ metadata }) => metadata.namespace === 'bank'))).not.toContain(b64(root).slice(0, 60))
  })
})

describe('a spec that was stored before the schema refused it', () => {
  const raw = tenant({ policy: { allowedNamespaces: ['bank', 'shop'] }, trustBundle: { namespaces: { policy: 'All' } } })
  it('gives it no other namespace than its own', () => {
    expect(projectMutualAuthority(raw as never).spec.policy.allowedNamespaces).toEqual(['shop'])
  })
  it('carries its bundle nowhere else', async () => {
    const [bank] = filledStores({ namespaces: [namespaceObject('bank')] }).namespaces.all()
    expect(bank && wantsCopy(projectMutualAuthority(raw as never), bank)).toBe(false)
    world.seen('namespacedAuthorities', raw)
    await settle(KEY)
    await world.bundle('bank', KEY)
    expect(world.api.all().filter(({ kind, metadata }) => kind === 'ConfigMap' && metadata.namespace === 'bank')).toEqual([])
  })
})

/** As the watches would: into each cache whose namespace and labels it matches. Says which those are. */
function arrives(resource: Resource, object: RawObject): WatchedCache[] {
  const { namespace, labels: own = {} } = object.metadata
  const selected = (selector: string | undefined) =>
    (selector ?? '').split(',').every((pair) => pair === '' || own[pair.split('=')[0] as string] === pair.split('=')[1])
  const caches = (Object.entries(scopes) as [WatchedCache, Scope][])
    .filter(([, scope]) => scope.resource === resource && selected(scope.labelSelector))
    .filter(([, scope]) => !scope.operatorNamespaceOnly || namespace === OPERATOR_NAMESPACE)
    .map(([cache]) => cache)
  for (const cache of caches) world.seen(cache, object)
  if (caches.length === 0) world.api.put(resource, object)
  return caches
}

describe('what a tenant forges in its own namespace', () => {
  const forgedCa = async (authority: AuthorityRef, trustDomain: string): Promise<RawObject> =>
    caSecret(await makeCA({ trustDomain: parseTrustDomain(trustDomain) }), { authority, metadata: { namespace: 'shop' } })
  const forgedBundle = async (authority: AuthorityRef): Promise<RawObject> => {
    const { certificate } = await makeCA()
    return bundleMap(publishedBundle(makeBundle([certificate], NOW), 'cluster.local', 9999), { authority, namespace: 'shop' })
  }
  const CLUSTER: AuthorityRef = { kind: 'ClusterMutualAuthority', namespace: '', name: 'default' }

  it.each<[string, AuthorityRef, string]>([
    ['the cluster’s', CLUSTER, 'cluster.local'],
    ['its own', INTERNAL, 'shop.cluster.local'],
  ])('a CA Secret, labelled like %s, is in no cache and is not believed', async (_what, ref, trustDomain) => {
    const forged = await forgedCa(ref, trustDomain)
    expect(arrives(secrets, forged)).toEqual([])
    world.seen('authorities', authorityObject())
    world.seen('namespacedAuthorities', tenant())
    await settle('default', KEY)
    const own = text(secrets, inOperator(caSecretName(ref, 1)), 'tls.crt')
    expect(own).not.toBe('')
    expect(own).not.toBe(text(secrets, { namespace: 'shop', name: caSecretName(ref, 1) }, 'tls.crt'))
    expect([ofCluster().reason, ofTenant().reason]).toEqual(['Current', 'Current'])
    expect(world.api.at(secrets, { namespace: 'shop', name: caSecretName(ref, 1) })?.data).toEqual(forged.data)
  })

  it.each<[string, AuthorityRef]>([
    ['the cluster’s', CLUSTER],
    ['its own', INTERNAL],
  ])('a bundle, labelled and named like %s, is no record: nothing is published from it, and it is put right', async (_what, ref) => {
    const forged = await forgedBundle(ref)
    expect(arrives(configMaps, forged)).toEqual(['bundleCopies'])
    world.seen('authorities', authorityObject())
    world.seen('namespacedAuthorities', tenant())
    await settle('default', KEY)
    const record = text(configMaps, inOperator(bundleName(ref)), 'ca.crt')
    expect(record).toBe(text(secrets, inOperator(caSecretName(ref, 1)), 'tls.crt'))
    await world.bundle('shop', authorityKey(ref))
    expect(text(configMaps, { namespace: 'shop', name: bundleName(ref) }, 'ca.crt')).toBe(record)
  })

  it('a bundle named like another tenant’s gets nothing of that one’s', async () => {
    world.seen('namespacedAuthorities', tenant({}, { namespace: 'bank' }))
    await settle('bank.internal')
    const forged = await forgedBundle({ kind: 'MutualAuthority', namespace: 'bank', name: 'internal' })
    arrives(configMaps, forged)
    await world.bundle('shop', 'bank.internal')
    expect(world.api.at(configMaps, { namespace: 'shop', name: 'bank.internal-trust-bundle' })?.data).toEqual(forged.data)
    expect(text(configMaps, inOperator('bank.internal-trust-bundle'), 'ca.crt')).toBe(
      text(secrets, inOperator('bank.internal-ca-1'), 'tls.crt'),
    )
  })

  it('a label that names another authority does not make a copy that one’s', async () => {
    world.seen('namespacedAuthorities', tenant())
    await settle(KEY)
    workload('shop', BY_TENANT)
    await world.bundle('shop', KEY)
    const copy = world.api.at(configMaps, COPY) as RawObject
    const forged = { ...copy.metadata.labels, [labels.authority]: 'default', [labels.authorityKind]: 'ClusterMutualAuthority' }
    arrives(configMaps, { ...copy, metadata: { ...copy.metadata, labels: forged } })
    await world.bundle('shop', KEY)
    expect(world.api.at(configMaps, COPY)).toMatchObject({ data: copy.data, metadata: { labels: copy.metadata.labels } })
  })

  it('an edit of its copy is repaired, and taken for nothing', async () => {
    world.seen('namespacedAuthorities', tenant())
    await settle(KEY)
    workload('shop', BY_TENANT)
    await world.bundle('shop', KEY)
    const copy = world.api.at(configMaps, COPY) as RawObject
    const { certificate } = await makeCA()
    arrives(configMaps, { ...copy, data: { ...(copy.data as object), 'ca.crt': pemOf(certificate) } })
    await world.bundle('shop', KEY)
    await world.identity()
    expect(world.api.at(configMaps, COPY)?.data).toEqual(copy.data)
    expect(text(secrets, { namespace: 'shop', name: 'payments-mtls' }, 'ca.crt')).toBe((copy.data as Record<string, string>)['ca.crt'])
  })
})

it('what an authority of a namespace signs for is asked anew by whoever signs: nothing is taken from its status', async () => {
  world.seen('namespacedAuthorities', tenant({}, { fields: { status: { trustDomain: 'cluster.local', conditions: [] } } }))
  await settle(KEY)
  expect(observeAuthority(world.stores, INTERNAL)).toMatchObject({
    trustDomain: 'shop.cluster.local',
    allowedNamespaces: ['shop'],
    shortServiceNames: true,
  })
})
