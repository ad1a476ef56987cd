// Objects in a namespace that the operator was told not to watch, as the verbs tell of them.

import { beforeAll, describe, expect, it } from '@jest/globals'
import { deployments } from '../../../src/k8s/resource.ts'
import { forbidding, runInWorld } from '../../support/cli-run.ts'
import { OPERATOR_NAMESPACE } from '../../support/material.ts'
import { identity, openShop, tenantAuthority } from '../../support/scenario/cast.ts'
import { createWorld, type World } from '../../support/scenario/world.ts'

const MESSAGE = 'the operator does not watch namespace shop, so nothing is issued or renewed there: add it to its --watch-namespaces'
let world: World

beforeAll(async () => {
  world = createWorld()
  await openShop(world)
  await world.start()
  await world.settle()
  // Ready, before it is watched no more.
  await identity(world, 'orders')
  await world.settle()
  for (const process of world.processes) process.kill()
  await identity(world, 'payments')
  await tenantAuthority(world, 'internal')
  await world.person.create(deployments, {
    metadata: { namespace: OPERATOR_NAMESPACE, name: 'mutual-identity' },
    spec: { template: { spec: { containers: [{ name: 'operator', args: ['--watch-namespaces=bank,other'] }] } } },
  })
})

describe('status', () => {
  it('says so, of what was never reported and of what was', async () => {
    const { out, code, errors } = await runInWorld(world, ['status'])
    expect(out).toMatch(/^payments +refused +NotWatched/m)
    expect(out).toMatch(/^orders +refused +NotWatched +spiffe:/m)
    expect(out).toMatch(/^mauth shop\/internal +refused +NotWatched/m)
    expect(out).toContain(`shop/payments:   ${MESSAGE} (value watchNamespaces of the chart), which now are bank, other\n`)
    expect(out).toMatch(/^default +ready/m)
    expect([code, errors]).toEqual([4, ''])
  })

  it('says so in the lines of --watch', async () => {
    const ended = new AbortController()
    const running = runInWorld(world, ['status', '-w'], undefined, { signal: ended.signal })
    await world.settle()
    await identity(world, 'new')
    await world.settle()
    ended.abort()
    expect((await running).out).toMatch(/^new +refused +NotWatched/m)
  })

  it('says nothing of it where the Deployment may not be read', async () => {
    const { out } = await runInWorld(world, ['status'], forbidding('deployments'))
    expect(out).toMatch(/^orders +ready +Current/m)
    expect(out).not.toContain('NotWatched')
  })
})

describe('renew', () => {
  it.each([[[]], [['--wait']]])('%j asks, and says that nobody answers', async (flags) => {
    const { out, errors, code } = await runInWorld(world, ['renew', 'payments', ...flags])
    expect(out).toMatch(/^shop\/payments: renewal asked for at .*\n$/)
    expect(errors.startsWith(`nobody answers: ${MESSAGE}`)).toBe(true)
    expect(code).toBe(4)
  })

  it('says nothing of it where the Deployment may not be read', async () => {
    const { errors, code } = await runInWorld(world, ['renew', 'payments'], forbidding('deployments'))
    expect([errors, code]).toEqual(['', 0])
  })
})

describe('explain', () => {
  it('knows from the Deployment whether workloads are restarted', async () => {
    await identity(world, 'restarted', { restart: { onRenewal: true } })
    const restartUnavailable = async (...refused: readonly string[]) => {
      const { out } = await runInWorld(world, ['explain', 'restarted', '-o', 'json'], forbidding(...refused))
      return (JSON.parse(out) as { facts: { restartUnavailable: boolean } }).facts.restartUnavailable
    }
    expect([await restartUnavailable(), await restartUnavailable('deployments')]).toEqual([true, false])
  })

  it.each([[['payments']], [['mauth', 'internal']]])('%j says so, and plans nothing', async (words) => {
    const { out, code } = await runInWorld(world, ['explain', ...words])
    expect(out).toContain(`State:        refused: NotWatched: ${MESSAGE}`)
    expect(out).toMatch(/^Next step: +nothing, while the operator does not watch the namespace$/m)
    expect(out).not.toMatch(/^(Why|When)/m)
    expect(code).toBe(4)
    const { out: data } = await runInWorld(world, ['explain', ...words, '-o', 'json'])
    expect(JSON.parse(data)).toMatchObject({ standing: { state: 'refused', reason: 'NotWatched' } })
  })

  it('says nothing of it of an authority of the cluster, or where the Deployment may not be read', async () => {
    expect((await runInWorld(world, ['explain', 'cmauth', 'default'])).out).toMatch(/^State: +ready: Current/m)
    expect((await runInWorld(world, ['explain', 'payments'], forbidding('deployments'))).out).toMatch(/^Next step: +issue /m)
  })
})
