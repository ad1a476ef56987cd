// Extra DNS names of an identity: what the authority's list allows, what no list can allow, and that a refusal costs no certificate that is there.

import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../../../../src/api/kinds.ts'
import { planIdentity } from '../../../../../src/controllers/identity/plan.ts'
import { dnsNamesAsked } from '../../../../../src/controllers/identity/pods/dns-names.ts'
import { type RawObject, secrets } from '../../../../../src/k8s/resource.ts'
import { parseDnsName } from '../../../../../src/pki/dns-name.ts'
import { authorityOf, factsOf, identityOf, NOW } from '../../../../support/identity-facts.ts'
import { authorityObject, identityObject, namespaceObject, podObject, serviceObject } from '../../../../support/material.ts'
import { type Passes, passes } from '../../../../support/passes.ts'

const SECRET = { namespace: 'shop', name: 'payments-mtls' }

/** What is asked for when the authority allows `allowed` and the identity names `names`. */
function asked(names: readonly string[], allowed: readonly string[], change: Partial<ReturnType<typeof factsOf>> = {}) {
  const { spec } = identityOf()
  const identity = identityOf({ spec: { ...spec, certificate: { ...spec.certificate, dnsNames: names } } })
  return dnsNamesAsked(factsOf({ identity, serviceDnsNames: [], ...change }), authorityOf({ allowedDNSNames: allowed }))
}

describe('an allow-list', () => {
  it.each<[string, string, string]>([
    ['an exact name', 'pay.example.com', 'pay.example.com'],
    ['one label for the star', 'pay.example.com', '*.example.com'],
    ['any entry of several', 'pay.example.com', 'other.example.com|*.example.com'],
    ['a label with hyphens and digits for the star', 'pay-2.example.com', '*.example.com'],
  ])('allows %s: %s by %s', (_what, name, list) => {
    expect(asked([name], list.split('|'))).toEqual([name])
  })

  it.each<[string, string, string]>([
    ['nothing when it is empty', 'pay.example.com', ''],
    ['no two labels for one star', 'a.pay.example.com', '*.example.com'],
    ['no empty place for the star', 'example.com', '*.example.com'],
    ['no name that only ends alike', 'payexample.com', '*.example.com'],
    ['no name below an exact one', 'a.pay.example.com', 'pay.example.com'],
    ['no name above an exact one', 'example.com', 'pay.example.com'],
    ['no parent of an entry that begins alike', 'pay.example.com.evil.org', 'pay.example.com'],
    ['no other name in the place of a dot', 'payxexample.com', 'pay.example.com'],
    ['no wildcard, though its text is the pattern', '*.example.com', '*.example.com'],
    ['no lone star for all', 'pay.example.com', '*'],
  ])('allows %s: %s by %s', (_what, name, list) => {
    expect(asked([name], list === '' ? [] : list.split('|'))).toMatchObject({ state: 'refused', reason: 'DNSNameNotAllowed' })
  })

  it('is asked about every name: the first that is not on it is the one that is told', () => {
    const answer = asked(['a.example.com', 'b.example.org', 'c.example.net'], ['*.example.com'])
    expect(answer).toMatchObject({ message: expect.stringContaining('b.example.org') })
  })

  it('is not asked about names of Services', () => {
    expect(asked([], [], { serviceDnsNames: [parseDnsName('payments.shop.svc')] })).toEqual(['payments.shop.svc'])
  })

  it('puts a name into the certificate once, though a Service has it too, and sorts them', () => {
    const serviceDnsNames = [parseDnsName('payments.shop')]
    expect(
      asked(['z.example.com', 'payments.shop', 'a.example.com', 'z.example.com'], ['*.example.com', 'payments.shop'], { serviceDnsNames }),
    ).toEqual(['a.example.com', 'payments.shop', 'z.example.com'])
  })
})

