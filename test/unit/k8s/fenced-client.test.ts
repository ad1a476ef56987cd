import { describe, expect, it } from '@jest/globals'
import { silentLog } from '../../../src/base/log.ts'
import type { Client } from '../../../src/k8s/client.ts'
import { fencedClient } from '../../../src/k8s/fenced-client.ts'
import { Election } from '../../../src/k8s/lease.ts'
import { secrets } from '../../../src/k8s/resource.ts'
import { leaseApi } from '../../support/lease-api.ts'
import { virtualClock } from '../../support/virtual-clock.ts'

describe('a leader that stood still beyond its term', () => {
  it('begins no write, though none of its timers has had a turn yet', async () => {
    const time = virtualClock()
    const connection = leaseApi(time).connect()
    // The process stands still: time passes, and its timers do not go off.
    let stoodStill = 0
    const clock = { ...time, monotonic: () => time.monotonic() + stoodStill }
    const ends: string[] = []
    const written: boolean[] = []
    const asked: unknown[] = []
    const election: Election = new Election({
      client: connection.client,
      clock,
      random: { uniform: () => 0, bytes: (count) => new Uint8Array(count) },
      log: silentLog,
      lease: { namespace: 'system', name: 'l' },
      identity: 'a',
      onAcquired: (term) => {
        const create: Client['create'] = async (_resource, object, options) => {
          written.push(options?.signal?.aborted ?? false)
          asked.push(options?.beforeSending)
          return object
        }
        const client = { create } as Pick<Client, 'create'> as Client
        fenced = fencedClient(client, term, () => election.check())
      },
      onLost: () => ends.push('lost'),
    })
    let fenced: Client | undefined
    election.start()
    await time.advance(100)
    await fenced?.create(secrets, { metadata: { name: 'a' } })
    expect([written, ends]).toEqual([[false], []])
    // Asked again when a connection takes it.
    expect(asked).toEqual([expect.any(Function)])
    stoodStill = 20_000
    await fenced?.create(secrets, { metadata: { name: 'b' } })
    expect([written, ends, election.leading]).toEqual([[false, true], ['lost'], false])
    await election.stop()
  })
})
