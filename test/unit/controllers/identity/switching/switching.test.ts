// An identity that is switched to another authority: held by the old one until its peers accept the new one, then a leaf of the new one, then without
// the old anchors. Whole passes over two identities of one namespace, with real CAs; at every step each accepts the certificate of the other.

import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../../../../src/api/kinds.ts'
import { annotations, labels } from '../../../../../src/api/names.ts'
import { hours, minutes, seconds } from '../../../../../src/base/duration.ts'
import { formatInstant, parseInstant } from '../../../../../src/base/instant.ts'
import { observeIdentity } from '../../../../../src/controllers/identity/observe.ts'
import { type IdentityPlan, planIdentity } from '../../../../../src/controllers/identity/plan.ts'
import { configMaps, type RawObject, secrets } from '../../../../../src/k8s/resource.ts'
import { authorityObject, identityObject, NOW, namespaceObject, OPERATOR_NAMESPACE, podObject } from '../../../../support/material.ts'
import { type Passes, passes } from '../../../../support/passes.ts'

type Name = 'payments' | 'orders'
const MODERN = { authorityRef: { name: 'modern' } }
const LISTS_MODERN = { trust: { additionalAuthorities: [{ name: 'modern', pooled: true }] } }
const PROPAGATION = minutes(10)

async function authority(one: Passes, name: string, spec: object = {}): Promise<void> {
  one.seen('authorities', authorityObject(spec, { metadata: { name } }))
  for (let pass = 0; pass < 5; pass++) await one.authority(name)
}

/** payments and orders of shop, both served by default (cluster.local) for an hour; modern (modern.test) signs too. */
async function scene(options: { orders?: object; names?: readonly Name[]; modern?: boolean } = {}): Promise<Passes> {
  const { orders = {}, names = ['payments', 'orders'], modern = true } = options
  const one = passes()
  one.seen('namespaces', namespaceObject('shop'))
  await authority(one, 'default')
  if (modern) await authority(one, 'modern', { trustDomain: 'modern.test' })
  for (const name of names) {
    one.seen('pods', podObject(name, { labels: { app: name }, account: name }))
    const spec = { podSelector: { matchLabels: { app: name } }, ...(name === 'orders' ? orders : {}) }
    one.seen('identities', identityObject(spec, { metadata: { name } }))
  }
  for (const name of names) await one.identity('shop', name)
  await one.clock.advance(hours(1))
  for (const name of names) await one.identity('shop', name)
  return one
}

function respec(one: Passes, name: Name, change: object): void {
  const present = one.api.at(mutualIdentities, { namespace: 'shop', name }) as RawObject
  const metadata = { ...present.metadata, generation: (present.metadata.generation ?? 1) + 1 }
  one.seen('identities', { ...present, metadata, spec: { ...(present['spec'] as object), ...change } })
}

const secretIn = (one: Passes, name: Name): RawObject => {
  const secret = one.api.at(secrets, { namespace: 'shop', name: `${name}-mtls` })
  if (!secret) throw new Error(`${name} has no Secret`)
  return secret
}
const textIn = (one: Passes, name: Name, file: string): string =>
  Buffer.from((secretIn(one, name)['data'] as Record<string, string>)[file] ?? '', 'base64').toString()
const annotation = (one: Passes, name: Name, key: string) => secretIn(one, name).metadata.annotations?.[key]
const leafOf = (one: Passes, name: Name) => new X509Certificate(textIn(one, name, 'tls.crt'))
const endOf = (one: Passes, name: Name): number => leafOf(one, name).validToDate.getTime()
const bundleOf = (one: Passes, name: string): string => {
  const record = one.api.at(configMaps, { namespace: OPERATOR_NAMESPACE, name: `${name}-trust-bundle` })
  return (record?.['data'] as Record<string, string> | undefined)?.['ca.crt'] ?? ''
}
const rootOf = (one: Passes, name: string) => new X509Certificate(bundleOf(one, name))
/** Whose key signed the certificate of an identity. */
const signerOf = (one: Passes, name: Name) =>
  ['default', 'modern'].find((candidate) => bundleOf(one, candidate) && leafOf(one, name).verify(rootOf(one, candidate).publicKey))
