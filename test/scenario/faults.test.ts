// Answers that go wrong, at every request of a story, reads and watches too; and an API server that is away for long. Oracles judge, nobody steps in.

import { describe, expect, it } from '@jest/globals'
import { hours, minutes, seconds } from '../../src/base/duration.ts'
import type { Fault, FaultHook } from '../support/memory-api/faults.ts'
import { identity, openShop, readyOf, secretOf } from '../support/scenario/cast.ts'
import { operatorWrites, watchOver } from '../support/scenario/oracles.ts'
import { STORIES, type Story } from '../support/scenario/stories.ts'
import { createWorld, type World } from '../support/scenario/world.ts'

const FAULTS: Readonly<Record<string, Fault>> = {
  'a conflict': { kind: 'refuse', status: 409, reason: 'Conflict' },
  'too many requests': { kind: 'refuse', status: 429, retryAfterMs: seconds(2) },
  'an internal error': { kind: 'refuse', status: 500 },
  'a bad gateway that says HTML': { kind: 'answer', status: 502, body: '<html>' },
  'a gateway timeout': { kind: 'refuse', status: 504 },
  'a refusal': { kind: 'refuse', status: 403 },
  'half an answer': { kind: 'answer', status: 200, body: '{"kind":"Secret","metadata":{"name":' },
  'an answer of another kind': { kind: 'answer', status: 200, body: '{"kind":"Status","status":"Success"}' },
  'a broken connection': { kind: 'breakBefore' },
  'a lost reply': { kind: 'breakAfter' },
  'no answer': { kind: 'hangBefore' },
  'no answer though it was done': { kind: 'hangAfter' },
}

const storyOf = (name: string): Story => STORIES.find((story) => story.name === name) as Story

/** Tells a story with one fault at one request, from the start of the operator on, or from where people act on what is given; whether there was such a request, and what is wrong. */
async function tellWithFault(
  story: Story,
  at: number,
  fault: Fault,
): Promise<{ readonly struck: boolean; readonly wrong: readonly string[] }> {
  let count = 0
  let armed = !story.given
  const hook: FaultHook = () => (armed && ++count === at ? fault : undefined)
  const world = createWorld()
  await story.prepare(world)
  const oracles = watchOver(world)
  await world.start({ hook })
  await world.settle()
  await story.given?.(world)
  await world.settle()
  armed = true
  await story.act(world)
  // What is blocked is looked at again after a minute, and later after five.
  await world.pass(minutes(6))
  const missing = story.missing(world)
  await oracles.comesToRest()
  return { struck: count >= at, wrong: [...(missing === undefined ? [] : [`not reached: ${missing}`]), ...oracles.finish()] }
}

describe.each(Object.entries(FAULTS))('%s, once, at any request', (_name, fault) => {
  it.each([
    ['first identities', 30],
    ['spec changed', 3],
  ])(
    'does not keep the story "%s" from its end',
    async (name, requests) => {
      const broken: string[] = []
      let request = 1
      for (; ; request++) {
        const { struck, wrong } = await tellWithFault(storyOf(name), request, fault)
        if (!struck) break
        broken.push(...wrong.map((what) => `request ${request}: ${what}`))
      }
      expect(broken).toEqual([])
      expect(request).toBeGreaterThan(requests)
    },
    60_000,
  )
})

/** Two identities that are served. */
async function served(
  hook: FaultHook = () => undefined,
  spec: object = {},
): Promise<{ world: World; oracles: ReturnType<typeof watchOver> }> {
  const world = createWorld()
  await openShop(world)
  const oracles = watchOver(world)
  await world.start({ hook })
  await identity(world, 'payments', spec)
  await identity(world, 'orders', spec)
  await world.settle()
  expect([readyOf(world, 'payments'), readyOf(world, 'orders')]).toEqual(['Current', 'Current'])
  return { world, oracles }
}

describe('an API server that is away', () => {
  it.each([
    ['10 minutes', minutes(10)],
    ['25 minutes, into the time of renewal', minutes(25)],
    ['two hours, beyond the end of all certificates', hours(2)],
  ])(
    'for %s is found again, and what was due is made up for',
    async (_what, ms) => {
      let away = false
      const { world, oracles } = await served(() => (away ? { kind: 'breakBefore' } : undefined), { certificate: { lifetime: '1h' } })
      await world.pass(minutes(20))
      away = true
      world.api.breakWatches()
      await world.pass(ms)
      away = false
      // Watches come back after half a minute at most, failed steps after five.
      await world.pass(minutes(6))
      for (const name of ['payments', 'orders']) {
        expect(readyOf(world, name)).toBe('Current')
        const renewAt = secretOf(world, `${name}-mtls`)?.metadata.annotations?.['mutualidentity.io/renew-at'] ?? ''
        expect(Date.parse(renewAt)).toBeGreaterThan(world.clock.now())
      }
      await oracles.comesToRest()
      expect(oracles.finish()).toEqual([])
    },
    60_000,
  )
})

describe('a right that is taken away for an hour', () => {
  it.each([
    ['create', 'secrets'],
    ['patch', 'secrets'],
    ['create', 'configmaps'],
    ['update', 'mutualidentities'],
    ['get', 'secrets'],
    ['create', 'events'],
  ])('%s %s: is told where it can be, and everything comes right after it is back', async (verb, resource) => {
    let forbidden = true
    const world = createWorld()
    await openShop(world)
    const oracles = watchOver(world)
    await world.start({
      hook: (request) =>
        forbidden && request.verb === verb && request.resource === resource ? { kind: 'refuse', status: 403 } : undefined,
    })
    await identity(world, 'payments')
    await world.pass(hours(1))
    // Not a hot loop: a few tries, then every minute, and later every five.
    expect(world.api.requests.filter((request) => request.user === 'operator' && request.code === 403).length).toBeLessThan(100)
    forbidden = false
    await world.pass(minutes(11))
    expect(readyOf(world, 'payments')).toBe('Current')
    await oracles.comesToRest()
    expect(oracles.finish()).toEqual([])
  })
})

it('429 is obeyed: no write of the same object before Retry-After is over', async () => {
  let refusing = false
  const { world, oracles } = await served(({ verb }) =>
    refusing && (verb === 'patch' || verb === 'update') ? { kind: 'refuse', status: 429, retryAfterMs: seconds(20) } : undefined,
  )
  refusing = true
  await world.pass(hours(14))
  const tries = world.api.requests.filter(({ user, code }) => user === 'operator' && code === 429)
  const early = tries.filter(({ name, resource, subresource, number, at }) =>
    tries.some(
      (again) =>
        again.number > number &&
        again.name === name &&
        again.resource === resource &&
        again.subresource === subresource &&
        again.at < at + seconds(20),
    ),
  )
  expect(tries.length).toBeGreaterThan(3)
  expect(early).toEqual([])
  refusing = false
  await world.pass(minutes(6))
  expect([readyOf(world, 'payments'), readyOf(world, 'orders')]).toEqual(['Current', 'Current'])
  await oracles.comesToRest()
  expect(oracles.finish()).toEqual([])
  expect(operatorWrites(world).length).toBeGreaterThan(0)
})
