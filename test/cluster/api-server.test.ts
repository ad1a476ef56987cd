// The API server conformance cases on a real control plane with our CRDs, as administrator. What they say of it the one in memory has to do.

import { afterAll, beforeAll } from '@jest/globals'
import { type ControlPlane, startControlPlane } from '../../scripts/control-plane/index.ts'
import { systemClock } from '../../src/base/clock.ts'
import { systemRandom } from '../../src/base/random.ts'
import { type Client, createClient } from '../../src/k8s/client.ts'
import { loadAccess } from '../../src/k8s/kubeconfig.ts'
import { createTransport, type Transport } from '../../src/k8s/transport.ts'
import { apiServerCases } from '../contract/api-server.ts'
import { createCaller, installDefinitions } from '../support/api-caller.ts'
import { eventually } from '../support/cluster-eventually.ts'

let plane: ControlPlane
let transport: Transport

const clientAs = (fieldManager: string): Client => createClient(transport, { clock: systemClock, random: systemRandom, fieldManager })

beforeAll(async () => {
  plane = await startControlPlane({ say: () => {} })
  await installDefinitions(createCaller(plane))
  const access = await loadAccess({ clock: systemClock, kubeconfig: plane.kubeconfigFile, environment: {} })
  transport = createTransport(access, { clock: systemClock })
})
afterAll(async () => {
  await transport?.close()
  await plane?.stop()
})

apiServerCases('a real API server', async () => ({
  client: clientAs('conformance'),
  other: clientAs('other'),
  transport,
  // A check that fails on a fact, not on time, would hold up the whole file.
  eventually: (check) => eventually(check, 30_000),
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}))