/** Whose anchors are in ca.crt, in their order. */
function anchorsOf(one: Passes, name: Name): string[] {
  const text = textIn(one, name, 'ca.crt')
  return ['default', 'modern']
    .filter((candidate) => text.includes(bundleOf(one, candidate)))
    .sort((a, b) => text.indexOf(bundleOf(one, a)) - text.indexOf(bundleOf(one, b)))
}
interface Told {
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }[]
  readonly certificate?: { readonly issuedBy: string }
  readonly spiffeID?: string
}
const statusOf = (one: Passes, name: Name) => one.api.at(mutualIdentities, { namespace: 'shop', name })?.['status'] as Told | undefined
const readyOf = (one: Passes, name: Name) => statusOf(one, name)?.conditions.find(({ type }) => type === 'Ready')

/** What explain would say. */
function planOf(one: Passes, name: Name): IdentityPlan {
  const identity = one.stores.identities.get('shop', name)
  if (!identity) throw new Error(`there is no identity ${name}`)
  const surroundings = { operatorNamespace: OPERATOR_NAMESPACE, clusterDomain: 'cluster.local', restartWorkloads: true }
  return planIdentity(observeIdentity(identity, one.stores, surroundings), one.clock.now())
}

/** Oracle: whatever one of them presents, the other accepts. */
function acceptEachOther(one: Passes): void {
  for (const name of ['payments', 'orders'] as const) {
    const signer = signerOf(one, name)
    for (const peer of ['payments', 'orders'] as const)
      expect([peer, anchorsOf(one, peer)]).toEqual([peer, expect.arrayContaining([signer])])
  }
}

/** A pass over each, twice, so that what one writes the other sees. */
async function round(one: Passes, names: readonly Name[] = ['payments', 'orders']): Promise<void> {
  for (const name of [...names, ...names]) {
    await one.identity('shop', name)
    if (names.length === 2) acceptEachOther(one)
  }
}

/** payments is switched, orders accepts modern, and it has lasted long enough. */
async function switched(): Promise<Passes> {
  const one = await scene()
  respec(one, 'orders', LISTS_MODERN)
  respec(one, 'payments', MODERN)
  await round(one)
  await one.clock.advance(PROPAGATION)
  await round(one)
  return one
}

