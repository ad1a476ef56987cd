// What an API server can do to an operator that serves: failures in the middle of a renewal, conflicts in a row, rights and kinds that are gone for a
// while, answers that are lies, and absence. faults.test.ts strikes each request of a start and of a changed spec; this file strikes the rest.

import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../src/api/kinds.ts'
import { hours, minutes, seconds } from '../../src/base/duration.ts'
import { configMaps, secrets } from '../../src/k8s/resource.ts'
import { corporateCa, sourceSecret } from '../support/corporate-ca.ts'
import { OPERATOR_NAMESPACE } from '../support/material.ts'
import type { Arrival, Fault, FaultHook } from '../support/memory-api/faults.ts'
import { authority, authorityReadyOf, identity, openShop, readyOf, SHOP, secretOf } from '../support/scenario/cast.ts'
import { operatorWrites, watchOver } from '../support/scenario/oracles.ts'
import {
  AN_HOUR,
  allIsWell,
  COPY,
  expectCurrent,
  LONGEST_RETRY,
  materialOf,
  messageOf,
  RECORD,
  renewAt,
  type Shop,
  serial,
  shop,
  toldIn,
} from '../support/scenario/shop.ts'
import { STORIES } from '../support/scenario/stories.ts'
import { createWorld, type World } from '../support/scenario/world.ts'
import { isWriteVerb } from '../support/scenario/write-verbs.ts'

const isWrite = ({ verb }: Pick<Arrival, 'verb'>): boolean => isWriteVerb(verb)
const targetOf = ({ verb, resource, subresource, namespace, name }: Omit<Arrival, 'call' | 'number' | 'user'>): string =>
  [verb, resource, subresource, namespace, name].join(' ')

/** A shop whose requests go wrong where `fault` says, once it is set. */
async function faulty(options: Parameters<typeof shop>[0] = {}): Promise<Shop & { fault: (hook: FaultHook | undefined) => void }> {
  let present: FaultHook | undefined
  const one = await shop({ spec: AN_HOUR, ...options, hook: (request) => present?.(request) })
  return {
    ...one,
    fault(hook) {
      present = hook
    },
  }
}

const FAULTS: Readonly<Record<string, Fault>> = {
  'a conflict': { kind: 'refuse', status: 409, reason: 'Conflict' },
  'too many requests': { kind: 'refuse', status: 429, retryAfterMs: seconds(7) },
  'an internal error': { kind: 'refuse', status: 500 },
  'a bad gateway that says HTML': { kind: 'answer', status: 502, body: '<html>' },
  'no service': { kind: 'refuse', status: 503 },
  'a gateway timeout': { kind: 'refuse', status: 504 },
  'a refusal': { kind: 'refuse', status: 403 },
  'half an answer': { kind: 'answer', status: 200, body: '{"kind":"Secret","metadata":{"name":' },
  'an answer of another kind': { kind: 'answer', status: 200, body: '{"kind":"Status","status":"Success"}' },
  'a broken connection': { kind: 'breakBefore' },
  'a lost reply': { kind: 'breakAfter' },
  'no answer': { kind: 'hangBefore' },
  'no answer though it was done': { kind: 'hangAfter' },
}

/** Both certificates are renewed after 33 minutes, in the middle of these eight. */
const UNTIL_RENEWAL = minutes(30)
const RENEWAL = minutes(8)

async function renewal(at: number, fault: Fault | undefined): Promise<{ count: number; wrong: string[]; target: string }> {
  const one = await faulty()
  const { world } = one
  await world.pass(UNTIL_RENEWAL)
  const before = [serial(world, 'payments'), serial(world, 'orders')]
  let count = 0
  let target = ''
  one.fault((request) => {
    if (++count !== at) return undefined
    target = targetOf(request)
    return fault
  })
  await world.pass(RENEWAL)
  const first = count
  one.fault(undefined)
  const wrong: string[] = []
  for (const [index, name] of ['payments', 'orders'].entries()) {
    if (serial(world, name) === before[index]) wrong.push(`${name} was not renewed`)
    if (readyOf(world, name) !== 'Current') wrong.push(`${name} is ${readyOf(world, name)}`)
  }
  await one.oracles.comesToRest()
  wrong.push(...one.oracles.finish())
  wrong.push(...impatient(world))
  return { count: first, wrong, target }
}

