// The API server in memory, held against the cases that the real one passes (test/cluster/api-server.test.ts), and what it alone can do: faults,
// deaths, disturbed watches, forgotten versions, restored backups.

import { openMemory } from './api-server/memory.ts'
import { apiServerCases } from './api-server.ts'

apiServerCases('the API server in memory', async () => openMemory())