describe('an identity that is switched while a peer does not accept the new authority', () => {
  it('is held as PeersNotReady, which names the peer, the authorities and the remedy', async () => {
    const one = await scene()
    respec(one, 'payments', MODERN)
    await round(one)
    await one.clock.advance(seconds(3))
    await round(one)
    expect(readyOf(one, 'payments')).toMatchObject({
      reason: 'PeersNotReady',
      message:
        'ClusterMutualAuthority default goes on until the identities of this namespace that live by it accept ClusterMutualAuthority modern: list it in spec.trust.additionalAuthorities (pooled, where programs read ca.crt) of orders; identities of other namespaces are not seen',
    })
    expect(signerOf(one, 'payments')).toBe('default')
  })

  it('is told at once what the new authority will never give it, and goes on under the old one', async () => {
    const one = await scene()
    respec(one, 'payments', { ...MODERN, certificate: { dnsNames: ['api.example.org'] } })
    await round(one)
    const plan = planOf(one, 'payments')
    expect(plan.readiness).toMatchObject({ state: 'refused', reason: 'DNSNameNotAllowed', message: expect.stringContaining('modern') })
    expect(signerOf(one, 'payments')).toBe('default')
  })

  it('accepts the new authority itself already, besides the old one', async () => {
    const one = await scene()
    respec(one, 'payments', MODERN)
    await round(one)
    expect(anchorsOf(one, 'payments')).toEqual(['default', 'modern'])
    expect(annotation(one, 'payments', annotations.trustDomains)).toBe('cluster.local,modern.test')
    expect(secretIn(one, 'payments').metadata.labels).toMatchObject({ [labels.authority]: 'default' })
  })

  it('says the same to whoever asks for an explanation, and when it will look again', async () => {
    const one = await scene()
    respec(one, 'payments', MODERN)
    await round(one)
    expect(planOf(one, 'payments')).toMatchObject({
      step: { kind: 'none' },
      reason: 'PeersNotReady',
      message: expect.stringContaining('of orders;'),
      readiness: { state: 'waiting', reason: 'PeersNotReady' },
      next: one.clock.now() + seconds(15),
    })
  })

  it('is renewed by the old authority, under the old name', async () => {
    const one = await scene()
    respec(one, 'payments', MODERN)
    await round(one)
    const before = leafOf(one, 'payments').serialNumber
    await one.clock.advance(hours(14))
    await round(one)
    expect(leafOf(one, 'payments').serialNumber).not.toBe(before)
    expect([signerOf(one, 'payments'), leafOf(one, 'payments').subjectAltName]).toEqual([
      'default',
      'URI:spiffe://cluster.local/ns/shop/sa/payments',
    ])
    expect(anchorsOf(one, 'payments')).toEqual(['default', 'modern'])
    expect(statusOf(one, 'payments')).toMatchObject({ certificate: { issuedBy: 'ClusterMutualAuthority/default/1' } })
    expect(planOf(one, 'payments').reason).toBe('PeersNotReady')
  })

  it('is held for as long as that takes, over many renewals', async () => {
    const one = await scene()
    respec(one, 'payments', MODERN)
    for (let day = 0; day < 10; day++) {
      await one.clock.advance(hours(13))
      await round(one)
      expect(signerOf(one, 'payments')).toBe('default')
    }
  })

  it('is made anew by the old authority when somebody deletes its key', async () => {
    const one = await scene()
    respec(one, 'payments', MODERN)
    await round(one)
    const present = secretIn(one, 'payments')
    one.seen('leafSecrets', { ...present, data: { ...(present['data'] as object), 'tls.key': '' } })
    await round(one)
    expect([signerOf(one, 'payments'), textIn(one, 'payments', 'tls.key')]).toEqual(['default', expect.stringContaining('PRIVATE KEY')])
  })

  it('goes back without a trace when the spec goes back', async () => {
    const one = await scene()
    const before = secretIn(one, 'payments')
    respec(one, 'payments', MODERN)
    await round(one)
    respec(one, 'payments', { authorityRef: { name: 'default' } })
    await round(one)
    expect(secretIn(one, 'payments')['data']).toEqual(before['data'])
    expect(secretIn(one, 'payments').metadata.annotations).toEqual(before.metadata.annotations)
    expect(readyOf(one, 'payments')).toMatchObject({ status: 'True', reason: 'Current' })
  })

  it('is not held by a peer that lives by another authority, is in another namespace, is being deleted, or has no Secret and accepts', async () => {
    const one = await scene({ orders: { authorityRef: { name: 'modern' } } })
    one.seen('namespaces', namespaceObject('other'))
    one.seen('identities', identityObject({ serviceAccountName: 'x' }, { metadata: { namespace: 'other', name: 'elsewhere' } }))
    await one.identity('other', 'elsewhere')
    one.seen(
      'identities',
      identityObject({}, { metadata: { name: 'going', deletionTimestamp: formatInstant(NOW), creationTimestamp: formatInstant(NOW) } }),
    )
    one.seen(
      'identities',
      identityObject({ podSelector: { matchLabels: { app: 'none' } }, ...LISTS_MODERN }, { metadata: { name: 'young' } }),
    )
    respec(one, 'payments', MODERN)
    await one.identity('shop', 'payments')
    expect(signerOf(one, 'payments')).toBe('modern')
  })

  it('names five of many peers, and how many more there are', async () => {
    const one = await scene({ names: ['payments'] })
    for (let number = 1; number <= 7; number++) {
      one.seen(
        'identities',
        identityObject({ podSelector: { matchLabels: { app: `p${number}` } } }, { metadata: { name: `peer-${number}` } }),
      )
    }
    respec(one, 'payments', MODERN)
    expect(planOf(one, 'payments').readiness.message).toMatch(/ of peer-\d, peer-\d, peer-\d, peer-\d, peer-\d and 2 more;/)
  })
})

