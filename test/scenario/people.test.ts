// People (and their tools) who change, replace or take away what the operator keeps, and what they ask for in the wrong order: Secrets, CA Secrets,
// bundles, namespaces, selectors. Nothing is lost, nothing is minted that nobody asked for, and all goes on once it can.

import { describe, expect, it } from '@jest/globals'
import { clusterMutualAuthorities, mutualIdentities } from '../../src/api/kinds.ts'
import { hours, minutes, seconds } from '../../src/base/duration.ts'
import { configMaps, namespaces, pods, type RawObject, secrets } from '../../src/k8s/resource.ts'
import { renderPrivateKey } from '../../src/pki/keys.ts'
import { b64, makeCA, pemOf } from '../support/material.ts'
import { authorityReadyOf, file, identity, openShop, pod, readyOf, respec, SHOP, secretOf } from '../support/scenario/cast.ts'
import { operatorWrites, watchOver } from '../support/scenario/oracles.ts'
import {
  AN_HOUR,
  allIsWell,
  CA,
  COPY,
  caCount,
  caSecret,
  copy,
  dataOf,
  expectCurrent,
  LONGEST_RETRY,
  materialOf,
  messageOf,
  putBack,
  RECORD,
  record,
  type Shop,
  serial,
  shop,
  toldIn,
} from '../support/scenario/shop.ts'
import { createWorld, type World } from '../support/scenario/world.ts'

const LEAF = { namespace: SHOP, name: 'payments-mtls' }

/** Deletes an object and makes it again, changed: what cannot be changed in place. */
async function replaced(world: World, resource: typeof secrets, ref: { namespace: string; name: string }, change: object): Promise<void> {
  const {
    resourceVersion: _version,
    uid: _uid,
    creationTimestamp: _time,
    ...metadata
  } = (world.api.object(resource, ref) as RawObject).metadata
  const present = world.api.object(resource, ref) as RawObject
  await world.person.delete(resource, ref, {})
  await world.person.create(resource, { ...present, metadata, ...change } as RawObject)
}

const labels = (world: World, change: object): Promise<unknown> => world.person.mergePatch(secrets, LEAF, { metadata: { labels: change } })
const data = (world: World, change: object): Promise<unknown> => world.person.mergePatch(secrets, LEAF, { data: change })

