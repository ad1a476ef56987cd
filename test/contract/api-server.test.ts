// The API server in memory, held against the cases that the real one passes (test/cluster/api-server.test.ts), and what it alone can do: faults,
// deaths, disturbed watches, forgotten versions, restored backups.

import { describe } from '@jest/globals'
import { disturbanceCases } from './api-server/disturbances.ts'
import { faultCases } from './api-server/faults.ts'
import { openMemory } from './api-server/memory.ts'
import { apiServerCases } from './api-server.ts'

apiServerCases('the API server in memory', async () => openMemory())

describe('the API server in memory alone', () => {
  faultCases()
  disturbanceCases()
})
