// The image without a container engine: the steps of the Dockerfile in a clean folder give the very bytes that a checkout gives, and what would be in the
// image starts alone, from a folder that nobody may write, and serves an identity.

import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startController } from '../../scripts/install/controller-process.ts'
import { mutualIdentities } from '../../src/api/kinds.ts'
import { createPlace } from '../support/cluster-objects.ts'
import { OPERATOR_NAMESPACE, startCluster, type TestCluster } from '../support/cluster-operator.ts'
import { buildStage, only, stagesOf } from '../support/dockerfile.ts'

const REPOSITORY = join(import.meta.dirname, '..', '..')
const [build = [], final = []] = stagesOf(readFileSync(join(REPOSITORY, 'Dockerfile'), 'utf8'))

let folder: string
let image: string
let cluster: TestCluster

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'image-'))
  // The base image has Node 24 as `node`; here it is the project's own.
  mkdirSync(join(folder, 'bin'))
  symlinkSync(process.execPath, join(folder, 'bin', 'node'))
  const { NODE_OPTIONS: _options, ...environment } = process.env
  buildStage(build, REPOSITORY, join(folder, 'root'), { ...environment, PATH: [join(folder, 'bin'), environment['PATH']].join(delimiter) })
  image = join(folder, 'app')
  const [source = ''] = only(final, 'COPY').replace('--from=build ', '').split(' ')
  cpSync(join(folder, 'root', source), image, { recursive: true })
  for (const file of readdirSync(image)) chmodSync(join(image, file), 0o444)
  chmodSync(image, 0o555)
  cluster = await startCluster()
}, 300_000)

afterAll(async () => {
  await cluster?.close()
  if (image) chmodSync(image, 0o755)
  if (folder) rmSync(folder, { recursive: true, force: true })
})

const bytesOf = (root: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(root)
      .sort()
      .map((file) => [file, readFileSync(join(root, file), 'base64')]),
  )

describe('what the Dockerfile makes', () => {
  it('is the same bytes as another folder makes', () => {
    const elsewhere = join(folder, 'elsewhere')
    for (const path of ['package.json', 'package-lock.json', 'tsconfig.json', 'scripts', 'src'])
      cpSync(join(REPOSITORY, path), join(elsewhere, path), { recursive: true })
    cpSync(join(folder, 'root', 'src', 'node_modules'), join(elsewhere, 'node_modules'), { recursive: true, verbatimSymlinks: true })
    execFileSync(process.execPath, ['scripts/bundle.ts'], { cwd: elsewhere, stdio: 'ignore' })
    expect(Object.keys(bytesOf(image)).length).toBeGreaterThan(3)
    expect(bytesOf(join(elsewhere, 'dist', 'operator'))).toEqual(bytesOf(image))
  }, 60_000)

  it.each(['kubectl-mutual.mjs', 'operator/operator.mjs'])(
    '%s says so where Node is too old for it, before anything else of it runs',
    (file) => {
      const older = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.18.0' } })"
      const args = ['--import', `data:text/javascript,${encodeURIComponent(older)}`, join(folder, 'elsewhere', 'dist', file), 'version']
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
      expect([status, stdout]).toEqual([1, ''])
      expect(stderr).toBe(`Node 22.19 or newer is needed, this is 22.18.0 (${process.execPath}): put a newer one first on the PATH\n`)
    },
  )

  it('is small, and lists what of others is in it', () => {
    const size = globSync('*', { cwd: image }).reduce((sum, file) => sum + statSync(join(image, file)).size, 0)
    expect(size).toBeLessThan(12e6)
    const { components } = JSON.parse(readFileSync(join(image, 'sbom.cdx.json'), 'utf8')) as {
      components: { name: string; licenses: object[]; hashes?: object[] }[]
    }
    expect(components.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['@peculiar/x509', '@kubernetes/client-node', 'pino', 'undici']),
    )
    expect(components.filter(({ hashes }) => hashes === undefined)).toEqual([])
    const licenses = readFileSync(join(image, 'LICENSES.txt'), 'utf8')
    for (const { name } of components) expect(licenses).toContain(name)
  })

  it('starts alone, ready within five seconds, and serves an identity', async () => {
    const from = performance.now()
    const nodeFlags =
      only(final, 'ENV')
        .match(/NODE_OPTIONS="([^"]+)"/)?.[1]
        ?.split(' ') ?? []
    const controller = await startController({
      kubeconfig: cluster.kubeconfig,
      namespace: OPERATOR_NAMESPACE,
      entry: join(image, 'operator.mjs'),
      nodeFlags,
      readyWithinMs: 30_000,
    })
    try {
      const ms = performance.now() - from
      const shop = await createPlace(cluster.client, 'shop')
      // Each of them loads code of its own.
      const spec = { podSelector: {}, serviceAccountName: 'web', delivery: { formats: ['PKCS12', 'JKS', 'SPIFFE'] } }
      await cluster.client.create(mutualIdentities, { metadata: { namespace: 'shop', name: 'web' }, spec })
      await shop.ready('web')
      expect(ms).toBeLessThan(5_000)
    } finally {
      expect(await controller.stop()).toEqual({ code: 0, signal: null })
    }
  })
})

describe('the image', () => {
  it('runs as nobody, from a base without a shell', () => {
    const [uid = ''] = only(final, 'USER').split(':')
    expect(Number(uid)).toBeGreaterThan(10_000)
    expect(only(final, 'FROM')).toMatch(/^gcr\.io\/distroless\/nodejs24-.*:nonroot$/)
    expect(final.map(({ word }) => word)).not.toContain('RUN')
  })

  it('lets nobody look into the process', () => {
    expect(only(final, 'ENV')).toContain('--disable-sigusr1')
  })
})
