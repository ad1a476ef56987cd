// What the operator says before it has asked anybody anything.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from '@jest/globals'
import { createLog } from '../../src/base/log.ts'
import { parseConfig } from '../../src/config.ts'
import { createOperator } from '../../src/operator.ts'
import { steadyRandom } from '../support/material.ts'
import { virtualClock } from '../support/virtual-clock.ts'

const folder = mkdtempSync(join(tmpdir(), 'operator-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('does not claim to have found a cluster that it has only read the address of', async () => {
  const kubeconfig = join(folder, 'kubeconfig')
  const named = [{ name: 'one', context: { cluster: 'one', user: 'one' } }]
  const clusters = [{ name: 'one', cluster: { server: 'http://127.0.0.1:1' } }]
  writeFileSync(
    kubeconfig,
    JSON.stringify({ 'current-context': 'one', contexts: named, clusters, users: [{ name: 'one', user: { token: 'a-token' } }] }),
  )
  const parsed = parseConfig(['--kubeconfig', kubeconfig], {}, false)
  if (parsed.kind !== 'run') throw new Error(parsed.text)
  const lines: string[] = []
  const log = createLog('info', (line) => lines.push(line))
  await createOperator({ config: parsed.config, clock: virtualClock(), random: steadyRandom, log })
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { time: expect.any(String), level: 'info', message: 'cluster configured', detail: 'http://127.0.0.1:1 as one (context one)' },
  ])
})