/** Requests that came before the Retry-After of the same one was over. */
function impatient(world: World): string[] {
  const { requests } = world.api
  return requests.flatMap((refused, index) => {
    if (refused.user !== 'operator' || refused.code !== 429) return []
    const again = requests.slice(index + 1).find((request) => request.user === 'operator' && targetOf(request) === targetOf(refused))
    return again && again.at < refused.at + seconds(7) ? [`${targetOf(again)} came ${again.at - refused.at} ms after its 429`] : []
  })
}

describe.each(Object.entries(FAULTS))('%s, once, at any request of a renewal', (_name, fault) => {
  it('costs time, not the renewal', async () => {
    const broken: string[] = []
    let at = 1
    for (; ; at++) {
      const { count, wrong, target } = await renewal(at, fault)
      if (count < at) break
      broken.push(...wrong.map((what) => `request ${at} (${target}): ${what}`))
    }
    expect(broken).toEqual([])
    expect(at).toBeGreaterThan(6)
  }, 60_000)
})

describe('conflicts in a row', () => {
  const story = STORIES.find(({ name }) => name === 'first identities')

  async function told(strike: FaultHook, patience = LONGEST_RETRY): Promise<string[]> {
    const world = createWorld()
    await story?.prepare(world)
    const oracles = watchOver(world)
    await world.start({ hook: strike })
    await story?.act(world)
    await world.pass(patience)
    const missing = story?.missing(world)
    await oracles.comesToRest()
    return [...(missing === undefined ? [] : [`not reached: ${missing}`]), ...oracles.finish()]
  }

  it.each([2, 3, 4, 5])('%i of them at each write of the first identities: decided anew each time', async (times) => {
    const targets = new Set<string>()
    await told((request) => {
      if (isWrite(request) && request.resource !== 'events') targets.add(targetOf(request))
      return undefined
    })
    expect(targets.size).toBeGreaterThan(6)
    const broken: string[] = []
    for (const target of targets) {
      let left = times
      const wrong = await told((request) => (targetOf(request) === target && left-- > 0 ? FAULTS['a conflict'] : undefined))
      broken.push(...wrong.map((what) => `${target}: ${what}`), ...(left > 0 ? [`${target}: struck too seldom`] : []))
    }
    expect(broken).toEqual([])
  })

  it('five of each kind of failure at every write of the first identities at once', async () => {
    for (const name of ['a conflict', 'an internal error', 'no service', 'a broken connection', 'a lost reply', 'too many requests']) {
      const struck = new Map<string, number>()
      const wrong = await told((request) => {
        if (!isWrite(request)) return undefined
        const times = (struck.get(targetOf(request)) ?? 0) + 1
        struck.set(targetOf(request), times)
        return times <= 5 ? FAULTS[name] : undefined
        // Four objects are made one after the other, each after waits of up to five minutes.
      }, minutes(20))
      expect([name, wrong]).toEqual([name, []])
    }
  })
})

/** What is wrong for a while, what of the world needs it, and what people are told meanwhile. */
interface Spell {
  readonly strikes: (request: Arrival) => boolean
  readonly needs?: (world: World) => Promise<unknown>
  /** Of the identity that cannot be served meanwhile. */
  readonly reason?: string
  readonly says?: RegExp
  /** Or its log. */
  readonly logs?: RegExp
}

const at =
  (verb: string, resource: string, subresource = ''): Spell['strikes'] =>
  (request) =>
    request.verb === verb && request.resource === resource && request.subresource === subresource
const newcomer = (world: World): Promise<unknown> => identity(world, 'ledger', { serviceAccountName: 'ledger' })
const LEAF = { namespace: SHOP, name: 'payments-mtls' }
const spoiltLeaf = (world: World): Promise<unknown> =>
  world.person.mergePatch(secrets, LEAF, { immutable: true, data: { 'tls.key': 'eA==' } })
const spoiltCopy = (world: World): Promise<unknown> =>
  world.person.mergePatch(configMaps, COPY, { immutable: true, data: { 'ca.crt': 'x' } })

