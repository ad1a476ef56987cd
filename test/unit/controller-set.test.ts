// A term that ends before it has begun.

import { expect, it } from '@jest/globals'
import { createLog } from '../../src/base/log.ts'
import { parseConfig } from '../../src/config.ts'
import { createControllerSet } from '../../src/controller-set.ts'
import { createClient } from '../../src/k8s/client.ts'
import { ConcurrencyLimit } from '../../src/runtime/concurrency-limit.ts'
import { createStores } from '../../src/stores.ts'
import { steadyRandom } from '../support/material.ts'
import { memoryApi } from '../support/memory-api/server.ts'
import { virtualClock } from '../support/virtual-clock.ts'

it.each([
  ['begins nothing in a term that is over', true],
  ['begins in one that is not', false],
])('%s', async (_what, over) => {
  const clock = virtualClock()
  const lines: string[] = []
  const parsed = parseConfig(['--kubeconfig', 'none', '--namespace', 'operator'], {}, false)
  if (parsed.kind !== 'run') throw new Error(parsed.text)
  const api = memoryApi({ clock })
  const connection = api.connect({ user: 'operator' })
  const set = createControllerSet({
    config: parsed.config,
    clock,
    random: steadyRandom,
    log: createLog('info', (line) => lines.push(line)),
    client: createClient(connection, { clock, random: steadyRandom, fieldManager: 'mutual-identity' }),
    stores: createStores(() => undefined),
    metrics: { pass() {}, step() {}, request() {}, render: async () => ({ contentType: '', text: '' }) },
    identitiesAtOnce: new ConcurrencyLimit({ clock, most: 8 }),
  })
  await set.start(over ? AbortSignal.abort() : new AbortController().signal)
  expect(lines.some((line) => line.includes('controllers started'))).toBe(!over)
  await clock.advance(1000)
  expect(api.requests.length > 0).toBe(!over) // it would make the default authority
  const stopped = set.stop()
  await clock.advance(5000)
  await stopped
})