describe('a peer that lists the new authority', () => {
  it('does not accept it before its Secret holds the anchors', async () => {
    const one = await scene()
    respec(one, 'orders', LISTS_MODERN)
    respec(one, 'payments', MODERN)
    await one.identity('shop', 'payments')
    expect([signerOf(one, 'payments'), planOf(one, 'payments').readiness]).toMatchObject([
      'default',
      { reason: 'PeersNotReady', message: expect.stringContaining(' of orders;') },
    ])
  })

  it('does not accept it because its Secret held them once: the spec must ask for them', async () => {
    const one = await scene({ orders: LISTS_MODERN })
    respec(one, 'orders', { trust: {} })
    respec(one, 'payments', MODERN)
    expect(planOf(one, 'payments').readiness.message).toContain(' of orders;')
  })

  it('accepts it ten minutes later, when programs have read it; until then the plan says when that is', async () => {
    const one = await scene()
    respec(one, 'orders', LISTS_MODERN)
    respec(one, 'payments', MODERN)
    await round(one)
    const readyAt = one.clock.now() + PROPAGATION
    await one.clock.advance(PROPAGATION - 1000)
    await round(one)
    expect(signerOf(one, 'payments')).toBe('default')
    expect(planOf(one, 'payments')).toMatchObject({
      step: { kind: 'none' },
      readiness: {
        state: 'waiting',
        reason: 'PeersNotReady',
        message: `all peers of this namespace accept ClusterMutualAuthority modern; ClusterMutualAuthority default goes on until ${formatInstant(readyAt)}, when their programs have read it; identities of other namespaces are not seen`,
      },
      next: readyAt,
    })
    await one.clock.advance(1000)
    await round(one)
    expect(signerOf(one, 'payments')).toBe('modern')
  })

  it('that has accepted it for longer holds up nothing', async () => {
    const one = await scene({ orders: LISTS_MODERN })
    respec(one, 'payments', MODERN)
    await one.identity('shop', 'payments')
    expect(signerOf(one, 'payments')).toBe('modern')
    acceptEachOther(one)
  })

  it('may list it as not pooled: its programs read the file then', async () => {
    const one = await scene({ orders: { trust: { additionalAuthorities: [{ name: 'modern' }] } } })
    respec(one, 'payments', MODERN)
    await one.identity('shop', 'payments')
    expect(signerOf(one, 'payments')).toBe('modern')
    expect(textIn(one, 'orders', 'modern.test.spiffe-trust-bundle.x509.pem')).toBe(bundleOf(one, 'modern'))
  })

  it.each(['nonsense', '9999-12-31T23:59:59Z'])(
    'is believed by what its Secret holds of late: an edited instant (%s) is put right',
    async (since) => {
      const one = await scene()
      respec(one, 'orders', LISTS_MODERN)
      respec(one, 'payments', MODERN)
      await round(one)
      const present = secretIn(one, 'orders')
      const said = { ...present.metadata.annotations, [annotations.trustSince]: since }
      one.seen('leafSecrets', { ...present, metadata: { ...present.metadata, annotations: said } })
      await one.clock.advance(PROPAGATION)
      await round(one)
      expect(signerOf(one, 'payments')).toBe('default')
      await one.clock.advance(PROPAGATION)
      await round(one)
      expect(signerOf(one, 'payments')).toBe('modern')
    },
  )
})

