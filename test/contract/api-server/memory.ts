// The API server in memory as a subject of the conformance cases. Time passes in steps, as the cases ask for it.

import { createClient } from '../../../src/k8s/client.ts'
import { steadyRandom } from '../../support/material.ts'
import type { FaultHook } from '../../support/memory-api/faults.ts'
import { type Connection, type MemoryApi, memoryApi } from '../../support/memory-api/server.ts'
import { type VirtualClock, virtualClock } from '../../support/virtual-clock.ts'
import type { Subject } from './subject.ts'

export interface MemorySubject extends Subject {
  readonly api: MemoryApi
  readonly clock: VirtualClock
  readonly connection: Connection
}

const STEP_MS = 50
const WITHIN_MS = 60_000

export function openMemory(hook?: FaultHook): MemorySubject {
  const clock = virtualClock()
  const api = memoryApi({ clock })
  const connection = api.connect(hook === undefined ? {} : { hook })
  const clientAs = (fieldManager: string) => createClient(connection, { clock, random: steadyRandom, fieldManager })
  return {
    api,
    clock,
    connection,
    client: clientAs('conformance'),
    other: clientAs('other'),
    transport: connection,
    wait: (ms) => clock.advance(ms),
    async eventually(check) {
      for (let waited = 0; ; waited += STEP_MS) {
        try {
          const value = await check()
          if (value !== false) return value
          if (waited >= WITHIN_MS) throw new Error('it was not so in time')
        } catch (error) {
          if (waited >= WITHIN_MS) throw error
        }
        await clock.advance(STEP_MS)
      }
    },
  }
}