describe('a leaf Secret', () => {
  /** Whether a new certificate is needed to put it right. */
  it.each<[string, 'reissued' | 'kept', (world: World) => Promise<unknown>]>([
    ['whose key is emptied', 'reissued', (world) => data(world, { 'tls.key': '' })],
    ['whose certificate is emptied', 'reissued', (world) => data(world, { 'tls.crt': '' })],
    ['whose anchors are emptied', 'kept', (world) => data(world, { 'ca.crt': '' })],
    [
      'whose anchors are garbage',
      'kept',
      (world) => data(world, { 'ca.crt': b64('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n') }),
    ],
    ['with a file more', 'kept', (world) => data(world, { 'notes.txt': b64('mine') })],
    ["with another identity's key", 'reissued', (world) => data(world, { 'tls.key': dataOf(secretOf(world, 'orders-mtls'))['tls.key'] })],
    // Without these two it is out of sight: what is found under its name is written anew as a whole.
    ['without the label that says who manages', 'reissued', (world) => labels(world, { 'app.kubernetes.io/managed-by': null })],
    ['without the label of its role', 'reissued', (world) => labels(world, { 'mutualidentity.io/role': null })],
    ['without the label of its identity', 'kept', (world) => labels(world, { 'mutualidentity.io/identity': null })],
    ["under another authority's label", 'kept', (world) => labels(world, { 'mutualidentity.io/authority': 'another' })],
    ['of another type', 'reissued', (world) => replaced(world, secrets, LEAF, { type: 'Opaque' })],
    ['made again as it was', 'kept', (world) => replaced(world, secrets, LEAF, {})],
    ['made immutable while it is right', 'kept', (world) => world.person.mergePatch(secrets, LEAF, { immutable: true })],
    [
      'made immutable, without its labels',
      'reissued',
      (world) => world.person.mergePatch(secrets, LEAF, { immutable: true, metadata: { labels: null } }),
    ],
    [
      'owned by another identity',
      'kept',
      async (world) => {
        const [owner] = secretOf(world, 'payments-mtls')?.metadata.ownerReferences ?? []
        await world.person.mergePatch(secrets, LEAF, {
          metadata: { ownerReferences: [{ ...owner, uid: '00000000-0000-4000-8000-00000000dead' }] },
        })
      },
    ],
    [
      'held by a finalizer and deleted',
      'reissued',
      async (world) => {
        await world.person.mergePatch(secrets, LEAF, { metadata: { finalizers: ['example.org/held'] } })
        await world.person.delete(secrets, LEAF, {})
        await world.pass(minutes(2))
        // What programs read is still right; what is lost is put right once it is let go.
        expect(file(secretOf(world, 'payments-mtls'), 'tls.crt')).not.toBe('')
        await world.person.mergePatch(secrets, LEAF, { metadata: { finalizers: null } })
      },
    ],
  ])('%s is put right', async (_what, expected, edit) => {
    const one = await shop({ spec: AN_HOUR })
    const { world } = one
    const before = serial(world, 'payments')
    const other = materialOf(world, 'orders')
    await edit(world)
    await world.pass(LONGEST_RETRY)
    const stored = world.processes[0]?.stores.leafSecrets.get(SHOP, 'payments-mtls')
    expect([stored?.problem, stored?.leaf?.uris]).toEqual([undefined, ['spiffe://cluster.local/ns/shop/sa/payments']])
    expect(secretOf(world, 'payments-mtls')?.['type']).toBe('kubernetes.io/tls')
    expect(file(secretOf(world, 'payments-mtls'), 'ca.crt')).toBe(dataOf(record(world))['ca.crt'])
    if (expected === 'kept') expect(serial(world, 'payments')).toBe(before)
    // Nobody else pays for it.
    expect(materialOf(world, 'orders')).toEqual(other)
    await world.pass(hours(1))
    await allIsWell(one, 'payments', 'orders')
  })

  it("that is deleted and made by somebody else before anybody looks is that somebody's: told, not touched, and served once it goes", async () => {
    const one = await shop({ spec: AN_HOUR })
    const { world } = one
    world.api.delivery.held = true
    await world.person.delete(secrets, LEAF, {})
    await world.person.create(secrets, { type: 'Opaque', metadata: { ...LEAF }, data: { mine: 'eA==' } })
    world.api.releaseEvents()
    await world.pass(minutes(2))
    expect(readyOf(world, 'payments')).toBe('SecretNotOwned')
    expect(messageOf(world, 'payments')).toMatch(/payments-mtls.*choose another spec\.delivery\.secretName, or delete that Secret/)
    expect(secretOf(world, 'payments-mtls')?.['data']).toEqual({ mine: 'eA==' })
    expect(toldIn(world, SHOP).filter((note) => note.startsWith('SecretNotOwned'))).toHaveLength(1)
    await world.person.delete(secrets, LEAF, {})
    await world.pass(LONGEST_RETRY)
    await allIsWell(one, 'payments', 'orders')
  })
})