describe('the leaf of the new authority', () => {
  it('comes with the anchors of both, the new ones first, and says of the old ones until when they stay', async () => {
    const one = await scene()
    respec(one, 'orders', LISTS_MODERN)
    respec(one, 'payments', MODERN)
    await round(one)
    const oldEnd = endOf(one, 'payments')
    await one.clock.advance(PROPAGATION)
    await round(one)
    expect(anchorsOf(one, 'payments')).toEqual(['modern', 'default'])
    expect(leafOf(one, 'payments').subjectAltName).toBe('URI:spiffe://modern.test/ns/shop/sa/payments')
    expect(annotation(one, 'payments', annotations.formerAuthorities)).toBe(`ClusterMutualAuthority/default/${formatInstant(oldEnd)}`)
    expect(annotation(one, 'payments', annotations.trustDomains)).toBe('modern.test,cluster.local')
    expect(secretIn(one, 'payments').metadata.labels).toMatchObject({ [labels.authority]: 'modern' })
    expect(statusOf(one, 'payments')).toMatchObject({
      spiffeID: 'spiffe://modern.test/ns/shop/sa/payments',
      certificate: { issuedBy: 'ClusterMutualAuthority/modern/1' },
    })
    expect(readyOf(one, 'payments')).toMatchObject({ status: 'True', reason: 'Current' })
  })

  it('is left alone by the passes that follow', async () => {
    const one = await switched()
    one.api.writes.length = 0
    await round(one)
    expect(one.api.writes).toEqual([])
  })

  it('is renewed by the new authority', async () => {
    const one = await switched()
    const before = leafOf(one, 'payments').serialNumber
    await one.clock.advance(hours(15))
    await round(one)
    expect([signerOf(one, 'payments'), leafOf(one, 'payments').serialNumber === before]).toEqual(['modern', false])
  })

  it('is for the account that was remembered, though there are no pods', async () => {
    const one = await scene({ orders: LISTS_MODERN })
    one.seen('pods', podObject('payments', { labels: { app: 'payments' }, account: 'payments', phase: 'Succeeded' }))
    respec(one, 'payments', MODERN)
    await round(one)
    expect(leafOf(one, 'payments').subjectAltName).toBe('URI:spiffe://modern.test/ns/shop/sa/payments')
  })

  it('is given up for the old authority when the spec goes back; both stay accepted', async () => {
    const one = await switched()
    const modernEnd = endOf(one, 'payments')
    respec(one, 'payments', { authorityRef: { name: 'default' } })
    await round(one)
    expect([signerOf(one, 'payments'), anchorsOf(one, 'payments')]).toEqual(['default', ['default', 'modern']])
    expect(annotation(one, 'payments', annotations.formerAuthorities)).toBe(`ClusterMutualAuthority/modern/${formatInstant(modernEnd)}`)
  })
})

describe('the old anchors', () => {
  const listed = (one: Passes): number | undefined =>
    parseInstant((annotation(one, 'payments', annotations.formerAuthorities) ?? '').split('/')[2] ?? '')

  it('stay while a peer lives by the old authority, however long', async () => {
    const one = await switched()
    for (let day = 0; day < 5; day++) {
      await one.clock.advance(hours(13))
      await round(one)
    }
    expect(one.clock.now()).toBeGreaterThan(listed(one) ?? 0)
    expect([signerOf(one, 'orders'), anchorsOf(one, 'payments')]).toEqual(['default', ['modern', 'default']])
  })

  it('go when the last certificate of the old authority has ended, and nothing is said of them any more', async () => {
    const one = await scene({ names: ['payments'] })
    const oldEnd = endOf(one, 'payments')
    respec(one, 'payments', MODERN)
    await round(one, ['payments'])
    await one.clock.advance(oldEnd - 1000 - one.clock.now())
    await round(one, ['payments'])
    expect(anchorsOf(one, 'payments')).toEqual(['modern', 'default'])
    const { at } = await one.identity('shop', 'payments')
    expect(at).toBe(oldEnd)
    await one.clock.advance(1000)
    await round(one, ['payments'])
    expect([anchorsOf(one, 'payments'), annotation(one, 'payments', annotations.formerAuthorities)]).toEqual([['modern'], undefined])
    expect(annotation(one, 'payments', annotations.trustDomains)).toBeUndefined()
  })

  it('stay until the certificate of a peer that followed has ended: its programs may present it for so long', async () => {
    const one = await scene()
    await one.clock.advance(hours(13))
    await round(one, ['orders'])
    // Renewed later, so that it ends later.
    const [first, last] = [endOf(one, 'payments'), endOf(one, 'orders')]
    expect(last).toBeGreaterThan(first + hours(10))
    respec(one, 'orders', LISTS_MODERN)
    respec(one, 'payments', MODERN)
    await one.identity('shop', 'orders')
    await one.clock.advance(PROPAGATION)
    await round(one)
    expect(signerOf(one, 'payments')).toBe('modern')
    respec(one, 'orders', { ...MODERN, trust: {} })
    await round(one)
    expect(signerOf(one, 'orders')).toBe('modern')
    await one.clock.advance(last - 1000 - one.clock.now())
    await round(one)
    expect(anchorsOf(one, 'payments')).toEqual(['modern', 'default'])
    await one.clock.advance(1000)
    await round(one)
    for (const name of ['payments', 'orders'] as const) expect(anchorsOf(one, name)).toEqual(['modern'])
  })

  it('go in the end, whatever somebody writes of them: no certificate outlives a year', async () => {
    const one = await scene()
    const present = secretIn(one, 'payments')
    const said = { ...present.metadata.annotations, [annotations.formerAuthorities]: 'ClusterMutualAuthority/modern/9999-12-31T23:59:59Z' }
    one.seen('leafSecrets', { ...present, metadata: { ...present.metadata, annotations: said } })
    await one.identity('shop', 'payments')
    const until = parseInstant((annotation(one, 'payments', annotations.formerAuthorities) ?? '').split('/')[2] ?? '')
    expect(until).toBe(one.clock.now() + hours(8760))
    one.api.writes.length = 0
    await one.clock.advance(hours(1))
    await one.identity('shop', 'payments')
    expect(one.api.writes).toEqual([])
  })

  it('stay although the old authority is deleted, since its record does', async () => {
    const one = await switched()
    one.stores.authorities.removed({ namespace: '', name: 'default' }, 'uid-default')
    await one.identity('shop', 'payments')
    expect(anchorsOf(one, 'payments')).toEqual(['modern', 'default'])
  })
})