/** A spell over a shop that is served; then all comes right, and nobody was asked in a hot loop. */
async function spell(fault: Fault, { strikes, needs, reason, says, logs }: Spell, lasts = hours(1)): Promise<void> {
  const whose = 'ledger'
  const one = await faulty()
  const { world, oracles } = one
  one.fault((request) => (strikes(request) ? fault : undefined))
  const before = world.api.requests.length
  await needs?.(world)
  await world.pass(lasts)
  const refused = world.api.requests.slice(before).filter((request) => request.user === 'operator' && request.fault !== undefined)
  if (needs) expect(refused.length).toBeGreaterThan(0)
  // Writes: a few tries at first, then one in five minutes, of each of three identities. Each watch asks twice a minute.
  expect(refused.filter(isWrite).length).toBeLessThan(150)
  expect(refused.length).toBeLessThan(1200)
  if (reason !== undefined) expect(readyOf(world, whose)).toBe(reason)
  if (says) expect(messageOf(world, whose)).toMatch(says)
  if (logs) expect(world.lines.filter((line) => line.includes('"level":"error"') && logs.test(line)).length).toBeGreaterThan(0)
  one.fault(undefined)
  await world.pass(minutes(11))
  await allIsWell({ world, oracles }, 'payments', 'orders', ...(needs === newcomer ? ['ledger'] : []))
}

const FORBIDDEN: Fault = { kind: 'refuse', status: 403, message: 'secrets is forbidden: User "operator" cannot do that' }

describe('a right that is gone for an hour', () => {
  it.each<[string, Spell]>([
    ['create secrets', { strikes: at('create', 'secrets'), needs: newcomer, reason: 'Forbidden', says: /cannot do that/ }],
    ['patch secrets', { strikes: at('patch', 'secrets') }],
    ['delete secrets', { strikes: at('delete', 'secrets'), needs: spoiltLeaf }],
    ['create configmaps', { strikes: at('create', 'configmaps'), needs: (world) => world.person.delete(configMaps, COPY, {}) }],
    [
      'patch configmaps',
      { strikes: at('patch', 'configmaps'), needs: (world) => world.person.mergePatch(configMaps, COPY, { data: null }) },
    ],
    ['delete configmaps', { strikes: at('delete', 'configmaps'), needs: spoiltCopy }],
    ['the status of identities', { strikes: at('update', 'mutualidentities', 'status'), needs: newcomer }],
    ['the status of authorities', { strikes: at('update', 'clustermutualauthorities', 'status') }],
    ['create events', { strikes: at('create', 'events'), needs: newcomer }],
    ['everything in secrets', { strikes: ({ resource }) => resource === 'secrets' }],
    [
      'list and watch of identities',
      { strikes: ({ verb, resource }) => resource === 'mutualidentities' && ['list', 'watch'].includes(verb) },
    ],
    ['list and watch of pods', { strikes: ({ verb, resource }) => resource === 'pods' && ['list', 'watch'].includes(verb) }],
    ['everything', { strikes: () => true }],
  ])('%s', (_right, about) => spell(FORBIDDEN, about))
})

it('a failure that stays as it is stands in the log about once an hour', async () => {
  const one = await faulty()
  const { world } = one
  one.fault((request) => (at('create', 'secrets')(request) || at('patch', 'configmaps')(request) ? FORBIDDEN : undefined))
  await newcomer(world)
  await world.person.mergePatch(configMaps, RECORD, { data: { 'bundle.json': 'x' } })
  await world.pass(hours(3))
  const failures = world.lines.filter((line) => line.includes('"message":"step failed"') && !line.includes('"level":"debug"'))
  for (const name of ['ledger', 'default']) expect(failures.filter((line) => line.includes(`"name":"${name}"`)).length).toBeLessThan(6)
  expect(failures.length).toBeGreaterThan(3)
})

describe('a definition that is gone for an hour', () => {
  const NOT_SERVED: Fault = { kind: 'answer', status: 404, body: '404 page not found\n' }
  it.each(['mutualidentities', 'clustermutualauthorities', 'mutualauthorities'])(
    '%s: what was issued stays in use and comes right afterwards',
    async (plural) => {
      const one = await faulty()
      const { world } = one
      const before = materialOf(world, 'payments')
      one.fault(({ resource }) => (resource === plural ? NOT_SERVED : undefined))
      world.api.breakWatches()
      await world.pass(minutes(20))
      expect(materialOf(world, 'payments')).toEqual(before)
      await world.pass(minutes(25))
      one.fault(undefined)
      // A status that was refused with 404 is written when all is looked at again: within an hour, and the hour over which that is spread.
      await world.pass(hours(2) + minutes(11))
      await allIsWell(one, 'payments', 'orders')
    },
  )
})

