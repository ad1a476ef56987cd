// A namespace that does not exist, asked about by the verbs that would else tell that it is empty.

import { beforeAll, describe, expect, it } from '@jest/globals'
import { forbidding, runInWorld } from '../../support/cli-run.ts'
import { openShop } from '../../support/scenario/cast.ts'
import { createWorld, type World } from '../../support/scenario/world.ts'

let world: World
beforeAll(async () => {
  world = createWorld()
  await openShop(world)
  await world.start()
  await world.settle()
})

const NOT_THERE = { code: 1, out: '', errors: 'error: namespace nope does not exist (kubectl get namespaces)\n' }

describe.each([[['status']], [['renew', '--all']], [['explain']], [['explain', 'authority']], [['explain', 'mauth']], [['graph']]])(
  '%j',
  (words) => {
    it('of a namespace that is not there says so, and ends with 1', async () => {
      expect(await runInWorld(world, [...words, '-n', 'nope'])).toEqual(NOT_THERE)
    })

    it('of one that is there and empty is good, and so it is where namespaces may not be read', async () => {
      expect((await runInWorld(world, [...words, '-n', 'default'])).code).toBe(0)
      expect((await runInWorld(world, [...words, '-n', 'nope'], forbidding('namespaces'))).code).toBe(0)
    })
  },
)

it.each([
  [['explain', 'payments']],
  [['explain', 'authority', 'none']],
  [['inspect', 'payments']],
  [['renew', 'payments', 'orders']],
  [['check']],
])('%j names it, and not what is not in it', async (words) => {
  expect(await runInWorld(world, [...words, '-n', 'nope'])).toEqual(NOT_THERE)
  const unseen = await runInWorld(world, [...words, '-n', 'nope'], forbidding('namespaces'))
  expect([unseen.out + unseen.errors, unseen.errors.includes('does not exist')]).toEqual([expect.stringContaining('nope'), false])
})

it('is not asked for where a namespace does not matter', async () => {
  expect((await runInWorld(world, ['explain', 'cmauth', '-n', 'nope'])).code).toBe(0)
  expect((await runInWorld(world, ['explain', 'authority', 'default', '-n', 'nope'])).code).toBe(0)
})