describe('two identities that are switched at once', () => {
  it('do not wait for each other for ever: each accepts the new authority while it is held', async () => {
    const one = await scene()
    for (const name of ['payments', 'orders'] as const) respec(one, name, MODERN)
    await round(one)
    expect([signerOf(one, 'payments'), signerOf(one, 'orders')]).toEqual(['default', 'default'])
    await one.clock.advance(PROPAGATION)
    await round(one)
    expect([signerOf(one, 'payments'), signerOf(one, 'orders')]).toEqual(['modern', 'modern'])
    for (const name of ['payments', 'orders'] as const) {
      expect(anchorsOf(one, name)).toEqual(['modern', 'default'])
      expect(readyOf(one, name)).toMatchObject({ status: 'True', reason: 'Current' })
    }
    await one.clock.advance(hours(24))
    await round(one)
    for (const name of ['payments', 'orders'] as const) expect(anchorsOf(one, name)).toEqual(['modern'])
  })
})

/** Takes the key away from an authority: its CA Secret is gone from the cache. */
function withoutKey(one: Passes, name: string): void {
  for (const { namespace, name: secret, uid, authority: ref } of one.stores.caSecrets.all()) {
    if (ref.name === name) one.stores.caSecrets.removed({ namespace, name: secret }, uid)
  }
}

