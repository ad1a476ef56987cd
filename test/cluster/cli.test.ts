// The plugin as people have it: real kubectl finds it on the PATH and runs it against a real API server, as a person who may only look, as one who may
// ask for renewals, and as the administrator.

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { provideBinaries } from '../../scripts/control-plane/index.ts'
import { resourceOf } from '../../scripts/install/kinds.ts'
import { PROJECT_FOLDER } from '../../scripts/install/manifests.ts'
import { mutualIdentities } from '../../src/api/kinds.ts'
import { roleBindings } from '../../src/cli/check/resources.ts'
import type { RawObject } from '../../src/k8s/resource.ts'
import { eventually } from '../support/cluster-eventually.ts'
import { createPlace, type Place, statusOf } from '../support/cluster-objects.ts'
import { startCluster, type TestCluster, VIEWER } from '../support/cluster-operator.ts'
import { yamlBlocks } from '../support/documents.ts'
import { keyDetector } from '../support/key-detector.ts'

const EDITOR = 'editor'
const folder = mkdtempSync(join(tmpdir(), 'plugin-'))
let cluster: TestCluster
let place: Place
let kubectl: string
let viewer: string
let editor: string

interface Ran {
  readonly code: number
  readonly out: string
  readonly errors: string
}

/** `kubectl WORDS`, with a folder on the PATH that holds the plugin under both of its names. */
function run(kubeconfig: string, ...words: readonly string[]): Promise<Ran> {
  const { PATH = '', HOME = '' } = process.env
  const env = { PATH: [folder, dirname(process.execPath), PATH].join(delimiter), HOME, KUBECONFIG: kubeconfig }
  return new Promise((resolve) => {
    execFile(kubectl, words, { env }, (error, out, errors) => resolve({ code: Number(error?.code ?? 0), out, errors }))
  })
}
const mutual = (kubeconfig: string, ...words: readonly string[]): Promise<Ran> => run(kubeconfig, 'mutual', ...words)

beforeAll(async () => {
  const entry = join(PROJECT_FOLDER, 'src', 'cli', 'main.ts')
  for (const name of ['kubectl-mutual', 'kubectl_complete-mutual']) symlinkSync(entry, join(folder, name))
  const binaries = await provideBinaries(['kubectl'], () => undefined)
  kubectl = binaries.kubectl
  cluster = await startCluster()
  await cluster.start()
  place = await createPlace(cluster.client, 'plugin')
  await place.pod('payments')
  await place.service('payments')
  await place.identity('payments')
  await place.identity('refused', { certificate: { lifetime: '2m' } })
  await place.ready('payments')
  await place.stopped('refused', 'LifetimeOutOfBounds')
  const look = ['get', 'list', 'watch']
  const kinds = ['mutualidentities', 'mutualauthorities', 'clustermutualauthorities']
  await grant(VIEWER, [
    { apiGroups: ['mutualidentity.io'], resources: kinds, verbs: look },
    { apiGroups: [''], resources: ['pods', 'services', 'configmaps', 'namespaces'], verbs: look },
  ])
  await grant(EDITOR, [{ apiGroups: ['mutualidentity.io'], resources: kinds, verbs: [...look, 'patch'] }])
  viewer = await cluster.plane.clientKubeconfig(VIEWER, [])
  editor = await cluster.plane.clientKubeconfig(EDITOR, [])
  for (const kubeconfig of [viewer, editor]) {
    await eventually(async () => expect((await mutual(kubeconfig, 'status', '-n', 'plugin')).code).toBe(4))
  }
})

