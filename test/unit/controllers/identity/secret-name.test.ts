// The name of an identity's Secret: what happens when it is changed, and when two identities name the same. Whole passes, with real keys.

import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../../../src/api/kinds.ts'
import { hours, minutes } from '../../../../src/base/duration.ts'
import { formatInstant, type Instant } from '../../../../src/base/instant.ts'
import { type RawObject, secrets } from '../../../../src/k8s/resource.ts'
import { readChain } from '../../../../src/pki/certificate.ts'
import { authorityObject, identityObject, NOW, namespaceObject, podObject } from '../../../support/material.ts'
import { type Passes, passes } from '../../../support/passes.ts'

const OLD = 'payments-mtls'
const NEW = 'payments-tls'
const DAY = hours(24)

/** An authority that signs, namespace and pods; no identity yet. */
async function scene(pods: readonly RawObject[] = [podObject('a')]): Promise<Passes> {
  const one = passes()
  one.seen('authorities', authorityObject({ leaf: { lifetime: '24h' } }))
  one.seen('namespaces', namespaceObject('shop'))
  for (const pod of pods) one.seen('pods', pod)
  for (let pass = 0; pass < 4; pass++) await one.authority()
  return one
}

/** An identity of shop; `age` counts from NOW. */
function identity(one: Passes, name: string, options: { secretName?: string; age?: number; uid?: string; lifetime?: string } = {}): void {
  const { secretName, age = hours(24), uid = `uid-${name}`, lifetime = '72h' } = options
  const delivery = secretName === undefined ? {} : { secretName }
  const spec = { podSelector: { matchLabels: { app: name } }, delivery, certificate: { lifetime } }
  one.seen('identities', identityObject(spec, { metadata: { name, uid, creationTimestamp: formatInstant(NOW - age) } }))
}

/** One pass, after which what it created has the instant of its creation, which the API server would give it. */
async function pass(one: Passes, name = 'payments') {
  const next = await one.identity('shop', name)
  for (const raw of one.api.all()) {
    if (raw.kind !== 'Secret' || raw.metadata.namespace !== 'shop' || raw.metadata.creationTimestamp) continue
    one.seen('leafSecrets', { ...raw, metadata: { ...raw.metadata, creationTimestamp: formatInstant(one.clock.now()) } })
  }
  return next
}

const secretIn = (one: Passes, name: string) => one.api.at(secrets, { namespace: 'shop', name })
const leafIn = (one: Passes, name: string) => {
  const data = secretIn(one, name)?.['data'] as Record<string, string> | undefined
  const [leaf] = readChain(Buffer.from(data?.['tls.crt'] ?? '', 'base64').toString())
  if (!leaf) throw new Error(`there is no certificate in ${name}`)
  return leaf
}
const readyIn = (one: Passes, name = 'payments') =>
  (
    one.api.at(mutualIdentities, { namespace: 'shop', name })?.['status'] as
      | { conditions: { type: string; status: string; reason: string; message: string }[] }
      | undefined
  )?.conditions.find(({ type }) => type === 'Ready')
const writesIn = (one: Passes) =>
  one.api.writes.filter(({ path }) => path.startsWith('secrets shop/')).map(({ verb, path }) => `${verb} ${path}`)

function renamed(one: Passes, secretName: string, name = 'payments'): void {
  const present = one.api.at(mutualIdentities, { namespace: 'shop', name }) as RawObject
  const metadata = { ...present.metadata, generation: (present.metadata.generation ?? 1) + 1 }
  one.seen('identities', { ...present, metadata, spec: { ...(present['spec'] as object), delivery: { secretName } } })
}

async function until(one: Passes, instant: Instant): Promise<void> {
  await one.clock.advance(instant - one.clock.now())
}

/** payments, served under the old name for an hour. */
async function served(lifetime = '72h'): Promise<Passes> {
  const one = await scene()
  identity(one, 'payments', { lifetime })
  await pass(one)
  await one.clock.advance(hours(1))
  one.api.writes.length = 0
  one.lines.length = 0
  return one
}

