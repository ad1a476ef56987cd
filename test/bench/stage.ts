// What every measurement stands on: a control plane of its own, the operator's kinds and rights, the bundle that is measured. Used by the bench.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ControlPlane, startControlPlane } from '../../scripts/control-plane/index.ts'
import { type Cluster, connectCluster } from '../../scripts/install/cluster.ts'
import { installOperator } from '../../scripts/install/install.ts'
import { PROJECT_FOLDER } from '../../scripts/install/manifests.ts'
import { controllerKubeconfig } from '../../scripts/install/service-account.ts'
import { namespaces } from '../../src/k8s/resource.ts'
import { settledWrites } from './api-counts.ts'
import { cpuOf } from './cpu.ts'
import { type Identities, watchIdentities } from './identities.ts'

export const OPERATOR = 'mutual-identity-system'

export interface Stage {
  readonly plane: ControlPlane
  /** An administrator. */
  readonly admin: Cluster
  /** The operator's account. */
  readonly account: Cluster
  readonly kubeconfig: string
  /** What Node runs: the bundle that the image has. */
  readonly entry: string
  /** As a watch from outside sees them. */
  readonly identities: Identities
  readonly say: (line: string) => void
  close(): Promise<void>
}

/** Waits until nothing is written for a second, and no part of the control plane computes any more: it goes on for long with what thousands of objects mean to it. */
export async function atRest({ plane, admin }: Stage): Promise<void> {
  for (;;) {
    await settledWrites(admin.access)
    const before = Object.values(cpuOf(plane.pids)).reduce((sum, seconds) => sum + seconds, 0)
    await sleep(REST_MS)
    const after = Object.values(cpuOf(plane.pids)).reduce((sum, seconds) => sum + seconds, 0)
    if ((after - before) * 1000 < REST_MS * REST_SHARE) return
  }
}

const REST_MS = 2000
/** Of one core: what an idle control plane takes. */
const REST_SHARE = 0.15

export async function openStage(): Promise<Stage> {
  const say = (line: string): void => console.log(`  ${line}`)
  execFileSync(process.execPath, ['scripts/bundle.ts'], { cwd: PROJECT_FOLDER, stdio: 'ignore' })
  const folder = mkdtempSync(join(tmpdir(), 'mutual-identity-bench-'))
  const plane = await startControlPlane({ say })
  const admin = await connectCluster(plane.kubeconfigFile, 'bench')
  await installOperator(admin.client, { namespace: OPERATOR })
  const kubeconfig = await controllerKubeconfig(admin, { namespace: OPERATOR, file: join(folder, 'kubeconfig') })
  const account = await connectCluster(kubeconfig, 'mutual-identity')
  await admin.client.create(namespaces, { metadata: { name: 'raw' } })
  const identities = await watchIdentities(admin)
  return {
    plane,
    admin,
    account,
    kubeconfig,
    entry: join('dist', 'operator', 'operator.mjs'),
    identities,
    say,
    async close() {
      await identities.close()
      await account.close()
      await admin.close()
      await plane.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