describe('a name that no list can allow', () => {
  // Each is on the list itself, and under a star: only the rule stops it.
  const refused = (name: string, change = {}) => asked([name], [name, `*.${name.slice(name.indexOf('.') + 1)}`], change)

  it.each<[string, string, RegExp]>([
    ['a bare name', 'payments', /bare name.*give a name with a dot/],
    ['the API server', 'kubernetes.default.svc', /ends with svc: .*certificate\.serviceNames/],
    ['a Service by its short suffix', 'orders.other.svc', /ends with svc/],
    ['a Service of the own namespace', 'payments.shop.svc', /ends with svc/],
    ['a Service by its full name', 'kubernetes.default.svc.cluster.local', /ends with cluster\.local/],
    ['a pod by its full name', '10-0-0-1.other.pod.cluster.local', /ends with cluster\.local/],
    ['the domain of the cluster itself', 'cluster.local', /ends with cluster\.local/],
    ['a name with a final dot', 'pay.example.com.', /ends with a dot.*leave the dot out/],
    ['a name with an underscore', 'pay_1.example.com', /character that is not allowed.*use lower case letters/],
    ['an IPv4 address', '10.0.0.1', /IP address.*give a name/],
    ['an IPv6 address', '2001:db8::1', /IP address.*give a name/],
    ['a name in upper case', 'Pay.example.com', /upper case.*write it in lower case/],
    ['a wildcard', '*.example.com', /wildcard.*name each host/],
    ['an empty text', '', /is empty.*give a name/],
    ['a name with an empty label', 'pay..example.com', /empty label.*write one dot/],
    ['a label that is too long', `${'a'.repeat(64)}.example.com`, /longer than 63.*shorten/],
  ])('is %s (%s), and the message says the value, the rule and the remedy', (_what, name, rule) => {
    const answer = refused(name)
    expect(answer).toMatchObject({ state: 'refused', reason: 'DNSNameNotAllowed', message: expect.stringMatching(rule) })
    expect(answer).toMatchObject({ message: expect.stringContaining(`certificate.dnsNames ${name}`) })
  })

  it('is one that ends with the domain of this cluster, whatever that is', () => {
    expect(refused('web.other.k8s.example.com', { clusterSuffixes: ['svc', 'k8s.example.com'] })).toMatchObject({
      message: expect.stringContaining('ends with k8s.example.com'),
    })
  })

  it('is not one that only looks like it: a label more or less', () => {
    for (const name of ['pay.mysvc', 'svc.example.com', 'pay.notcluster.local', 'cluster.local.example.com']) {
      expect(asked([name], [name])).toEqual([name])
    }
  })

  it('says where a name may come from when the list has no room for it', () => {
    expect(asked(['pay.example.org'], ['a.test', 'b.test', 'c.test', 'd.test', 'e.test', 'f.test'])).toMatchObject({
      message:
        'certificate.dnsNames pay.example.org: is not among those that ClusterMutualAuthority default allows (spec.policy.allowedDNSNames: a.test, b.test, c.test, d.test, e.test): have it added, or leave the name out',
    })
    expect(asked(['pay.example.org'], [])).toMatchObject({ message: expect.stringContaining('(spec.policy.allowedDNSNames: none)') })
  })
})

describe('more names than one certificate may hold', () => {
  const services = (count: number) => Array.from({ length: count }, (_, index) => parseDnsName(`s${index}.shop`))

  it('are 401, those of Services and extra ones together', () => {
    const serviceDnsNames = services(398)
    const names = ['a.example.com', 'b.example.com']
    expect(asked(names, ['*.example.com'], { serviceDnsNames })).toHaveLength(400)
    expect(asked([...names, 'c.example.com'], ['*.example.com'], { serviceDnsNames })).toMatchObject({
      state: 'refused',
      reason: 'TooManyNames',
      message: expect.stringMatching(/^401 DNS names are more than the 400 .*narrow podSelector.*serviceNames to None/),
    })
  })

  it('are not counted twice', () => {
    expect(asked(['s0.shop', 's1.shop'], ['*.shop'], { serviceDnsNames: services(400) })).toHaveLength(400)
  })

  it('stop the plan', () => {
    expect(planIdentity(factsOf({ serviceDnsNames: services(401) }), NOW)).toMatchObject({
      step: { kind: 'none' },
      readiness: { reason: 'TooManyNames' },
    })
  })
})

/** Namespace shop with a pod and a Service, an authority that signs. Nothing was done for the identity yet. */
async function scene(
  options: { policy?: object; dnsNames?: readonly string[]; authority?: 'cluster' | 'namespaced' } = {},
): Promise<Passes> {
  const { policy = {}, dnsNames = [], authority = 'cluster' } = options
  const one = passes({ namespacedTrustDomains: { shop: ['shop.cluster.local'] } })
  one.seen('namespaces', namespaceObject('shop'))
  one.seen('namespaces', namespaceObject('other'))
  one.seen('pods', podObject('a'))
  one.seen('services', serviceObject('payments'))
  if (authority === 'cluster') one.seen('authorities', authorityObject({ policy }))
  else {
    const raw = authorityObject({ policy }, { metadata: { namespace: 'shop', name: 'internal' } })
    one.seen('namespacedAuthorities', { ...raw, kind: 'MutualAuthority' })
  }
  const authorityRef = authority === 'cluster' ? {} : { authorityRef: { kind: 'MutualAuthority', name: 'internal' } }
  one.seen('identities', identityObject({ ...authorityRef, certificate: { dnsNames } }))
  for (let pass = 0; pass < 5; pass++) await one.authority(authority === 'cluster' ? 'default' : 'shop.internal')
  one.api.writes.length = 0
  return one
}

const leafIn = (one: Passes): X509Certificate => {
  const data = one.api.at(secrets, SECRET)?.['data'] as Record<string, string>
  return new X509Certificate(Buffer.from(data['tls.crt'] ?? '', 'base64'))
}
const namesIn = (one: Passes): string[] => (leafIn(one).subjectAltName ?? '').split(', ').filter((name) => name.startsWith('DNS:'))
const readyOf = (one: Passes) => {
  const raw = one.api.at(mutualIdentities, { namespace: 'shop', name: 'payments' })?.['status'] as {
    conditions: { type: string; status: string; reason: string; message: string }[]
  }
  return raw.conditions.find(({ type }) => type === 'Ready')
}
/** The spec as somebody changed it; what the operator wrote into the status stays. */
function respec(one: Passes, dnsNames: readonly string[]): void {
  const present = one.api.at(mutualIdentities, { namespace: 'shop', name: 'payments' }) as RawObject
  const generation = (present.metadata.generation ?? 1) + 1
  one.seen('identities', {
    ...present,
    metadata: { ...present.metadata, generation },
    spec: { ...(present['spec'] as object), certificate: { dnsNames } },
  })
}