describe('a CA Secret', () => {
  const another = async (): Promise<Readonly<Record<string, string>>> => {
    const { certificate, keyPair } = await makeCA()
    return { 'tls.crt': b64(pemOf(certificate)), 'tls.key': b64(renderPrivateKey(keyPair.privateKey).toString()) }
  }
  const change = async (world: World, body: object): Promise<unknown> => world.person.mergePatch(secrets, CA, body)

  it.each<[string, string, (world: World) => Promise<unknown>]>([
    ['replaced by another CA', 'CAKeyInvalid', async (world) => change(world, { data: await another() })],
    ['deleted and made again as another CA', 'CAKeyInvalid', async (world) => replaced(world, secrets, CA, { data: await another() })],
    ["with another CA's key", 'CAKeyInvalid', async (world) => change(world, { data: { 'tls.key': (await another())['tls.key'] } })],
    ['whose key is garbage', 'CAKeyInvalid', (world) => change(world, { data: { 'tls.key': 'eA==' } })],
    ['whose certificate is emptied', 'CAKeyInvalid', (world) => change(world, { data: { 'tls.crt': '' } })],
    [
      'that is a leaf',
      'CAKeyInvalid',
      (world) => {
        const { 'tls.crt': certificate, 'tls.key': key } = dataOf(secretOf(world, 'payments-mtls'))
        return change(world, { data: { 'tls.crt': certificate, 'tls.key': key } })
      },
    ],
    [
      'without its number',
      'CAKeyInvalid',
      (world) => change(world, { metadata: { annotations: { 'mutualidentity.io/generation': null } } }),
    ],
    ['deleted', 'CAKeyMissing', (world) => world.person.delete(secrets, CA, {})],
  ])('%s signs nothing and is never replaced; what was issued stays, and all goes on once it is put back', async (_what, reason, harm) => {
    const one = await shop({ spec: AN_HOUR })
    const { world } = one
    const backup = caSecret(world) as RawObject
    const before = [materialOf(world, 'payments'), materialOf(world, 'orders'), dataOf(copy(world)), dataOf(record(world))]
    await harm(world)
    const harmed = caSecret(world)?.['data']
    // Into the time of renewal: nothing may be signed by what is there now, and a new one is asked for in vain.
    await identity(world, 'ledger', { serviceAccountName: 'ledger' })
    await world.pass(minutes(45))
    expect(authorityReadyOf(world, 'default')).toBe(reason)
    expect([readyOf(world, 'ledger'), secretOf(world, 'ledger-mtls')]).toEqual(['AuthorityNotReady', undefined])
    expect(messageOf(world, 'ledger')).toMatch(/default-ca-1.*[Rr]estore it from a backup/)
    expect([materialOf(world, 'payments'), materialOf(world, 'orders'), dataOf(copy(world)), dataOf(record(world))]).toEqual(before)
    expect([caSecret(world)?.['data'], caCount(world)]).toEqual([harmed, harmed ? 1 : 0])
    await putBack(world, backup)
    await world.pass(LONGEST_RETRY)
    await allIsWell(one, 'payments', 'orders', 'ledger')
  })

  it('deleted, and later all that tells of it but the status, is not replaced until a person makes the authority again', async () => {
    const one = await shop()
    const { world } = one
    const before = materialOf(world, 'payments')
    await world.person.delete(secrets, CA, {})
    await world.pass(minutes(1))
    await world.person.delete(configMaps, RECORD, {})
    await world.processes[0]?.stop()
    await world.start()
    await world.pass(minutes(10))
    expect([authorityReadyOf(world, 'default'), caCount(world), materialOf(world, 'payments')]).toEqual(['CAKeyMissing', 0, before])
    await world.person.delete(clusterMutualAuthorities, { namespace: '', name: 'default' }, {})
    await world.person.create(clusterMutualAuthorities, { metadata: { name: 'default' }, spec: {} })
    await world.pass(minutes(10))
    expect([authorityReadyOf(world, 'default'), caCount(world)]).toEqual(['Current', 1])
    expectCurrent(world, 'payments', 'orders')
    expect(materialOf(world, 'payments')[2]).not.toBe(before[2])
  })

  it.each<[string, (world: World) => Promise<unknown>]>([
    ['without its labels', (world) => change(world, { metadata: { labels: null } })],
    ['without the label of its authority', (world) => change(world, { metadata: { labels: { 'mutualidentity.io/authority': null } } })],
    ['without the mark that it signs', (world) => change(world, { metadata: { annotations: { 'mutualidentity.io/activated-at': null } } })],
    ['made immutable', (world) => change(world, { immutable: true })],
    [
      'deleted and put back before anybody looks',
      async (world) => {
        world.api.delivery.held = true
        await replaced(world, secrets, CA, {})
        world.api.releaseEvents()
      },
    ],
  ])('%s is put right or used as it is, and nothing is issued anew for it', async (_what, harm) => {
    const one = await shop({ spec: AN_HOUR })
    const { world } = one
    const before = [materialOf(world, 'payments'), file(caSecret(world), 'tls.crt')]
    await harm(world)
    await world.pass(minutes(10))
    expect([materialOf(world, 'payments'), file(caSecret(world), 'tls.crt')]).toEqual(before)
    expect([authorityReadyOf(world, 'default'), caCount(world)]).toEqual(['Current', 1])
    await world.pass(hours(1))
    await allIsWell(one, 'payments', 'orders')
  })

  it('whose root has expired signs nothing; certificates end with it, are not renewed ever faster towards it, and another authority serves', async () => {
    const one = await shop({
      authority: { trustDomain: 'short.test', selfManaged: { rootLifetime: '6h' }, leaf: { lifetime: '1h' } },
      mutual: false,
    })
    const { world } = one
    await world.pass(hours(7))
    expect(authorityReadyOf(world, 'default')).toBe('CAExpired')
    expect([readyOf(world, 'payments'), caCount(world)]).toEqual(['CAExpired', 1])
    expect(messageOf(world, 'payments')).toMatch(/expired/)
    // Every half hour, and a few more where the end of the root cuts the lifetime.
    expect(one.oracles.changes['MODIFIED secrets shop/payments-mtls']).toBeLessThan(20)
    await world.person.create(clusterMutualAuthorities, { metadata: { name: 'next' }, spec: { trustDomain: 'next.test' } })
    for (const name of ['payments', 'orders']) await respec(world, name, { authorityRef: { name: 'next' } })
    await world.pass(minutes(20))
    expectCurrent(world, 'payments', 'orders')
    // The expired root goes from the second of them when all is looked at again: see below.
    await world.pass(hours(2) + minutes(10))
    await one.oracles.comesToRest()
    expect(one.oracles.finish()).toEqual([])
  })
})