describe('a Secret under another name', () => {
  it('is made first, and the old one is left as it is', async () => {
    const one = await served()
    const before = secretIn(one, OLD)
    renamed(one, NEW)
    await pass(one)
    await pass(one)
    expect(writesIn(one)).toEqual([`create secrets shop/${NEW}`])
    expect(secretIn(one, OLD)).toEqual(before)
    expect(leafIn(one, NEW).uris).toEqual(leafIn(one, OLD).uris)
    expect(leafIn(one, NEW).publicKeyHash).not.toBe(leafIn(one, OLD).publicKeyHash)
  })

  it('is ready at once, and says until when the old one stays', async () => {
    const one = await served()
    renamed(one, NEW)
    await pass(one)
    const madeAt = one.clock.now()
    const { at } = await pass(one)
    expect(readyIn(one)).toMatchObject({
      status: 'True',
      reason: 'Current',
      message: expect.stringContaining(`Secret ${OLD}, its former one, goes at ${formatInstant(madeAt + DAY)}`),
    })
    expect(at).toBe(madeAt + DAY)
  })

  it('is for the same account, though there are no pods just now', async () => {
    const one = await served()
    one.seen('pods', podObject('a', { phase: 'Succeeded' }))
    renamed(one, NEW)
    await pass(one)
    expect(leafIn(one, NEW).uris).toEqual(['spiffe://cluster.local/ns/shop/sa/payments'])
  })

  it('is for no account where the old one is not this identity’s own: nobody else says who it is', async () => {
    const one = await served()
    one.seen('pods', podObject('a', { phase: 'Succeeded' }))
    const present = secretIn(one, OLD) as RawObject
    const [owner] = present.metadata.ownerReferences ?? []
    if (!owner) throw new Error('the Secret has no owner')
    one.seen('leafSecrets', { ...present, metadata: { ...present.metadata, ownerReferences: [{ ...owner, uid: 'uid-of-another' }] } })
    renamed(one, NEW)
    await pass(one)
    await one.clock.advance(minutes(1))
    await pass(one)
    expect([secretIn(one, NEW), readyIn(one)?.reason]).toEqual([undefined, 'NoServiceAccount'])
  })

  it('that cannot be made, because somebody else’s is there, costs neither of the two', async () => {
    const one = await served()
    const foreign = one.api.put(secrets, { metadata: { namespace: 'shop', name: NEW }, data: { mine: 'eA==' } } as unknown as RawObject)
    renamed(one, NEW)
    for (let round = 0; round < 3; round++) {
      await pass(one)
      await one.clock.advance(hours(30))
    }
    expect([secretIn(one, NEW)?.['data'], secretIn(one, OLD) !== undefined]).toEqual([foreign['data'], true])
    expect(readyIn(one)).toMatchObject({ status: 'False', reason: 'SecretNotOwned' })
  })
})

