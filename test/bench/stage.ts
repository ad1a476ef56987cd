// What every measurement stands on: a control plane of its own, the operator's kinds and rights, the bundle that is measured. Used by the bench.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ControlPlane, startControlPlane } from '../../scripts/control-plane/index.ts'
import { type Cluster, connectCluster } from '../../scripts/install/cluster.ts'
import { installOperator } from '../../scripts/install/install.ts'
import { PROJECT_FOLDER } from '../../scripts/install/manifests.ts'
import { controllerKubeconfig } from '../../scripts/install/service-account.ts'
import { namespaces } from '../../src/k8s/resource.ts'
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