// The end of a peer's use of a former authority wakes nobody (trust.ts: usedByPeers), so its anchors stay until the hourly look at everything.
it('the anchors of a former authority go soon after the last peer that lived by it has gone over', async () => {
  const one = await shop({
    authority: { trustDomain: 'short.test', selfManaged: { rootLifetime: '6h' }, leaf: { lifetime: '1h' } },
    mutual: false,
  })
  const { world } = one
  await world.pass(hours(7))
  await world.person.create(clusterMutualAuthorities, { metadata: { name: 'next' }, spec: { trustDomain: 'next.test' } })
  for (const name of ['payments', 'orders']) await respec(world, name, { authorityRef: { name: 'next' } })
  await world.pass(minutes(20))
  const roots = ['payments-mtls', 'orders-mtls'].map((name) => (file(secretOf(world, name), 'ca.crt').match(/BEGIN/g) ?? []).length)
  expect(roots).toEqual([1, 1])
})

describe('the bundle', () => {
  const on = (ref: typeof RECORD | typeof COPY, body: object) => (world: World) => world.person.mergePatch(configMaps, ref, body)
  it.each<[string, (world: World) => Promise<unknown>]>([
    ...(
      [
        ['record', RECORD],
        ['copy', COPY],
      ] as const
    ).flatMap(([what, ref]): [string, (world: World) => Promise<unknown>][] => [
      [`whose ${what} is emptied`, on(ref, { data: { 'ca.crt': '', 'bundle.json': '' } })],
      [`whose ${what} has lost its files`, on(ref, { data: null })],
      [`whose ${what} names another set of keys`, on(ref, { data: { 'bundle.json': '{"keys":[]}' } })],
      [`whose ${what} has lost its labels`, on(ref, { metadata: { labels: null } })],
      [`whose ${what} has lost its annotations`, on(ref, { metadata: { annotations: null } })],
      [`whose ${what} is immutable and wrong`, on(ref, { immutable: true, data: { 'ca.crt': 'mine' } })],
      [`whose ${what} is immutable and has lost labels`, on(ref, { immutable: true, metadata: { labels: null } })],
      [`whose ${what} is deleted`, (world) => world.person.delete(configMaps, ref, {})],
      [
        `whose ${what} is held by a finalizer while it is deleted`,
        async (world) => {
          await on(ref, { metadata: { finalizers: ['example.org/held'] } })(world)
          await world.person.delete(configMaps, ref, {})
          await world.pass(minutes(1))
          await on(ref, { metadata: { finalizers: null } })(world)
        },
      ],
    ]),
    ['whose count was set back', on(RECORD, { metadata: { annotations: { 'mutualidentity.io/bundle-sequence': '1' } } })],
    ['whose count is none', on(RECORD, { metadata: { annotations: { 'mutualidentity.io/bundle-sequence': '-7e9' } } })],
    [
      'whose record and copy are edited alike, a root more in both',
      async (world) => {
        const { certificate } = await makeCA()
        const text = `${dataOf(record(world))['ca.crt']}${pemOf(certificate)}`
        for (const ref of [RECORD, COPY]) await on(ref, { data: { 'ca.crt': text } })(world)
      },
    ],
  ])('%s is put right, and no certificate is made for it', async (_what, edit) => {
    const one = await shop()
    const { world } = one
    const before = [materialOf(world, 'payments'), dataOf(record(world))['ca.crt']]
    const sequence = sequenceOf(world)
    await edit(world)
    await world.pass(LONGEST_RETRY)
    expect([materialOf(world, 'payments'), dataOf(record(world))['ca.crt']]).toEqual(before)
    expect(dataOf(copy(world))).toEqual(dataOf(record(world)))
    expect(sequenceOf(world)).toBeGreaterThanOrEqual(sequence)
    expect(authorityReadyOf(world, 'default')).toBe('Current')
    await allIsWell(one, 'payments', 'orders')
  })

  it('whose record is edited while the CA is another makes no trust of the two: nothing is believed until one is put back', async () => {
    const one = await shop({ spec: AN_HOUR })
    const { world } = one
    const backup = caSecret(world) as RawObject
    const before = [materialOf(world, 'payments'), dataOf(copy(world))]
    const { certificate, keyPair } = await makeCA()
    await world.person.mergePatch(secrets, CA, {
      data: { 'tls.crt': b64(pemOf(certificate)), 'tls.key': b64(renderPrivateKey(keyPair.privateKey).toString()) },
    })
    await world.person.mergePatch(configMaps, RECORD, { data: { 'ca.crt': pemOf(certificate) } })
    await world.pass(minutes(40))
    expect(['CAKeyInvalid', 'BundleRecordInvalid']).toContain(authorityReadyOf(world, 'default'))
    expect([materialOf(world, 'payments'), dataOf(copy(world))]).toEqual(before)
    await putBack(world, backup)
    await world.pass(LONGEST_RETRY)
    await allIsWell(one, 'payments', 'orders')
  })
})