const OF_SERVICE = ['DNS:payments.shop', 'DNS:payments.shop.svc', 'DNS:payments.shop.svc.cluster.local']

describe('a whole pass', () => {
  it('puts allowed names beside those of the Services', async () => {
    const one = await scene({ policy: { allowedDNSNames: ['*.example.com'] }, dnsNames: ['pay.example.com'] })
    await one.identity()
    expect(namesIn(one)).toEqual(['DNS:pay.example.com', ...OF_SERVICE])
    expect(readyOf(one)).toMatchObject({ status: 'True', reason: 'Current' })
  })

  it('issues nothing while a name is refused, and says it in condition and event', async () => {
    const one = await scene({ dnsNames: ['pay.example.com'] })
    await one.identity()
    expect(one.api.at(secrets, SECRET)).toBeUndefined()
    expect(readyOf(one)).toMatchObject({ status: 'False', reason: 'DNSNameNotAllowed' })
    const events = one.api.writes.filter(({ path }) => path.startsWith('events'))
    expect(events.map(({ body }) => (body as { reason: string }).reason)).toEqual(['DNSNameNotAllowed'])
  })

  it('keeps the certificate that is there when a refused name is added, and says that it stays', async () => {
    const one = await scene({ policy: { allowedDNSNames: ['*.example.com'] }, dnsNames: ['pay.example.com'] })
    await one.identity()
    const { serialNumber } = leafIn(one)
    respec(one, ['pay.example.com', 'kubernetes.default.svc'])
    await one.identity()
    expect(leafIn(one).serialNumber).toBe(serialNumber)
    expect(readyOf(one)).toMatchObject({
      status: 'False',
      reason: 'DNSNameNotAllowed',
      message: expect.stringMatching(/kubernetes\.default\.svc.*The present certificate stays$/),
    })
  })

  it('keeps the certificate when the authority takes the name off its list, and goes on when it is back', async () => {
    const one = await scene({ policy: { allowedDNSNames: ['pay.example.com'] }, dnsNames: ['pay.example.com'] })
    await one.identity()
    const { serialNumber } = leafIn(one)
    one.seen('authorities', authorityObject({ policy: { allowedDNSNames: [] } }))
    await one.identity()
    expect([leafIn(one).serialNumber, readyOf(one)?.reason]).toEqual([serialNumber, 'DNSNameNotAllowed'])
    one.seen('authorities', authorityObject({ policy: { allowedDNSNames: ['*.example.com'] } }))
    await one.identity()
    expect([leafIn(one).serialNumber, readyOf(one)?.reason]).toEqual([serialNumber, 'Current'])
  })

  it('makes a new certificate for a name that is added, and none for one that is left out', async () => {
    const one = await scene({ policy: { allowedDNSNames: ['*.example.com'] } })
    await one.identity()
    const first = leafIn(one).serialNumber
    respec(one, ['pay.example.com'])
    await one.identity()
    expect(leafIn(one).serialNumber).not.toBe(first)
    expect(one.outcomes.map(({ reason }) => reason)).toEqual(['SecretMissing', 'NamesChanged'])
    const second = leafIn(one).serialNumber
    respec(one, [])
    await one.identity()
    expect(leafIn(one).serialNumber).toBe(second)
  })

  it('refuses how a Service of another namespace is called, also where the list has it', async () => {
    const one = await scene({ policy: { allowedDNSNames: ['*.other', 'orders.other'] }, dnsNames: ['orders.other'] })
    await one.identity()
    expect(one.api.at(secrets, SECRET)).toBeUndefined()
    expect(readyOf(one)?.message).toMatch(/orders\.other: is how a Service of another namespace is called: leave it out/)
  })

  it('takes such a name where no namespace is called so', async () => {
    const one = await scene({ policy: { allowedDNSNames: ['orders.example'] }, dnsNames: ['orders.example'] })
    await one.identity()
    expect(namesIn(one)).toEqual(['DNS:orders.example', ...OF_SERVICE])
  })

  it.each<[string, object, boolean]>([
    ['not by an authority of the cluster', { authority: 'cluster' }, false],
    ['by an authority of the cluster that allows it', { authority: 'cluster', policy: { shortServiceNames: true } }, true],
    ['by an authority of the namespace', { authority: 'namespaced' }, true],
    ['not by an authority of the namespace that forbids it', { authority: 'namespaced', policy: { shortServiceNames: false } }, false],
  ])('gives the bare name of a Service: %s', async (_what, options, given) => {
    const one = await scene(options)
    await one.identity()
    expect(namesIn(one)).toEqual(given ? ['DNS:payments', ...OF_SERVICE] : OF_SERVICE)
  })
})