describe('the former Secret', () => {
  it('stays for 24 hours, then is deleted at exactly its version', async () => {
    const one = await served()
    renamed(one, NEW)
    await pass(one)
    const madeAt = one.clock.now()
    await until(one, madeAt + DAY - 1)
    await pass(one)
    expect(writesIn(one)).toEqual([`create secrets shop/${NEW}`])
    const { uid, resourceVersion } = (secretIn(one, OLD) as RawObject).metadata
    await until(one, madeAt + DAY)
    await pass(one)
    expect(one.api.writes.filter(({ verb }) => verb === 'delete')).toEqual([
      { verb: 'delete', path: `secrets shop/${OLD}`, body: { uid, resourceVersion } },
    ])
    expect(one.outcomes.at(-1)).toMatchObject({ kind: 'deleted', reason: 'FormerSecretRemoved' })
  })

  it('goes when its certificate has ended, if that is sooner: nobody is helped by it any more', async () => {
    const one = await served('12h')
    const { notAfter } = leafIn(one, OLD)
    renamed(one, NEW)
    await pass(one)
    await until(one, notAfter - 1)
    await pass(one)
    await pass(one)
    expect(secretIn(one, OLD)).toBeDefined()
    await until(one, notAfter)
    await pass(one)
    expect([secretIn(one, OLD), secretIn(one, NEW) !== undefined]).toEqual([undefined, true])
  })

  it('that is gone is no longer spoken of, and the pass comes back for the renewal alone', async () => {
    const one = await served()
    renamed(one, NEW)
    await pass(one)
    await one.clock.advance(DAY)
    await pass(one)
    const { at } = await pass(one)
    expect(readyIn(one)?.message).toBe('the certificate is current')
    expect(at).toBeGreaterThan(one.clock.now() + hours(1))
  })

  it('that somebody edits meanwhile is looked at again before it is deleted', async () => {
    const one = await served()
    renamed(one, NEW)
    await pass(one)
    await one.clock.advance(DAY)
    const present = secretIn(one, OLD) as RawObject
    one.api.put(secrets, { ...present, metadata: { ...present.metadata, labels: { ...present.metadata.labels, team: 'red' } } })
    await expect(pass(one)).rejects.toMatchObject({ reason: 'Conflict' })
    expect(secretIn(one, OLD)).toBeDefined()
  })

  it('that finalizers hold is not deleted over and over', async () => {
    const one = await served()
    renamed(one, NEW)
    await pass(one)
    await one.clock.advance(DAY)
    const present = secretIn(one, OLD) as RawObject
    one.seen('leafSecrets', { ...present, metadata: { ...present.metadata, deletionTimestamp: formatInstant(NOW) } })
    one.api.writes.length = 0
    await pass(one)
    expect(writesIn(one)).toEqual([])
    expect(readyIn(one)).toMatchObject({ status: 'True', message: 'the certificate is current' })
  })

  it('is not deleted before the new one is as it must be', async () => {
    const one = await served()
    renamed(one, NEW)
    await pass(one)
    await one.clock.advance(DAY)
    const present = secretIn(one, NEW) as RawObject
    one.seen('leafSecrets', { ...present, data: {} })
    await pass(one)
    expect([one.outcomes.at(-1)?.kind, secretIn(one, OLD) !== undefined]).toEqual(['issued', true])
    await pass(one)
    expect(secretIn(one, OLD)).toBeUndefined()
  })

  it('of another identity with a name alike is not touched', async () => {
    const one = await served()
    identity(one, 'orders', { secretName: 'orders-tls' })
    one.seen('pods', podObject('o', { labels: { app: 'orders' } }))
    await pass(one, 'orders')
    renamed(one, NEW)
    await pass(one)
    await one.clock.advance(DAY)
    for (let round = 0; round < 4; round++) await pass(one)
    expect(writesIn(one).filter((write) => write.startsWith('delete'))).toEqual([`delete secrets shop/${OLD}`])
    expect(secretIn(one, 'orders-tls')).toBeDefined()
  })

  it('of the same name but of another owner’s making is not touched', async () => {
    const one = await served()
    renamed(one, NEW)
    await pass(one)
    const present = secretIn(one, OLD) as RawObject
    one.seen('leafSecrets', { ...present, metadata: { ...present.metadata, ownerReferences: [] } })
    await one.clock.advance(DAY)
    for (let round = 0; round < 3; round++) await pass(one)
    expect(secretIn(one, OLD)).toBeDefined()
  })

  it('is deleted one by one where the name was changed twice', async () => {
    const one = await served()
    for (const name of [NEW, 'payments-third']) {
      renamed(one, name)
      await pass(one)
      await one.clock.advance(hours(1))
    }
    await one.clock.advance(DAY)
    for (let round = 0; round < 4; round++) await pass(one)
    expect(
      one.api
        .all()
        .filter(({ kind, metadata }) => kind === 'Secret' && metadata.namespace === 'shop')
        .map(({ metadata }) => metadata.name),
    ).toEqual(['payments-third'])
  })
})

describe('back to the old name during the grace', () => {
  it('takes the Secret that is there, with its certificate', async () => {
    const one = await served()
    const { serialNumber } = leafIn(one, OLD)
    renamed(one, NEW)
    await pass(one)
    await one.clock.advance(hours(1))
    renamed(one, OLD)
    one.api.writes.length = 0
    await pass(one)
    await pass(one)
    expect([writesIn(one), leafIn(one, OLD).serialNumber]).toEqual([[], serialNumber])
    expect(readyIn(one)).toMatchObject({ status: 'True', message: expect.stringContaining(`Secret ${NEW}, its former one, goes at`) })
  })

  it('leaves the other one its day too: pods may mount it by now, however old the first one is', async () => {
    const one = await served()
    await one.clock.advance(hours(30))
    renamed(one, NEW)
    await pass(one)
    const madeAt = one.clock.now()
    await one.clock.advance(hours(1))
    renamed(one, OLD)
    await pass(one)
    await pass(one)
    expect(secretIn(one, NEW)).toBeDefined()
    await until(one, madeAt + DAY - 1)
    await pass(one)
    expect(secretIn(one, NEW)).toBeDefined()
    await until(one, madeAt + DAY + hours(1))
    for (let round = 0; round < 3; round++) await pass(one)
    expect(secretIn(one, NEW)).toBeUndefined()
    expect(secretIn(one, OLD)).toBeDefined()
  })
})

