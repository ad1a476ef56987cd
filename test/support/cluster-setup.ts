// Runs once before the first cluster test: builds or finds the programs of the control plane, with progress, so that no test
// spends its own time on that. Used by jest.config.mjs only; it must not start anything, each test file starts its own control plane.

import process from 'node:process'
import { provideBinaries } from '../../scripts/control-plane/index.ts'

export default async function prepareCluster(): Promise<void> {
  await provideBinaries(['etcd', 'kube-apiserver', 'kube-controller-manager', 'helm', 'kubectl', 'promtool'], (line) =>
    process.stderr.write(`${line}\n`),
  )
}