/** What readers are told (spiffe_sequence); nobody reads the annotation beside it while the two differ. */
const sequenceOf = (world: World): number => Number(/"spiffe_sequence": (\d+)/.exec(dataOf(copy(world))['bundle.json'] ?? '')?.[1])

describe('a namespace that is deleted and made again', () => {
  it.each([1, 2, 3, 4])('while its first certificates are made (at write %i)', async (at) => {
    const world = createWorld()
    await openShop(world)
    const oracles = watchOver(world)
    let seen = 0
    await world.start({
      hook: ({ verb, namespace, resource }) => {
        if (namespace !== SHOP || !['create', 'update', 'patch'].includes(verb) || resource === 'events' || ++seen !== at) return undefined
        void world.person.delete(namespaces, { namespace: '', name: SHOP }, {})
        return undefined
      },
    })
    for (const name of ['payments', 'orders'])
      await identity(world, name).catch((error) => expect(String(error)).toContain('being terminated'))
    await world.pass(minutes(2))
    expect([seen >= at, world.api.object(namespaces, { name: SHOP })]).toEqual([true, undefined])
    expect(world.lines.filter((line) => line.includes('"level":"error"'))).toEqual([])
    await world.person.create(namespaces, { metadata: { name: SHOP } })
    for (const name of ['payments', 'orders']) {
      await pod(world, `${name}-1`, name)
      await identity(world, name)
    }
    await world.pass(minutes(2))
    await allIsWell({ world, oracles }, 'payments', 'orders')
  })

  it('before anybody looks: what is in it afterwards is served', async () => {
    const one = await shop()
    const { world } = one
    world.api.delivery.held = true
    await world.person.delete(namespaces, { namespace: '', name: SHOP }, {})
    await world.pass(seconds(20))
    await world.person.create(namespaces, { metadata: { name: SHOP } })
    await pod(world, 'payments-1', 'payments')
    await identity(world, 'payments')
    world.api.releaseEvents()
    await world.pass(LONGEST_RETRY)
    await allIsWell(one, 'payments')
  })

  it('and is held by a finalizer meanwhile: nothing is made in it, nobody complains', async () => {
    const one = await shop({ names: ['payments'] })
    const { world } = one
    await world.person.create(configMaps, { metadata: { namespace: SHOP, name: 'held', finalizers: ['example.org/held'] } })
    await world.person.delete(namespaces, { namespace: '', name: SHOP }, {})
    await world.pass(hours(1))
    expect(secretOf(world, 'payments-mtls')).toBeUndefined()
    expect(world.lines.filter((line) => line.includes('"level":"error"'))).toEqual([])
    await world.person.mergePatch(configMaps, { namespace: SHOP, name: 'held' }, { metadata: { finalizers: null } })
    await world.pass(minutes(1))
    await allIsWell(one)
  })
})

