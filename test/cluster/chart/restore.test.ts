// What docs/install.md says of kinds that are there already and of backup and restore, done with kubectl and Helm on a real API server.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { connectCluster } from '../../../scripts/install/cluster.ts'
import { startController } from '../../../scripts/install/controller-process.ts'
import { PROJECT_FOLDER } from '../../../scripts/install/manifests.ts'
import { controllerKubeconfig } from '../../../scripts/install/service-account.ts'
import { namespaces, type RawObject } from '../../../src/k8s/resource.ts'
import { CHART, RELEASE } from '../../support/chart.ts'
import { type ChartCluster, releaseArguments, startChartCluster } from '../../support/chart-cluster.ts'
import { eventually } from '../../support/cluster-eventually.ts'
import { createPlace, findObject, type Place } from '../../support/cluster-objects.ts'
import { OPERATOR_NAMESPACE } from '../../support/cluster-operator.ts'

const OURS = ['-l', 'app.kubernetes.io/managed-by=mutual-identity']
const KINDS = ['mutualidentities', 'mutualauthorities', 'clustermutualauthorities'].map((plural) => `${plural}.mutualidentity.io`)

let cluster: ChartCluster
let shop: Place
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'restore-test-'))
  cluster = await startChartCluster()
  shop = await createPlace(cluster.client, 'shop')
})

afterAll(async () => {
  await cluster?.close()
  rmSync(folder, { recursive: true, force: true })
})

const rootOf = ({ data }: RawObject): string => (data as Record<string, string>)['ca.crt'] as string

async function backUp(name: string, ...args: readonly string[]): Promise<string> {
  const file = join(folder, name)
  writeFileSync(file, await cluster.kubectl(['get', ...args, '-o', 'yaml']), { mode: 0o600 })
  return file
}

/** As if the cluster were another: operator, kinds and all that it made are gone. */
async function wipe(): Promise<void> {
  await cluster.helm.run(releaseArguments('uninstall'))
  await cluster.kubectl(['delete', 'crd', ...KINDS])
  await cluster.kubectl(['delete', 'configmaps', '-A', ...OURS])
  for (const name of [OPERATOR_NAMESPACE, 'shop']) {
    await cluster.client.delete(namespaces, { namespace: '', name }, {})
    await eventually(async () => expect(await findObject(cluster.client, namespaces, { namespace: '', name })).toBeUndefined())
  }
}

it('a backup that is restored before the chart is installed brings the same CA', async () => {
  const first = await cluster.startAsDeployed()
  await shop.identity('web')
  await shop.ready('web')
  const root = rootOf(await shop.secret('web'))
  const ca = await backUp('ca.yaml', '-n', OPERATOR_NAMESPACE, 'secrets,configmaps', ...OURS)
  const authorities = await backUp('authorities.yaml', 'clustermutualauthorities')
  const identities = await backUp('identities.yaml', 'mutualidentities,mutualauthorities', '-A')
  await first.stop()
  await wipe()

  await cluster.kubectl(['create', 'namespace', OPERATOR_NAMESPACE])
  await cluster.kubectl(['apply', '-f', ca])
  await cluster.helm.run(releaseArguments('install', CHART))
  await createPlace(cluster.client, 'shop')
  await eventually(() => cluster.kubectl(['apply', '-f', authorities]))
  await cluster.kubectl(['apply', '-f', identities])
  await cluster.startAsDeployed()
  await shop.ready('web')
  expect(rootOf(await shop.secret('web'))).toBe(root)
})

it('kinds that somebody applied before are taken over when Helm is told so', async () => {
  await wipe()
  await cluster.kubectl(['apply', '-f', join(PROJECT_FOLDER, 'crds')])
  await expect(cluster.helm.run(releaseArguments('install', CHART, '--create-namespace'))).rejects.toThrow(/ownership/)
  await cluster.helm.run(releaseArguments('install', CHART, '--create-namespace', '--take-ownership'))
  const owner = '{.metadata.annotations.meta\\.helm\\.sh/release-name}'
  expect(await cluster.kubectl(['get', 'crd', ...KINDS, '-o', `jsonpath={range .items[*]}${owner} {end}`])).toBe(
    'mutual-identity '.repeat(3),
  )
})

it('a backup that is restored into another namespace moves the CA there', async () => {
  const namespace = 'elsewhere'
  shop = await createPlace(cluster.client, 'shop')
  const first = await cluster.startAsDeployed()
  await shop.identity('web')
  await shop.ready('web')
  const root = rootOf(await shop.secret('web'))
  const ca = await backUp('ca.yaml', '-n', OPERATOR_NAMESPACE, 'secrets,configmaps', ...OURS)
  await first.stop()
  await cluster.helm.run(releaseArguments('uninstall'))

  // As the sed of the document does.
  writeFileSync(ca, readFileSync(ca, 'utf8').replaceAll(/^ {4}namespace: mutual-identity-system$/gm, `    namespace: ${namespace}`))
  await cluster.kubectl(['create', 'namespace', namespace])
  await cluster.kubectl(['apply', '-f', ca])
  await cluster.helm.run(['install', RELEASE, CHART, '--namespace', namespace, '--take-ownership'])
  const administrator = await connectCluster(cluster.plane.kubeconfigFile, 'restore-test')
  const file = join(folder, 'moved.kubeconfig')
  const kubeconfig = await controllerKubeconfig(administrator, { namespace, file })
  await administrator.close()
  const second = await startController({ kubeconfig, namespace, logFile: join(folder, 'moved.log'), flags: [], ownGroup: true })
  try {
    await shop.identity('late')
    await shop.ready('late')
    expect(rootOf(await shop.secret('late'))).toBe(root)
  } finally {
    await second.kill()
  }
})