afterAll(async () => {
  await cluster?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function grant(user: string, rules: readonly object[]): Promise<void> {
  const rbac = 'rbac.authorization.k8s.io'
  const metadata = { name: `plugin-${user}` }
  const role: RawObject = { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata, rules }
  const roleRef = { apiGroup: rbac, kind: 'ClusterRole', name: metadata.name }
  const subjects = [{ apiGroup: rbac, kind: 'User', name: user }]
  const binding: RawObject = { apiVersion: `${rbac}/v1`, kind: 'ClusterRoleBinding', metadata, roleRef, subjects }
  for (const object of [role, binding]) await cluster.client.create(resourceOf(object), object)
}

describe('a person who may only look', () => {
  it('sees how things stand', async () => {
    const { out, code, errors } = await mutual(viewer, 'status', '-n', 'plugin')
    expect([errors, code]).toEqual(['', 4])
    expect(out).toMatch(/^payments +ready +Current +spiffe:\/\/cluster.local\/ns\/plugin\/sa\/default +default +in 23h +1$/m)
    expect(out).toMatch(/^refused +refused +LifetimeOutOfBounds/m)
    expect(out).toMatch(/^default +ready +Current +cluster.local +in 89d +1 active +1$/m)
  })

  it('is told what is unknown, and nothing wrong', async () => {
    const explained = await mutual(viewer, 'explain', 'payments', '-n', 'plugin')
    expect(explained.out).toMatch(/^Secret: +unknown/m)
    expect(explained.out).toMatch(/^Pods: +1 selected/m)
    const authority = await mutual(viewer, 'explain', 'authority', 'default')
    expect(authority.out).toMatch(/^Next step: +cannot tell, because CA Secrets in namespace \S+ may not be read by this account$/m)
    const inspected = await mutual(viewer, 'inspect', 'payments', '-n', 'plugin')
    expect(inspected.out).toMatch(/^Secret: +payments-mtls: unknown/m)
    expect(inspected.out).toMatch(/^Anchor 1: /m)
    const drawn = await mutual(viewer, 'graph', '-n', 'plugin')
    expect(drawn.out).toMatch(/plugin\/payments {2}spiffe:.*\n.*Secret payments-mtls: unknown$/m)
    expect([explained, authority, inspected, drawn].map(({ code, errors }) => [code, errors])).toEqual([
      [3, ''],
      [3, ''],
      [3, ''],
      [0, ''],
    ])
  })

  it('may not ask for a renewal, and is told which right is missing', async () => {
    const { code, errors } = await mutual(viewer, 'renew', 'payments', '-n', 'plugin')
    expect([code, errors]).toEqual([1, expect.stringMatching(/User "viewer" cannot patch resource "mutualidentities"/)])
  })

  it('learns by check what each verb lacks, which is no fault of the installation', async () => {
    const { out, code } = await mutual(viewer, 'check', '-n', 'plugin')
    expect(out).toMatch(/^\? mutualidentities.mutualidentity.io is served; its schema is unknown/m)
    expect(out).toMatch(/^√ you may list mutualidentities in namespace plugin$/m)
    expect(out).toMatch(/^! you may not patch mutualidentities in namespace plugin: renew is refused$/m)
    expect(out).not.toMatch(/^×/m)
    expect(out).toMatch(/^Nothing wrong seen, .*\d+ unknown\.$/m)
    expect(code).toBe(3)
  })

  it('completes names through kubectl', async () => {
    const { out } = await run(viewer, '__complete', 'mutual', 'inspect', '-n', 'plugin', 'p')
    expect(out.split('\n').slice(0, 2)).toEqual(['payments', ':4'])
  })

  it('writes nothing but questions about rights', () => {
    const writes = cluster.audit.writes(VIEWER).map(({ resource }) => resource)
    expect(new Set(writes)).toEqual(new Set(['mutualidentities', 'selfsubjectaccessreviews']))
    // The one that was refused above.
    expect(writes.filter((resource) => resource === 'mutualidentities')).toHaveLength(1)
  })
})

describe('a person who is bound in one namespace', () => {
  let tenant: string

  beforeAll(async () => {
    const rbac = 'rbac.authorization.k8s.io'
    await cluster.client.create(roleBindings, {
      metadata: { namespace: 'plugin', name: 'tenant' },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: `plugin-${VIEWER}` },
      subjects: [{ apiGroup: rbac, kind: 'User', name: 'tenant' }],
    })
    tenant = await cluster.plane.clientKubeconfig('tenant', ['developers'])
    await eventually(async () => expect((await mutual(tenant, 'status', '-n', 'plugin')).code).toBe(4))
  })

  it('sees how identities stand, and what cannot be told', async () => {
    const { out } = await mutual(tenant, 'status', '-n', 'plugin')
    expect(out).toMatch(/^payments +ready +Current/m)
    expect(out).toMatch(/^unknown: ClusterMutualAuthorities may not be read by this account$/m)
    const explained = await mutual(tenant, 'explain', 'payments', '-n', 'plugin')
    expect(explained.out).toMatch(/^State: +ready: Current: .* \(as reported\)$/m)
    expect(explained.out).toMatch(/^Next step: +cannot tell, because ClusterMutualAuthority default is unknown: it may not be read/m)
    expect((await mutual(tenant, 'graph', '-n', 'plugin')).out).toMatch(/ClusterMutualAuthority default.*\n.*plugin\/payments/)
    expect(await mutual(tenant, 'explain', 'authority', 'default', '-n', 'plugin')).toMatchObject({ code: 1, out: '' })
  })

  it('sees the authorities with the ClusterRole of the manual', async () => {
    const block = yamlBlocks(PROJECT_FOLDER).find(({ path }) => path === 'docs/kubectl-mutual.md')
    for (const document of parseAllDocuments(block?.text ?? '')) {
      const object = document.toJS() as RawObject
      await cluster.client.create(resourceOf(object), object)
    }
    await eventually(async () => {
      const { out } = await mutual(tenant, 'status', '-n', 'plugin')
      expect(out).toMatch(/^default +ready +Current/m)
      expect(out).not.toMatch(/^unknown/m)
    })
  })
})

describe('a person who may edit identities', () => {
  it('has one renewed, and sees when it is done', async () => {
    const before = statusOf(await place.get(mutualIdentities, 'payments')).certificate?.serialNumber
    const { out, code } = await mutual(editor, 'renew', 'payments', '-n', 'plugin', '--wait')
    const after = statusOf(await place.get(mutualIdentities, 'payments')).certificate?.serialNumber
    expect(after).not.toBe(before)
    expect(out).toContain(`plugin/payments: renewed: certificate ${after}`)
    expect(code).toBe(0)
  })

  it('is told that one is refused', async () => {
    const { out, code } = await mutual(editor, 'renew', 'refused', '-n', 'plugin', '--wait')
    expect(out).toMatch(/refused: LifetimeOutOfBounds/)
    expect(code).toBe(4)
  })
})

describe('the administrator', () => {
  const administrator = (...words: readonly string[]): Promise<Ran> => mutual(cluster.plane.kubeconfigFile, ...words)

  it('finds the installation healthy: kinds, roles and Lease are what this version has', async () => {
    const { out, code } = await administrator('check', '-n', 'plugin')
    expect(out).toMatch(/^√ API server is v1\.\d+/m)
    expect(out).toMatch(/^√ clock of this machine agrees with the API server$/m)
    for (const kind of ['mutualidentities', 'mutualauthorities', 'clustermutualauthorities']) {
      expect(out).toMatch(new RegExp(`^√ ${kind}.mutualidentity.io is that of this version$`, 'm'))
    }
    expect(out).toMatch(/^√ Lease mutual-identity-system\/mutual-identity: held by /m)
    expect(out).toMatch(/^√ ClusterRole mutual-identity-controller has all rights$/m)
    expect(out).toMatch(/^√ Role mutual-identity-system\/mutual-identity-controller has all rights$/m)
    // The tests run the controller as a process.
    expect(out).toMatch(/^! Deployment mutual-identity-system\/mutual-identity: there is none; what holds the Lease runs by other means$/m)
    expect(code).toBe(0)
  })

  it('sees the certificate and that all verifies, and never the key', async () => {
    const { out, code } = await administrator('inspect', 'payments', '-n', 'plugin')
    expect(out).toMatch(/^DNS names: +payments.plugin, payments.plugin.svc, payments.plugin.svc.cluster.local$/m)
    for (const what of ['With ca.crt', 'With authority', 'Private key']) expect(out).toMatch(new RegExp(`^${what}: +yes: `, 'm'))
    const { 'tls.key': key = '' } = (await place.secret('payments')).data as Record<string, string>
    expect(keyDetector([Buffer.from(key, 'base64')])(out)).toBeUndefined()
    expect(code).toBe(0)
  })

  it('has the authority explained', async () => {
    const { out, code } = await administrator('explain', 'authority', 'default')
    expect(out).toMatch(/^Generation 1: +active, signs until /m)
    expect(out).toMatch(/^Next step: +nothing$/m)
    expect(code).toBe(0)
  })

  it('stands in the namespace of the context', async () => {
    expect((await administrator('status')).out).toMatch(/^There are no identities\.$/m)
    expect((await administrator('status', '-A', '-o', 'yaml')).out).toMatch(/^ {2}- namespace: plugin$/m)
  })
})

it('a cluster that is not there is an answer in words, with 1', async () => {
  expect(await mutual('/nowhere/at-all', 'status')).toMatchObject({
    code: 1,
    out: '',
    errors: expect.stringContaining('no kubeconfig at /nowhere'),
  })
})