describe('an identity that is deleted', () => {
  const gone = (world: World): Promise<unknown> => world.person.delete(mutualIdentities, { namespace: SHOP, name: 'payments' }, {})

  it.each<[string, (verb: string, resource: string, name: string, subresource: string) => boolean]>([
    ['before its Secret is made', (verb, resource, name) => verb === 'create' && resource === 'secrets' && name === 'payments-mtls'],
    [
      'between its Secret and its status',
      (verb, _resource, name, subresource) => verb === 'update' && subresource === 'status' && name === 'payments',
    ],
    [
      'before the copy of the bundle is made',
      (verb, resource, name) => verb === 'create' && resource === 'configmaps' && name === COPY.name,
    ],
  ])('%s leaves no Secret, and one of that name is served afterwards', async (_when, strikes) => {
    const world = createWorld()
    await openShop(world)
    const oracles = watchOver(world)
    let struck = false
    await world.start({
      hook: ({ verb, resource, name, namespace, subresource }) => {
        if (struck || namespace !== SHOP || !strikes(verb, resource, name, subresource)) return undefined
        struck = true
        void gone(world)
        return undefined
      },
    })
    await identity(world, 'payments')
    await identity(world, 'orders')
    await world.pass(minutes(2))
    expect([struck, secretOf(world, 'payments-mtls'), readyOf(world, 'payments')]).toEqual([true, undefined, undefined])
    expect(world.lines.filter((line) => line.includes('"level":"error"'))).toEqual([])
    await identity(world, 'payments')
    await world.pass(minutes(1))
    await allIsWell({ world, oracles }, 'payments', 'orders')
  })
})