describe('a write that is answered for an hour with', () => {
  const SERVED: Spell = { strikes: (request) => isWrite(request) && request.resource === 'secrets', needs: newcomer }
  it.each<[string, Fault, Spell]>([
    ['422', { kind: 'refuse', status: 422, message: 'Secret "x" is invalid: data: no' }, { ...SERVED, reason: 'Invalid', says: /no/ }],
    [
      '403 of a quota',
      { kind: 'refuse', status: 403, message: 'exceeded quota: small, requested: secrets=1' },
      { ...SERVED, reason: 'Forbidden', says: /exceeded quota: small/ },
    ],
    [
      '413',
      { kind: 'refuse', status: 413, message: 'limit is 3145728' },
      { ...SERVED, reason: 'RequestTooLarge', says: /limit is 3145728/ },
    ],
    // A mistake of this program: its log has the stack besides.
    [
      '400',
      { kind: 'refuse', status: 400, reason: 'BadRequest', message: 'cannot be handled' },
      { ...SERVED, reason: 'BadRequest', says: /cannot be handled/, logs: /"stack":"[^"]*cannot be handled/ },
    ],
    ['401', { kind: 'refuse', status: 401, reason: 'Unauthorized', message: 'no' }, { ...SERVED, reason: 'Unauthorized' }],
    ['500', { kind: 'refuse', status: 500, message: 'etcdserver: no space' }, { ...SERVED, reason: 'ServerError', says: /no space/ }],
  ])('%s', (_what, fault, about) => spell(fault, about))
})

describe('a write that is answered for ten minutes with', () => {
  const ofSecrets: Spell['strikes'] = (request) => isWrite(request) && request.resource === 'secrets'
  it.each<[string, Fault]>([
    ['garbage', { kind: 'answer', status: 200, body: '\u0000\u0001' }],
    ['an empty body', { kind: 'answer', status: 201, body: '' }],
    ['null', { kind: 'answer', status: 201, body: 'null' }],
    ['a list', { kind: 'answer', status: 200, body: '[]' }],
    ['a Secret that is none', { kind: 'answer', status: 201, body: '{"kind":"Secret","apiVersion":"v1","metadata":{}}' }],
    ['a redirect', { kind: 'answer', status: 307, body: '' }],
  ])('%s', (_what, fault) => spell(fault, { strikes: ofSecrets, needs: newcomer }, minutes(10)))
})

describe('a list that is answered for ten minutes with', () => {
  it.each<[string, string]>([
    ['garbage', '\u0000\u0001'],
    ['nothing', ''],
    ['null', 'null'],
    ['half of it', '{"kind":"SecretList","items":[{"metadata":{"name":"a"'],
    ['a list of another kind', '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"5"},"items":[]}'],
    ['no items', '{"kind":"SecretList","apiVersion":"v1","metadata":{"resourceVersion":"5"}}'],
    ['items that are null', '{"kind":"SecretList","apiVersion":"v1","metadata":{"resourceVersion":"99999"},"items":[null]}'],
    ['items without names', '{"kind":"SecretList","apiVersion":"v1","metadata":{"resourceVersion":"99999"},"items":[{"metadata":{}}]}'],
    ['no version', '{"kind":"SecretList","apiVersion":"v1","metadata":{},"items":[]}'],
  ])('%s is not believed: nothing is made or deleted for it', async (_what, body) => {
    const one = await faulty()
    const { world } = one
    const before = [materialOf(world, 'payments'), materialOf(world, 'orders')]
    one.fault(({ verb, resource }) => (verb === 'list' && resource === 'secrets' ? { kind: 'answer', status: 200, body } : undefined))
    world.api.compact()
    world.api.breakWatches()
    await world.pass(minutes(10))
    expect([materialOf(world, 'payments'), materialOf(world, 'orders')]).toEqual(before)
    one.fault(undefined)
    await world.pass(minutes(2))
    expect([materialOf(world, 'payments'), materialOf(world, 'orders')]).toEqual(before)
    await allIsWell(one, 'payments', 'orders')
  })
})

