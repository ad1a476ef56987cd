// status in a cluster in memory, in virtual time, with an operator that really works.

import { beforeAll, describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../../../src/api/kinds.ts'
import { hours, minutes } from '../../../../src/base/duration.ts'
import { forbidding, runInWorld } from '../../../support/cli-run.ts'
import { identity, openShop, SHOP, tenantAuthority } from '../../../support/scenario/cast.ts'
import { createWorld, type World } from '../../../support/scenario/world.ts'

let world: World
beforeAll(async () => {
  world = createWorld()
  await openShop(world)
  await world.start()
  await identity(world, 'payments')
  await identity(world, 'refused', { certificate: { lifetime: '2m' } })
  await identity(world, 'waiting')
  await tenantAuthority(world, 'internal')
  // That there are no pods yet is told after a while only.
  await world.pass(minutes(1))
})

describe('the tables', () => {
  it('say how each identity stands, and why where it is not ready', async () => {
    const { out, code, errors } = await runInWorld(world, ['status'])
    expect(errors).toBe('')
    expect(out.split('\n')[0]).toMatch(/^NAME +STATE +REASON +SPIFFE ID +AUTHORITY +EXPIRES +PODS$/)
    expect(out).toMatch(/^payments +ready +Current +spiffe:\/\/cluster.local\/ns\/shop\/sa\/payments +default +in \d+h +1$/m)
    expect(out).toMatch(/^refused +refused +LifetimeOutOfBounds +- +default +- +0$/m)
    expect(out).toMatch(/^waiting +waiting +NoServiceAccount/m)
    expect(out).toMatch(/^shop\/refused: +.*choose 10m to 360h/m)
    expect(code).toBe(4)
  })

  it('say how each authority stands', async () => {
    const { out } = await runInWorld(world, ['status'])
    expect(out).toMatch(/^AUTHORITY +STATE +REASON +TRUST DOMAIN +ROOT EXPIRES +GENERATIONS +ANCHORS$/m)
    expect(out).toMatch(/^default +ready +Current +cluster.local +in 89d +1 active +1$/m)
    expect(out).toMatch(/^mauth shop\/internal +ready +Current +shop.cluster.local /m)
  })

  it('of all namespaces have a column for them', async () => {
    const { out } = await runInWorld(world, ['status', '-A'])
    expect(out).toMatch(/^NAMESPACE +NAME /)
    expect(out).toMatch(/^shop +payments +ready/m)
  })

  it('of a namespace without identities say so, and that is good', async () => {
    const { out, code } = await runInWorld(world, ['status', '-n', 'default'])
    expect(out).toMatch(/^There are no identities\.$/m)
    expect(code).toBe(0)
  })

  it('are data for programs', async () => {
    const { out } = await runInWorld(world, ['status', '-o', 'json'])
    expect(JSON.parse(out)).toMatchObject({
      identities: [
        { namespace: SHOP, name: 'payments', state: 'ready', pods: 1, expired: false },
        { name: 'refused' },
        { name: 'waiting' },
      ],
      authorities: [{ kind: 'ClusterMutualAuthority', name: 'default', state: 'ready' }, { namespace: SHOP }],
    })
    expect((await runInWorld(world, ['status', '-o', 'yaml'])).out).toMatch(/^identities:\n {2}- namespace: shop\n {4}name: payments$/m)
  })
})

describe('under few rights', () => {
  it('says what of authorities is unknown', async () => {
    const few = forbidding('clustermutualauthorities', 'mutualauthorities')
    const { out } = await runInWorld(world, ['status'], few)
    // Nothing is wrong with what it sees there, and it is not good either.
    expect((await runInWorld(world, ['status', '-n', 'default'], few)).code).toBe(3)
    expect(out).toMatch(/^payments +ready/m)
    expect(out).toMatch(/^unknown: ClusterMutualAuthorities and MutualAuthorities may not be read by this account$/m)
  })

  it('cannot answer where identities may not be read', async () => {
    const { out, errors, code } = await runInWorld(world, ['status', '-A'], forbidding('mutualidentities'))
    expect([code, out]).toEqual([1, ''])
    expect(errors).toContain('MutualIdentities of the cluster may not be read by this account')
  })

  it('asks for nothing but identities and authorities, and which namespaces are watched', async () => {
    const before = world.api.requests.length
    await runInWorld(world, ['status', '-A'])
    const asked = world.api.requests.slice(before).filter(({ user }) => user === 'viewer')
    expect(new Set(asked.map(({ verb, resource }) => `${verb} ${resource}`))).toEqual(
      new Set(['list mutualidentities', 'list clustermutualauthorities', 'list mutualauthorities', 'get deployments']),
    )
  })
})

describe('colours', () => {
  it('are there on a terminal only, and not where somebody said no', async () => {
    const coloured = await runInWorld(world, ['status'], undefined, { terminal: true })
    expect(coloured.out).toContain('\x1b[32mready\x1b[39m')
    const refused = await runInWorld(world, ['status', '--no-color'], undefined, { terminal: true })
    const byEnvironment = await runInWorld(world, ['status'], undefined, { terminal: true, environment: { NO_COLOR: '1' } })
    const piped = await runInWorld(world, ['status'])
    for (const { out } of [refused, byEnvironment]) expect(out).toBe(piped.out)
  })
})

describe('--watch', () => {
  it('adds a line for each change, until it is ended', async () => {
    const ended = new AbortController()
    const running = runInWorld(world, ['status', '-w'], undefined, { signal: ended.signal })
    await world.settle()
    await identity(world, 'orders')
    await world.settle()
    await world.person.delete(mutualIdentities, { namespace: SHOP, name: 'orders' }, {})
    await world.settle()
    ended.abort()
    const { out, code } = await running
    expect(out).toMatch(/^orders +waiting +NotReported/m)
    expect(out).toMatch(/^orders +ready +Current +spiffe/m)
    expect(out).toMatch(/^orders +waiting +Deleted/m)
    expect(code).toBe(0)
  })
})

it('what has expired is called that, whatever a dead operator last reported', async () => {
  for (const process of world.processes) process.kill()
  await world.clock.advance(hours(30))
  const { out, code } = await runInWorld(world, ['status'])
  expect(out).toMatch(/^payments +ready +Current .* +expired \S+ ago +1$/m)
  expect(code).toBe(4)
})

it.each([
  [['payments'], 'kubectl mutual explain payments'],
  [['-A', '-n', 'shop'], 'leave one of them out'],
  [['-w', '-o', 'json'], '--watch prints text only'],
])('%j are refused', async (args, words) => {
  const { code, errors } = await runInWorld(world, ['status', ...args])
  expect([code, errors]).toEqual([2, expect.stringContaining(words)])
})