describe('two identities that name one Secret', () => {
  const pods = [podObject('a', { labels: { app: 'elder' } }), podObject('b', { labels: { app: 'younger' } })]
  const shared = { secretName: 'shared-tls' }
  const holder = (one: Passes) => secretIn(one, 'shared-tls')?.metadata.ownerReferences?.[0]?.name

  it.each<[string, readonly string[]]>([
    ['the older one', ['elder', 'younger']],
    ['the older one, though the younger one is looked at first', ['younger', 'elder']],
  ])('have it for %s', async (_what, order) => {
    const one = await scene(pods)
    identity(one, 'elder', { ...shared, age: hours(2) })
    identity(one, 'younger', { ...shared, age: hours(1) })
    for (const name of [...order, ...order]) await pass(one, name)
    expect([holder(one), readyIn(one, 'elder')?.reason]).toEqual(['elder', 'Current'])
    expect(readyIn(one, 'younger')).toMatchObject({
      status: 'False',
      reason: 'SecretNameTaken',
      message: 'Secret shared-tls is that of MutualIdentity elder, which comes first: choose another spec.delivery.secretName',
    })
    expect(writesIn(one)).toEqual(['create secrets shop/shared-tls'])
  })

  it('and are of one age have it for the smaller UID', async () => {
    const one = await scene(pods)
    identity(one, 'elder', { ...shared, uid: 'b' })
    identity(one, 'younger', { ...shared, uid: 'a' })
    await pass(one, 'elder')
    await pass(one, 'younger')
    expect([holder(one), readyIn(one, 'elder')?.reason]).toEqual(['younger', 'SecretNameTaken'])
  })

  it('leave it to the one that holds it already, though an older one wants it too', async () => {
    const one = await scene(pods)
    identity(one, 'younger', { ...shared, age: hours(1) })
    await pass(one, 'younger')
    const before = secretIn(one, 'shared-tls')
    identity(one, 'elder', { ...shared, age: hours(2) })
    for (const name of ['elder', 'younger', 'elder']) await pass(one, name)
    expect(secretIn(one, 'shared-tls')).toEqual(before)
    expect(readyIn(one, 'younger')).toMatchObject({ status: 'True', reason: 'Current' })
    expect(readyIn(one, 'elder')).toMatchObject({ reason: 'SecretNameTaken', message: expect.stringContaining('MutualIdentity younger') })
  })

  it('are told of it by one warning, not by one a pass', async () => {
    const one = await scene(pods)
    identity(one, 'elder', { ...shared, age: hours(2) })
    identity(one, 'younger', { ...shared, age: hours(1) })
    for (let round = 0; round < 3; round++) await pass(one, 'younger')
    const events = one.api.writes.filter(({ path }) => path.startsWith('events shop/'))
    expect(events.map(({ body }) => (body as { reason: string }).reason)).toEqual(['SecretNameTaken'])
  })

  it('are both served as soon as one of them takes another name, once the Secret is free', async () => {
    const one = await scene(pods)
    identity(one, 'elder', { ...shared, age: hours(2) })
    identity(one, 'younger', { ...shared, age: hours(1) })
    await pass(one, 'elder')
    await pass(one, 'younger')
    renamed(one, 'elder-tls', 'elder')
    await pass(one, 'elder')
    await pass(one, 'younger')
    // It is still the elder's, whose pods mount it.
    expect([holder(one), readyIn(one, 'younger')?.reason]).toEqual(['elder', 'SecretNotOwned'])
    await one.clock.advance(DAY)
    await pass(one, 'elder')
    await one.clock.advance(minutes(10))
    await pass(one, 'younger')
    expect([holder(one), readyIn(one, 'younger')?.reason]).toEqual(['younger', 'Current'])
    expect(secretIn(one, 'elder-tls')).toBeDefined()
  })

  it('do not stand in each other’s way where one of them is being deleted', async () => {
    const one = await scene(pods)
    identity(one, 'elder', { ...shared, age: hours(2) })
    identity(one, 'younger', { ...shared, age: hours(1) })
    const present = one.api.at(mutualIdentities, { namespace: 'shop', name: 'elder' }) as RawObject
    one.seen('identities', { ...present, metadata: { ...present.metadata, deletionTimestamp: formatInstant(NOW) } })
    await pass(one, 'younger')
    expect(holder(one)).toBe('younger')
  })

  it('of different namespaces have one each', async () => {
    const one = await scene(pods)
    one.seen('namespaces', namespaceObject('other'))
    identity(one, 'elder', shared)
    const spec = { podSelector: {}, serviceAccountName: 'x', delivery: shared }
    one.seen('identities', identityObject(spec, { metadata: { namespace: 'other', name: 'elder', uid: 'uid-other' } }))
    await pass(one, 'elder')
    await one.identity('other', 'elder')
    expect([holder(one), one.api.at(secrets, { namespace: 'other', name: 'shared-tls' }) !== undefined]).toEqual(['elder', true])
  })

  it('collide also where one only has its default name', async () => {
    const one = await scene(pods)
    identity(one, 'elder', { age: hours(2) })
    identity(one, 'younger', { age: hours(1), secretName: 'elder-mtls' })
    await pass(one, 'younger')
    expect(readyIn(one, 'younger')).toMatchObject({ reason: 'SecretNameTaken', message: expect.stringContaining('MutualIdentity elder') })
  })
})