describe('selectors', () => {
  it('that match nothing wait, and are served by the first pod', async () => {
    const one = await shop()
    const { world } = one
    await identity(world, 'nobody')
    await world.pass(minutes(10))
    expect([readyOf(world, 'nobody'), secretOf(world, 'nobody-mtls')]).toEqual(['NoServiceAccount', undefined])
    const waiting = operatorWrites(world).length
    await world.pass(hours(1))
    expect(operatorWrites(world)).toHaveLength(waiting)
    await pod(world, 'nobody-1', 'nobody')
    await world.pass(seconds(5))
    await allIsWell(one, 'nobody', 'payments', 'orders')
  })

  it('that lose all their pods go on being renewed', async () => {
    const one = await shop({ spec: AN_HOUR })
    const { world } = one
    const before = serial(world, 'payments')
    await world.person.delete(pods, { namespace: SHOP, name: 'payments-1' }, {})
    await world.pass(minutes(45))
    expect(serial(world, 'payments')).not.toBe(before)
    await allIsWell(one, 'payments', 'orders')
  })

  it('that match everything need an account, and are told whose pods they share', async () => {
    const one = await shop({ names: ['payments'] })
    const { world } = one
    await world.person.create(mutualIdentities, { metadata: { namespace: SHOP, name: 'all' }, spec: { podSelector: {} } })
    await world.pass(minutes(1))
    expect(readyOf(world, 'all')).toBe('ServiceAccountConflict')
    expect(messageOf(world, 'all')).toMatch(/2 service accounts \(orders, payments\): narrow podSelector or set spec\.serviceAccountName/)
    expect(secretOf(world, 'all-mtls')).toBeUndefined()
    await respec(world, 'all', { serviceAccountName: 'orders' })
    await world.pass(minutes(1))
    // The pods of payments run under another account besides.
    expect(readyOf(world, 'all')).toBe('PodsMismatched')
    expect(messageOf(world, 'all')).toMatch(
      /another service account than orders: .*; .*MutualIdentity payments, which comes first \(by age, then by UID\): narrow one of the selectors/,
    )
    expect(world.processes[0]?.stores.leafSecrets.get(SHOP, 'all-mtls')?.leaf?.uris).toEqual(['spiffe://cluster.local/ns/shop/sa/orders'])
    await respec(world, 'all', { podSelector: { matchLabels: { app: 'orders' } } })
    await world.pass(minutes(1))
    await allIsWell(one, 'all', 'payments')
  })

  it('that go over to the pods of another account: the certificate follows the pods', async () => {
    const one = await shop()
    const { world } = one
    await respec(world, 'payments', { podSelector: { matchLabels: { app: 'orders' } } })
    await world.pass(minutes(1))
    await one.oracles.comesToRest()
    const uris = world.processes[0]?.stores.leafSecrets.get(SHOP, 'payments-mtls')?.leaf?.uris
    // One account is observed, so it is asked for: the certificate follows the pods.
    expect(uris).toEqual(['spiffe://cluster.local/ns/shop/sa/orders'])
    expect(one.oracles.finish()).toEqual([])
  })
})

describe('two identities that name one Secret', () => {
  it('the one that holds it keeps it, the other is told; neither writes in turns', async () => {
    const one = await shop({ spec: AN_HOUR })
    const { world } = one
    const before = materialOf(world, 'payments')
    await respec(world, 'orders', { delivery: { secretName: 'payments-mtls' } })
    await world.pass(minutes(10))
    expect([readyOf(world, 'payments'), readyOf(world, 'orders')]).toEqual(['Current', 'SecretNameTaken'])
    expect(messageOf(world, 'orders')).toMatch(
      /payments-mtls is that of MutualIdentity payments.*choose another spec\.delivery\.secretName/,
    )
    expect(materialOf(world, 'payments')).toEqual(before)
    const writes = operatorWrites(world).length
    await world.pass(minutes(10))
    expect(operatorWrites(world)).toHaveLength(writes)
    // When the holder goes, the other takes over.
    await world.person.delete(mutualIdentities, { namespace: SHOP, name: 'payments' }, {})
    await world.pass(minutes(10))
    expect(readyOf(world, 'orders')).toBe('Current')
    expect(world.processes[0]?.stores.leafSecrets.get(SHOP, 'payments-mtls')?.leaf?.uris).toEqual([
      'spiffe://cluster.local/ns/shop/sa/orders',
    ])
    await one.oracles.comesToRest()
    expect(one.oracles.finish()).toEqual([])
  })

  it('from the start: the older one is served, whoever is seen first', async () => {
    const world = createWorld()
    await openShop(world)
    await identity(world, 'payments', { delivery: { secretName: 'shared' } })
    await world.pass(seconds(5))
    await identity(world, 'orders', { delivery: { secretName: 'shared' } })
    const oracles = watchOver(world)
    await world.start()
    await world.pass(minutes(1))
    expect([readyOf(world, 'payments'), readyOf(world, 'orders')]).toEqual(['Current', 'SecretNameTaken'])
    await oracles.comesToRest()
    expect(oracles.finish()).toEqual([])
  })

  it('of a CA Secret or a foreign one: refused, and nothing is touched', async () => {
    const one: Shop = await shop()
    const { world } = one
    await respec(world, 'payments', { delivery: { secretName: 'password' } })
    await world.pass(minutes(6))
    expect(readyOf(world, 'payments')).toBe('SecretNotOwned')
    await respec(world, 'payments', { delivery: { secretName: null } })
    await world.pass(minutes(6))
    await allIsWell(one, 'payments', 'orders')
  })
})

