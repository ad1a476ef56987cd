// The walk through the log in docs/logs.md is what an operator really prints at level info, line by line; times, serial numbers and fingerprints aside.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { mutualIdentities } from '../../src/api/kinds.ts'
import { hours, minutes } from '../../src/base/duration.ts'
import { textLines } from '../../src/base/log-text.ts'
import { configMaps, secrets } from '../../src/k8s/resource.ts'
import { identity, openShop, respec, SHOP, service } from '../support/scenario/cast.ts'
import { createWorld } from '../support/scenario/world.ts'

const DOCUMENT = join(import.meta.dirname, '..', '..', 'docs', 'logs.md')

/** Without what is different in each run. */
const masked = (line: string): string =>
  line
    .replace(/^\d\d:\d\d:\d\dZ/, 'TIME')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'INSTANT')
    .replace(/\b[0-9a-f]{16,64}\b/g, 'HEX')
    .replace(/durationMs=\d+/, 'durationMs=N')

it('the documented walk is what is printed', async () => {
  const world = createWorld()
  await openShop(world)
  await world.start()
  await world.settle()
  await identity(world, 'payments')
  await world.pass(minutes(1))
  await service(world, 'ledger', 'payments')
  await world.pass(hours(14))
  await world.person.mergePatch(secrets, { namespace: SHOP, name: 'payments-mtls' }, { data: { 'tls.key': 'eA==' } })
  await world.pass(minutes(1))
  await world.person.mergePatch(configMaps, { namespace: SHOP, name: 'default-trust-bundle' }, { data: { 'ca.crt': 'mine' } })
  await world.pass(minutes(1))
  await respec(world, 'payments', { certificate: { lifetime: '2000h' } })
  await world.pass(minutes(1))
  await respec(world, 'payments', { certificate: { lifetime: null } })
  await world.pass(minutes(1))
  await world.person.delete(mutualIdentities, { namespace: SHOP, name: 'payments' }, {})
  await world.pass(hours(24))

  const printed = world.lines
    .filter((line) => !line.includes('"level":"debug"'))
    .map((line) => masked(textLines(line).trimEnd()))
    // One for each kind, in whatever order the answers came.
    .filter((line) => !line.includes('  listed  '))
  const documented = [...readFileSync(DOCUMENT, 'utf8').matchAll(/^```text\n([\s\S]*?)^```/gm)]
    .flatMap(([, block = '']) => block.trimEnd().split('\n'))
    .map(masked)
  expect(documented).toEqual(printed)
})
