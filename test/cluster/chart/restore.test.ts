// What docs/install.md says of kinds that are there already and of backup and restore, done with kubectl and Helm on a real API server. The commands of
// its section on backups are read from it and carried out by a shell.

import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { provideBinaries } from '../../../scripts/control-plane/index.ts'
import { connectCluster } from '../../../scripts/install/cluster.ts'
import { startController } from '../../../scripts/install/controller-process.ts'
import { PROJECT_FOLDER } from '../../../scripts/install/manifests.ts'
import { controllerKubeconfig } from '../../../scripts/install/service-account.ts'
import { clusterMutualAuthorities, mutualIdentities } from '../../../src/api/kinds.ts'
import { configMaps, namespaces, type RawObject, secrets } from '../../../src/k8s/resource.ts'
import { CHART, RELEASE } from '../../support/chart.ts'
import { type ChartCluster, releaseArguments, startChartCluster } from '../../support/chart-cluster.ts'
import { eventually } from '../../support/cluster-eventually.ts'
import { authorityStands, createPlace, findObject, type Place, placeIn } from '../../support/cluster-objects.ts'
import { OPERATOR_NAMESPACE } from '../../support/cluster-operator.ts'
import { keyDetector } from '../../support/key-detector.ts'

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

const [BACK_UP, RESTORE, MOVE] = documented('Back up and restore') as [string, string, string]
const [RESTORE_CA, RESTORE_OTHERS] = RESTORE.trim().split('\n') as [string, string]

/** The shell blocks of a section of the document. */
function documented(section: string): readonly string[] {
  const document = readFileSync(join(PROJECT_FOLDER, 'docs', 'install.md'), 'utf8')
  const text = document.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? ''
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = '']) => block)
}

/** Carries commands out where the backup lies; resolves with all that a person sees of it. */
async function sh(commands: string): Promise<string> {
  const { kubectl } = await provideBinaries(['kubectl'], () => undefined)
  const env = { PATH: [dirname(kubectl), process.env['PATH']].join(delimiter), HOME: folder, KUBECONFIG: cluster.plane.kubeconfigFile }
  const { stdout, stderr } = await promisify(execFile)('sh', ['-ec', commands], { cwd: folder, env })
  return stdout + stderr
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

/** An identity is served, all is backed up, and the operator stops; resolves with the root. */
async function backedUp() {
  const first = await cluster.startAsDeployed()
  await shop.identity('web')
  await shop.ready('web')
  const root = rootOf(await shop.secret('web'))
  await sh(BACK_UP)
  await first.stop()
  return root
}

it('a backup that is restored before the chart is installed brings the same CA', async () => {
  const root = await backedUp()
  await wipe()

  await cluster.kubectl(['create', 'namespace', OPERATOR_NAMESPACE])
  await sh(RESTORE_CA)
  await cluster.helm.run(releaseArguments('install', CHART))
  await createPlace(cluster.client, 'shop')
  await eventually(() => sh(RESTORE_OTHERS))
  const again = await cluster.startAsDeployed()
  await shop.ready('web')
  expect(rootOf(await shop.secret('web'))).toBe(root)
  await again.stop()
})

it('a backup is restored over what was edited since, while the operator runs, and nothing on the terminal is a key', async () => {
  const own = placeIn(cluster.client, OPERATOR_NAMESPACE)
  const running = await cluster.startAsDeployed()
  await authorityStands(cluster.client, 'default', 'Current')
  await sh(BACK_UP)
  const before = await own.get(secrets, 'default-ca-1')
  const key = Buffer.from((before['data'] as Record<string, string>)['tls.key'] as string, 'base64')
  const identity = (await shop.get(mutualIdentities, 'web'))['spec']
  await own.patch(secrets, 'default-ca-1', { data: { 'tls.key': 'Z2FyYmFnZQ==' }, metadata: { annotations: null } })
  await own.patch(configMaps, 'default-trust-bundle', { data: { 'ca.crt': 'garbage' } })
  await cluster.client.mergePatch(clusterMutualAuthorities, { namespace: '', name: 'default' }, { spec: { leaf: { lifetime: '2h' } } })
  await shop.patch(mutualIdentities, 'web', { spec: { podSelector: { matchLabels: { app: 'other' } } } })
  await authorityStands(cluster.client, 'default', 'CAKeyInvalid')

  const seen = await sh(RESTORE)
  expect(seen).toMatch(/secret\/default-ca-1 serverside-applied/)
  await authorityStands(cluster.client, 'default', 'Current')
  const { data, metadata } = await own.get(secrets, 'default-ca-1')
  expect(data).toEqual(before['data'])
  expect(metadata.annotations).toEqual(before.metadata.annotations)
  expect((await shop.get(mutualIdentities, 'web'))['spec']).toEqual(identity)
  expect((await cluster.client.get(clusterMutualAuthorities, { namespace: '', name: 'default' }))['spec']).toMatchObject({
    leaf: { lifetime: '24h' },
  })

  // One that was made without the filter is refused, and its keys are not shown either.
  const whole = await own.get(secrets, 'default-ca-1')
  await own.patch(secrets, 'default-ca-1', { metadata: { labels: { edited: 'since' } } })
  writeFileSync(
    join(folder, 'ca.yaml'),
    JSON.stringify({ apiVersion: 'v1', kind: 'Secret', ...whole, metadata: { ...whole.metadata, managedFields: undefined } }),
  )
  const refused = await sh(RESTORE_CA).catch(({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr)
  expect(refused).toMatch(/Conflict|has been modified/)
  for (const text of [seen, refused]) expect(keyDetector([key])(text)).toBeUndefined()
  await running.stop()
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
  const root = await backedUp()
  await cluster.helm.run(releaseArguments('uninstall'))

  await sh(MOVE)
  await cluster.kubectl(['create', 'namespace', namespace])
  await sh(RESTORE_CA.replace('ca.yaml', 'moved.yaml'))
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