describe('a spec that goes from good to bad and back', () => {
  it.each<[string, string, object, object]>([
    ['a lifetime out of bounds', 'LifetimeOutOfBounds', { certificate: { lifetime: '8760h' } }, { certificate: { lifetime: '1h' } }],
    ['a renewal out of bounds', 'RenewBeforeOutOfBounds', { certificate: { renewBefore: '1s' } }, { certificate: { renewBefore: null } }],
    [
      'a name that nobody allows',
      'DNSNameNotAllowed',
      { certificate: { dnsNames: ['a.example.org'] } },
      { certificate: { dnsNames: null } },
    ],
    ['an authority that is not there', 'AuthorityNotFound', { authorityRef: { name: 'none' } }, { authorityRef: { name: 'default' } }],
    [
      'a password that is not there',
      'KeystorePasswordMissing',
      { delivery: { formats: ['PKCS12'], keystorePasswordRef: { name: 'none', key: 'x' } } },
      { delivery: { formats: null, keystorePasswordRef: null } },
    ],
  ])('with %s: is told, costs nothing, needs no new certificate on the way back', async (_what, reason, bad, good) => {
    const one = await shop({ spec: AN_HOUR })
    const { world } = one
    const before = materialOf(world, 'payments')
    await respec(world, 'payments', bad)
    await world.pass(minutes(6))
    expect([readyOf(world, 'payments'), materialOf(world, 'payments')]).toEqual([reason, before])
    expect(messageOf(world, 'payments')).toMatch(/The present certificate stays/)
    await respec(world, 'payments', good)
    await world.pass(minutes(6))
    expect(materialOf(world, 'payments')).toEqual(before)
    await allIsWell(one, 'payments', 'orders')
  })
})

describe('a condition in a status that somebody else put there', () => {
  const put = async (world: World, type: string): Promise<void> => {
    const condition = {
      type,
      status: 'True',
      reason: 'Restored',
      message: 'x',
      observedGeneration: 1,
      lastTransitionTime: '2026-11-24T12:00:00Z',
    }
    for (const [resource, ref] of [
      [mutualIdentities, { namespace: SHOP, name: 'payments' }],
      [clusterMutualAuthorities, { namespace: '', name: 'default' }],
    ] as const) {
      const { conditions = [] } = (world.api.object(resource, ref)?.['status'] ?? {}) as { conditions?: readonly object[] }
      await world.person.mergePatch(resource, ref, { status: { conditions: [...conditions, condition] } }, { subresource: 'status' })
    }
    world.processes[0]?.resync()
    await world.settle()
  }
  const typesIn = (world: World): readonly string[] => {
    const { status } = world.api.object(mutualIdentities, { namespace: SHOP, name: 'payments' }) as {
      status?: { conditions: { type: string }[] }
    }
    return status?.conditions.map(({ type }) => type) ?? []
  }

  it.each(['Stalled', 'Reconciling'])('goes where it is one of ours (%s)', async (type) => {
    const one = await shop()
    await put(one.world, type)
    expect(typesIn(one.world)).toEqual(['Ready'])
    await allIsWell(one, 'payments', 'orders')
  })

  it('stays where it is none of ours, and is no reason to write', async () => {
    const one = await shop()
    const before = operatorWrites(one.world).length
    await put(one.world, 'Audited')
    expect([typesIn(one.world), operatorWrites(one.world).length]).toEqual([['Ready', 'Audited'], before])
    await respec(one.world, 'payments', { certificate: { keyType: 'ED25519' } })
    await one.world.pass(minutes(1))
    expect(typesIn(one.world)).toEqual(['Ready', 'Audited'])
    await allIsWell(one, 'payments', 'orders')
  })
})