describe('an old authority that cannot sign any more', () => {
  it.each<[string, (one: Passes) => void]>([
    ['because its key is gone', (one) => withoutKey(one, 'default')],
    ['because it was deleted', (one) => one.stores.authorities.removed({ namespace: '', name: 'default' }, 'uid-default')],
  ])('%s is waited for until shortly before the end of what it signed, which stays accepted', async (_what, stop) => {
    const one = await scene()
    respec(one, 'payments', MODERN)
    await round(one)
    stop(one)
    await one.clock.advance(endOf(one, 'payments') - PROPAGATION - one.clock.now() - seconds(1))
    await one.identity('shop', 'payments')
    expect([signerOf(one, 'payments'), planOf(one, 'payments').readiness.message]).toEqual([
      'default',
      expect.stringContaining('ClusterMutualAuthority default cannot sign just now'),
    ])
    await one.clock.advance(seconds(1))
    await one.identity('shop', 'payments')
    expect(signerOf(one, 'payments')).toBe('modern')
    // orders still presents the old one.
    expect(anchorsOf(one, 'payments')).toEqual(['modern', 'default'])
    await one.clock.advance(minutes(1))
    await one.identity('shop', 'payments')
    expect([anchorsOf(one, 'payments'), annotation(one, 'payments', annotations.formerAuthorities)]).toEqual([
      ['modern', 'default'],
      expect.stringMatching(/^ClusterMutualAuthority\/default\//),
    ])
  })
})

describe('a new authority that', () => {
  it.each<[string, string, (one: Passes) => void]>([
    ['is not there', 'AuthorityNotFound', (one) => one.stores.authorities.removed({ namespace: '', name: 'modern' }, 'uid-modern')],
    ['cannot sign', 'AuthorityNotReady', (one) => withoutKey(one, 'modern')],
  ])('%s: nothing is signed by another one in its place, and what is there stays', async (_what, reason, stop) => {
    const one = await scene({ orders: LISTS_MODERN })
    const before = leafOf(one, 'payments').serialNumber
    stop(one)
    respec(one, 'payments', MODERN)
    await one.clock.advance(hours(13))
    await one.identity('shop', 'payments')
    await one.clock.advance(seconds(3))
    await one.identity('shop', 'payments')
    expect([leafOf(one, 'payments').serialNumber, anchorsOf(one, 'payments').includes('default')]).toEqual([before, true])
    expect(readyOf(one, 'payments')).toMatchObject({
      status: 'False',
      reason,
      message: expect.stringMatching(/The present certificate stays$/),
    })
  })

  it('was never there, and comes: the switch begins then', async () => {
    const one = await scene({ modern: false })
    respec(one, 'payments', MODERN)
    await one.identity('shop', 'payments')
    expect(planOf(one, 'payments').reason).toBe('AuthorityNotFound')
    await authority(one, 'modern', { trustDomain: 'modern.test' })
    respec(one, 'orders', LISTS_MODERN)
    await round(one)
    expect(planOf(one, 'payments').reason).toBe('PeersNotReady')
    await one.clock.advance(PROPAGATION)
    await round(one)
    expect(signerOf(one, 'payments')).toBe('modern')
  })

  it.each<[string, (one: Passes) => void]>([
    ['loses its key', (one) => withoutKey(one, 'modern')],
    ['is deleted', (one) => one.stores.authorities.removed({ namespace: '', name: 'modern' }, 'uid-modern')],
  ])('%s while an identity is held stays accepted by it: peers may have certificates of it by now', async (_what, stop) => {
    const one = await scene()
    respec(one, 'payments', MODERN)
    await round(one)
    expect(anchorsOf(one, 'payments')).toEqual(['default', 'modern'])
    stop(one)
    await round(one)
    expect(anchorsOf(one, 'payments')).toEqual(['default', 'modern'])
  })

  it('refuses the namespace signs nothing; the old one goes on being accepted', async () => {
    const one = await scene({ orders: LISTS_MODERN })
    one.seen(
      'authorities',
      authorityObject({ trustDomain: 'modern.test', policy: { allowedNamespaces: ['other'] } }, { metadata: { name: 'modern' } }),
    )
    respec(one, 'payments', MODERN)
    await one.identity('shop', 'payments')
    expect([signerOf(one, 'payments'), readyOf(one, 'payments')?.reason]).toEqual(['default', 'NamespaceNotAllowed'])
  })
})

describe('an identity whose authority and Secret name are changed at once', () => {
  const change = { ...MODERN, delivery: { secretName: 'payments-tls' } }
  const newData = (one: Passes) => one.api.at(secrets, { namespace: 'shop', name: 'payments-tls' })?.['data'] as Record<string, string>
  const newText = (one: Passes, file: string): string => Buffer.from(newData(one)[file] ?? '', 'base64').toString()
  const signedBy = (one: Passes, name: string): boolean => new X509Certificate(newText(one, 'tls.crt')).verify(rootOf(one, name).publicKey)

  it('waits for its peers under the new name as it would under the old one', async () => {
    const one = await scene()
    respec(one, 'payments', change)
    await one.identity('shop', 'payments')
    expect(signedBy(one, 'default')).toBe(true)
    await one.identity('shop', 'payments')
    expect(planOf(one, 'payments').readiness.reason).toBe('PeersNotReady')
  })

  it('keeps the old anchors until the certificate in the former Secret has ended', async () => {
    const one = await scene({ orders: LISTS_MODERN })
    const oldEnd = endOf(one, 'payments')
    respec(one, 'payments', change)
    await one.identity('shop', 'payments')
    expect([signedBy(one, 'modern'), newText(one, 'ca.crt').includes(bundleOf(one, 'default'))]).toEqual([true, true])
    const secret = one.api.at(secrets, { namespace: 'shop', name: 'payments-tls' })
    expect(secret?.metadata.annotations?.[annotations.formerAuthorities]).toBe(`ClusterMutualAuthority/default/${formatInstant(oldEnd)}`)
  })
})

describe('a Secret that somebody edits so that it seems to be of another authority', () => {
  /** orders lives by modern, and payments has its certificate, which is public, and its label. */
  async function forged(data: (one: Passes) => object): Promise<Passes> {
    const one = await scene({ orders: MODERN })
    // A reason to wait: another identity that lives by modern and does not accept default.
    const present = secretIn(one, 'payments')
    const ownLabels = { ...present.metadata.labels, [labels.authority]: 'modern' }
    one.seen('leafSecrets', {
      ...present,
      metadata: { ...present.metadata, labels: ownLabels },
      data: { ...(present['data'] as object), ...data(one) },
    })
    for (let pass = 0; pass < 3; pass++) await one.identity('shop', 'payments')
    return one
  }
  const of = (one: Passes, file: string) => ({ [file]: (secretIn(one, 'orders')['data'] as Record<string, string>)[file] })

  it.each<[string, (one: Passes) => object]>([
    ['by a certificate of that authority for another', (one) => of(one, 'tls.crt')],
    ['by certificate and key of that authority for another', (one) => ({ ...of(one, 'tls.crt'), ...of(one, 'tls.key') })],
    ['by its label alone', () => ({})],
  ])('%s gets no certificate of that authority', async (_what, data) => {
    const one = await forged(data)
    expect([signerOf(one, 'payments'), leafOf(one, 'payments').subjectAltName]).toEqual([
      'default',
      'URI:spiffe://cluster.local/ns/shop/sa/payments',
    ])
    expect(leafOf(one, 'payments').publicKey.equals(leafOf(one, 'orders').publicKey)).toBe(false)
    expect(secretIn(one, 'payments').metadata.labels).toMatchObject({ [labels.authority]: 'default' })
    expect(anchorsOf(one, 'payments')).toEqual(['default'])
  })
})

describe('an old authority whose record cannot be read', () => {
  /** payments is held, and the record of default was edited. */
  async function spoiled(): Promise<{ one: Passes; record: RawObject }> {
    const one = await scene()
    respec(one, 'payments', MODERN)
    await round(one)
    const record = one.api.at(configMaps, { namespace: OPERATOR_NAMESPACE, name: 'default-trust-bundle' }) as RawObject
    one.seen('bundleRecords', { ...record, data: { ...(record['data'] as object), 'ca.crt': 'garbage' } })
    return { one, record }
  }
  const serialIn = (one: Passes): string => leafOf(one, 'payments').serialNumber

  it('lets nothing be decided: the Secret stays as it is, and all goes on where it was when the record is back', async () => {
    const { one, record } = await spoiled()
    const { resourceVersion } = secretIn(one, 'payments').metadata
    for (let pass = 0; pass < 3; pass++) await one.identity('shop', 'payments')
    expect(planOf(one, 'payments').readiness).toMatchObject({
      state: 'waiting',
      reason: 'TrustOutdated',
      message: expect.stringContaining('ClusterMutualAuthority default cannot be read'),
    })
    one.seen('bundleRecords', record)
    await round(one)
    expect([secretIn(one, 'payments').metadata.resourceVersion, planOf(one, 'payments').reason]).toEqual([resourceVersion, 'PeersNotReady'])
  })

  it('is waited for while its certificate lasts, and no longer', async () => {
    const { one } = await spoiled()
    const [before, end] = [serialIn(one), endOf(one, 'payments')]
    await one.clock.advance(end - 1000 - one.clock.now())
    await one.identity('shop', 'payments')
    expect(serialIn(one)).toBe(before)
    await one.clock.advance(1000)
    await one.identity('shop', 'payments')
    expect(leafOf(one, 'payments').verify(rootOf(one, 'modern').publicKey)).toBe(true)
  })
})

it('an authority whose policy does not allow the namespace is not trusted for having been named', async () => {
  const one = await scene({ modern: false })
  await authority(one, 'modern', { trustDomain: 'modern.test', policy: { allowedNamespaces: ['bank'] } })
  const before = secretIn(one, 'payments')
  respec(one, 'payments', MODERN)
  await one.identity('shop', 'payments')
  await one.clock.advance(minutes(1))
  await one.identity('shop', 'payments')
  expect(secretIn(one, 'payments')).toEqual(before)
})