describe('an API server that is away', () => {
  it('when the operator starts, is waited for', async () => {
    let away = true
    const world = createWorld()
    await openShop(world)
    for (const name of ['payments', 'orders']) await identity(world, name)
    const oracles = watchOver(world)
    world.clock.after(minutes(10), () => {
      away = false
    })
    await world.start({ hook: () => (away ? { kind: 'breakBefore' } : undefined) })
    await world.pass(minutes(1))
    await allIsWell({ world, oracles }, 'payments', 'orders')
  })

  it.each<[string, Fault]>([
    ['silent', { kind: 'hangBefore' }],
    ['unreachable', { kind: 'breakBefore' }],
    ['behind a gateway that says 503', { kind: 'answer', status: 503, body: 'no healthy upstream' }],
  ])('and %s beyond the end of all certificates: they are renewed within minutes of its return, and that is told', async (_how, fault) => {
    const one = await faulty()
    const { world } = one
    await world.pass(minutes(20))
    one.fault(() => fault)
    world.api.breakWatches()
    // They end 55 minutes after they were made.
    await world.pass(minutes(50))
    const before = operatorWrites(world).length
    one.fault(undefined)
    // A step that failed is tried again after five minutes at most.
    await world.pass(LONGEST_RETRY)
    for (const name of ['payments', 'orders']) expect([name, renewAt(world, name) > world.clock.now()]).toEqual([name, true])
    expect(toldIn(world, SHOP).filter((note) => note.startsWith('Renewed'))).toHaveLength(2)
    // As often as one renewal of each needs: nothing was piled up meanwhile.
    expect(
      operatorWrites(world)
        .slice(before)
        .filter(({ resource }) => resource === 'secrets').length,
    ).toBeLessThanOrEqual(2)
    await allIsWell(one, 'payments', 'orders')
  })

  it('for writes alone: what was issued stays, readiness ends with the certificate, and all is made up for', async () => {
    const one = await faulty()
    const { world } = one
    one.fault((request) => (isWrite(request) && request.subresource !== 'status' ? { kind: 'refuse', status: 503 } : undefined))
    await world.pass(minutes(50))
    expect(world.api.object(mutualIdentities, { namespace: SHOP, name: 'payments' })?.['status']).toMatchObject({
      lastFailure: { reason: 'ServerError' },
    })
    expectCurrent(world, 'payments')
    await world.pass(minutes(30))
    expect(readyOf(world, 'payments')).toBe('ServerError')
    one.fault(undefined)
    await world.pass(LONGEST_RETRY)
    expect(secretOf(world, 'payments-mtls')).toBeDefined()
    expect(authorityReadyOf(world, 'default')).toBe('Current')
    await allIsWell(one, 'payments', 'orders')
  })
})

describe('a CA of somebody else that cannot be read', () => {
  const unreadable = (request: Arrival): boolean => request.verb === 'get' && request.name === 'corporate-ca'

  async function withSource(): Promise<Awaited<ReturnType<typeof faulty>>> {
    const one = await faulty({ mutual: false })
    const { metadata, ...source } = sourceSecret(await corporateCa())
    const { resourceVersion: _version, uid: _uid, ...named } = metadata
    await one.world.person.create(secrets, { ...source, metadata: named })
    return one
  }
  const corporate = (world: World): Promise<unknown> =>
    authority(world, 'corporate', { trustDomain: 'corporate.test', caSecret: { name: 'corporate-ca' }, leaf: { lifetime: '12h' } })

  it('is why an authority has no CA, which its status says', async () => {
    const one = await withSource()
    const { world } = one
    one.fault((request) => (unreadable(request) ? FORBIDDEN : undefined))
    await corporate(world)
    await world.pass(minutes(20))
    expect(authorityReadyOf(world, 'corporate')).toBe('Forbidden')
    one.fault(undefined)
    await world.pass(LONGEST_RETRY)
    expect(authorityReadyOf(world, 'corporate')).toBe('Current')
    await allIsWell(one, 'payments', 'orders')
  })

  it('keeps nothing else of an authority that has its copy from being put right', async () => {
    const one = await withSource()
    const { world } = one
    await corporate(world)
    await identity(world, 'ledger', { serviceAccountName: 'ledger', authorityRef: { name: 'corporate' }, ...AN_HOUR })
    await world.pass(minutes(1))
    one.fault((request) => (unreadable(request) ? FORBIDDEN : undefined))
    await world.pass(minutes(5))
    const published = { namespace: OPERATOR_NAMESPACE, name: 'corporate-trust-bundle' }
    await world.person.mergePatch(configMaps, published, { data: { 'ca.crt': 'x' } })
    await world.pass(hours(1))
    expect([authorityReadyOf(world, 'corporate'), readyOf(world, 'ledger')]).toEqual(['Current', 'Current'])
    one.fault(undefined)
    await world.pass(LONGEST_RETRY)
    await allIsWell(one, 'payments', 'orders', 'ledger')
  })
})
