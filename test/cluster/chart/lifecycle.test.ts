// The life of a release on a real API server, by a real Helm: installed into a namespace that demands restricted pods, upgraded, rolled back,
// uninstalled and installed again while a workload has its certificate. The controller runs under the chart's account all the while.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { ControllerProcess } from '../../../scripts/install/controller-process.ts'
import { customResourceDefinitions } from '../../../scripts/install/kinds.ts'
import { clusterMutualAuthorities, mutualIdentities } from '../../../src/api/kinds.ts'
import { isNotFound } from '../../../src/k8s/errors.ts'
import { configMaps, deployments, namespaces, pods, type RawObject, type Resource, secrets } from '../../../src/k8s/resource.ts'
import { CHART, type Manifest, RELEASE, the } from '../../support/chart.ts'
import { type ChartCluster, releaseArguments, startChartCluster } from '../../support/chart-cluster.ts'
import { eventually } from '../../support/cluster-eventually.ts'
import { createPlace, findObject, listAll, type Place, placeIn } from '../../support/cluster-objects.ts'
import { OPERATOR_NAMESPACE } from '../../support/cluster-operator.ts'

const policies: Resource = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'validatingadmissionpolicies',
  kind: 'ValidatingAdmissionPolicy',
  namespaced: false,
}
const clusterRoles: Resource = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterroles',
  kind: 'ClusterRole',
  namespaced: false,
}
const clusterRoleBindings: Resource = { ...clusterRoles, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding' }
/** As somebody wrote it for the first version, with less than there is now. */
const OLDER = { trustDomain: 'example.org', replicas: 1, log: { level: 'debug' } }

let cluster: ChartCluster
let controller: ControllerProcess
let shop: Place
let secretAtFirst: RawObject

beforeAll(async () => {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted', 'pod-security.kubernetes.io/enforce-version': 'latest' }
  cluster = await startChartCluster({
    values: OLDER,
    before: (client) => client.create(namespaces, { metadata: { name: OPERATOR_NAMESPACE, labels } }),
  })
  shop = await createPlace(cluster.client, 'shop')
  controller = await cluster.startAsDeployed()
  await shop.identity('web')
  await shop.ready('web')
  secretAtFirst = await shop.secret('web')
})

afterAll(async () => {
  await cluster?.close()
})

const own = (resource: Resource, name = 'mutual-identity'): Promise<Manifest> =>
  cluster.client.get(resource, { namespace: resource.namespaced ? OPERATOR_NAMESPACE : '', name }) as Promise<Manifest>

/** The objects that the operator made and that others live by, as they are: uid and data of each. */
async function kept(): Promise<readonly string[]> {
  const objects: RawObject[] = []
  for (const resource of [secrets, configMaps]) objects.push(...(await listAll(cluster.client, resource)))
  return objects
    .filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/managed-by'] === 'mutual-identity')
    .map(({ metadata, data }) => `${metadata.namespace}/${metadata.name} ${metadata.uid} ${JSON.stringify(data)}`)
    .sort()
}

describe('installed', () => {
  it('its pods are made in a namespace that demands the restricted profile', async () => {
    const made = await eventually(async () => {
      const found = await listAll(cluster.client, pods, OPERATOR_NAMESPACE)
      if (found.length < OLDER.replicas) throw new Error(JSON.stringify((await own(deployments)).status))
      return found
    })
    expect(made).toHaveLength(OLDER.replicas)
    expect(made[0]).toMatchObject({ spec: { automountServiceAccountToken: false, serviceAccountName: 'mutual-identity' } })
    const { status } = await own(deployments)
    expect((status as { conditions: { type: string }[] }).conditions.map(({ type }) => type)).not.toContain('ReplicaFailure')
  })

  it('that namespace refuses others', async () => {
    const pod = { metadata: { name: 'lax' }, spec: { containers: [{ name: 'program', image: 'program' }] } }
    const refused = placeIn(cluster.client, OPERATOR_NAMESPACE).create(pods, pod)
    await expect(refused).rejects.toThrow(/violates PodSecurity "restricted:latest"/)
  })

  it('its pods mount one token, and no other is added at admission', async () => {
    const made = (await listAll(cluster.client, pods, OPERATOR_NAMESPACE)) as readonly Manifest[]
    const volumes = made.flatMap(({ spec }) => spec.volumes as { projected: { sources: { serviceAccountToken?: object }[] } }[])
    const sources = volumes.flatMap(({ projected }) => projected.sources)
    expect(sources.filter(({ serviceAccountToken }) => serviceAccountToken !== undefined)).toHaveLength(OLDER.replicas)
  })

  it('the operator serves under the chart’s account, with the trust domain of the values', async () => {
    expect(await shop.get(mutualIdentities, 'web')).toMatchObject({ status: { spiffeID: 'spiffe://example.org/ns/shop/sa/default' } })
    expect(
      (await cluster.client.get(clusterMutualAuthorities, { namespace: '', name: 'default' })).metadata.ownerReferences,
    ).toBeUndefined()
  })

  it('the API server finds nothing to complain of in the policies', async () => {
    for (const { metadata, status } of await eventually(() => checkedPolicies())) {
      expect([metadata.name, (status as { typeChecking?: object }).typeChecking ?? {}]).toEqual([metadata.name, {}])
    }
  })

  it('what the operator does meets no refusal', () => {
    const complaints = cluster.log.filter(({ fields }) => fields?.level === 'warn' || fields?.level === 'error')
    expect(complaints.map(({ line }) => line)).toEqual([])
  })

  it('a namespace with identities goes away when it is deleted', async () => {
    const gone = await createPlace(cluster.client, 'gone')
    await gone.identity('web')
    await gone.ready('web')
    await cluster.client.delete(namespaces, { namespace: '', name: 'gone' }, {})
    await eventually(async () => expect(await findObject(cluster.client, namespaces, { namespace: '', name: 'gone' })).toBeUndefined())
  })
})

/** Those of the chart, once the API server has type-checked them all. */
async function checkedPolicies(): Promise<readonly RawObject[]> {
  const all = (await listAll(cluster.client, policies)).filter(({ metadata }) => metadata.name.startsWith('mutual-identity-'))
  const checked = all.filter(({ status }) => (status as { observedGeneration?: number } | undefined)?.observedGeneration !== undefined)
  if (all.length === 0 || checked.length < all.length) throw new Error(`${checked.length} of ${all.length} policies are checked`)
  return all
}

describe('installed a second time, even where Helm is told to take over what is there,', () => {
  const second = (release: string, namespace: string) =>
    cluster.helm.run(['install', release, CHART, '--namespace', namespace, '--take-ownership'], OLDER)

  const SAID =
    /installed already, as release "mutual-identity" in namespace "mutual-identity-system".*upgrade that one, or uninstall it first/

  it('it is refused in another namespace', async () => {
    await expect(second('mutual-identity', 'shop')).rejects.toThrow(SAID)
  })

  it('it is refused under another name', async () => {
    await expect(second('another', OPERATOR_NAMESPACE)).rejects.toThrow(SAID)
  })

  it('it is refused where the first was installed without Helm, whose account tells', async () => {
    const notes = { 'meta.helm.sh/release-name': 'mutual-identity', 'meta.helm.sh/release-namespace': OPERATOR_NAMESPACE }
    const annotate = (annotations: object) =>
      cluster.client.mergePatch(clusterRoleBindings, { namespace: '', name: 'mutual-identity-controller' }, { metadata: { annotations } })
    await annotate(Object.fromEntries(Object.keys(notes).map((key) => [key, null])))
    await expect(second('mutual-identity', 'shop')).rejects.toThrow(
      /installed already, without Helm, in namespace "mutual-identity-system".*uninstall it first/,
    )
    await annotate(notes)
  })

  it('what is installed stays as it is', async () => {
    const { metadata, ...binding } = await own(clusterRoleBindings, 'mutual-identity-controller')
    expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/instance': 'mutual-identity' })
    expect(binding['subjects']).toMatchObject([{ namespace: OPERATOR_NAMESPACE }])
  })
})

describe('upgraded', () => {
  const other = { kind: 'ServiceAccount', name: 'mutual-identity', namespace: 'shop' }
  it.each<[string, (subjects: readonly object[]) => object]>([
    ['a subject more', (subjects) => ({ subjects: [...subjects, other] })],
    ['a subject of another namespace', () => ({ subjects: [other] })],
    ['no subject', () => ({ subjects: null })],
    ['another label of an instance', () => ({ metadata: { labels: { 'app.kubernetes.io/instance': 'theirs' } } })],
  ])('takes %s of its ClusterRoleBinding back', async (_what, change) => {
    const before = await own(clusterRoleBindings, 'mutual-identity-controller')
    const place = { namespace: '', name: 'mutual-identity-controller' }
    await cluster.client.mergePatch(clusterRoleBindings, place, change(before['subjects'] as readonly object[]))
    await cluster.helm.run(releaseArguments('upgrade', CHART, '--force-conflicts'), OLDER)
    const after = await own(clusterRoleBindings, 'mutual-identity-controller')
    expect([after['subjects'], after.metadata.labels]).toEqual([before['subjects'], before.metadata.labels])
  })

  it('by somebody who may not read namespaces is not refused for that', async () => {
    const groups = ['rbac.authorization', 'admissionregistration', 'apiextensions', 'networking'].map((group) => `${group}.k8s.io`)
    const rule = { resources: ['*'], verbs: ['*'] }
    await cluster.client.create(clusterRoles, {
      metadata: { name: 'deployers' },
      rules: [
        { ...rule, apiGroups: ['apps', 'policy', ...groups] },
        { ...rule, apiGroups: [''], resources: ['secrets', 'configmaps', 'services', 'serviceaccounts'] },
      ],
    })
    await cluster.client.create(clusterRoleBindings, {
      metadata: { name: 'deployers' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'deployers' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'deployer' }],
    })
    const upgrade = () => cluster.helm.run(releaseArguments('upgrade', CHART, '--kube-as-user', 'deployer'), OLDER)
    await eventually(upgrade)
  })

  it('from an older values file gives what is new since, and keeps what the file says', async () => {
    await cluster.helm.run(releaseArguments('upgrade', CHART), { ...OLDER, replicas: 2, restartWorkloads: true })
    expect((await own(deployments))['spec']).toMatchObject({
      replicas: 2,
      template: { spec: { containers: [{ args: expect.arrayContaining(['--trust-domain=example.org', '--restart-workloads=true']) }] } },
    })
    expect((await own(clusterRoles, 'mutual-identity-restart'))['rules']).toHaveLength(1)
  })

  it('brings kinds up to date that are older', async () => {
    const name = 'mutualidentities.mutualidentity.io'
    const place = { namespace: '', name }
    const before = (await cluster.client.get(customResourceDefinitions, place)) as Manifest
    const older = structuredClone(before['spec'])
    older.names.shortNames = ['old']
    await cluster.client.mergePatch(customResourceDefinitions, place, { spec: older })
    await cluster.helm.run(releaseArguments('upgrade', CHART, '--force-conflicts'), { ...OLDER, replicas: 2 })
    expect((await cluster.client.get(customResourceDefinitions, place))['spec']).toMatchObject({ names: before['spec'].names })
  })

  it('and rolled back is as before', async () => {
    await cluster.helm.run(releaseArguments('rollback', '1'))
    expect((await own(deployments))['spec'].replicas).toBe(1)
    await expect(own(clusterRoles, 'mutual-identity-restart').catch(isNotFound)).resolves.toBe(true)
  })

  it('with a namespace to watch that there is not, is refused before anything is changed', async () => {
    const before = await own(clusterRoles, 'mutual-identity-controller')
    const mistyped = cluster.helm.run(releaseArguments('upgrade', CHART), { ...OLDER, watchNamespaces: ['shop', 'shpo', 'bnak'] })
    await expect(mistyped).rejects.toThrow(/watchNamespaces: there is no namespace shpo, bnak,.*kubectl create namespace shpo/)
    expect(await own(clusterRoles, 'mutual-identity-controller')).toEqual(before)
  })

  it('and failed on its way is put right by a rollback, values too', async () => {
    const { rules } = await own(clusterRoles, 'mutual-identity-controller')
    const refused = { ...OLDER, watchNamespaces: ['shop'], podAnnotations: { 'no name of an annotation': '' } }
    await expect(cluster.helm.run(releaseArguments('upgrade', CHART), refused)).rejects.toThrow(/podAnnotations|annotations/)
    expect((await own(clusterRoles, 'mutual-identity-controller'))['rules']).not.toEqual(rules)
    await cluster.helm.run(releaseArguments('rollback'))
    expect((await own(clusterRoles, 'mutual-identity-controller'))['rules']).toEqual(rules)
    const values = await cluster.helm.run(['get', 'values', RELEASE, '--namespace', OPERATOR_NAMESPACE, '-o', 'json'])
    expect(JSON.parse(values)).toEqual(OLDER)
  })

  it('keeps, loses and takes back values as the document says', async () => {
    const upgrade = async (...args: readonly string[]): Promise<unknown> => {
      await cluster.helm.run(releaseArguments('upgrade', CHART, ...args))
      return JSON.parse(await cluster.helm.run(['get', 'values', RELEASE, '--namespace', OPERATOR_NAMESPACE, '-o', 'json']))
    }
    const keep = '--reset-then-reuse-values'
    expect(await upgrade()).toEqual(OLDER)
    expect(await upgrade(keep, '--set', 'watchNamespaces={shop}')).toEqual({ ...OLDER, watchNamespaces: ['shop'] })
    expect(await upgrade(keep, '--set-json', 'watchNamespaces=[]')).toEqual({ ...OLDER, watchNamespaces: [] })
    expect(await upgrade(keep, '--set', 'watchNamespaces=null')).toEqual(OLDER)
    await expect(upgrade(keep, '--set', 'watchNamespaces=null')).rejects.toThrow(/missing property 'watchNamespaces'/)
    expect(await upgrade('--set', 'trustDomain=example.org')).toEqual({ trustDomain: 'example.org' })
    await cluster.helm.run(releaseArguments('upgrade', CHART), OLDER)
  })

  it('to watch a namespace that is gone by the next rollback, says so then and is put right by an upgrade without it', async () => {
    await createPlace(cluster.client, 'brief')
    await cluster.helm.run(releaseArguments('upgrade', CHART), { ...OLDER, watchNamespaces: ['brief'] })
    await cluster.helm.run(releaseArguments('upgrade', CHART), OLDER)
    await cluster.client.delete(namespaces, { namespace: '', name: 'brief' }, {})
    await eventually(async () => expect(await findObject(cluster.client, namespaces, { namespace: '', name: 'brief' })).toBeUndefined())
    await expect(cluster.helm.run(releaseArguments('rollback'))).rejects.toThrow(/namespaces "brief" not found/)
    await cluster.helm.run(releaseArguments('upgrade', CHART), OLDER)
    expect((await own(clusterRoles, 'mutual-identity-controller'))['rules']).toEqual(
      the('ClusterRole', await cluster.helm.template(OLDER, OPERATOR_NAMESPACE), 'mutual-identity-controller')['rules'],
    )
  })

  it('changes no certificate', async () => {
    expect(await shop.secret('web')).toEqual(secretAtFirst)
  })
})

describe('changed by somebody', () => {
  const elsewhere = { kind: 'ServiceAccount', name: 'mutual-identity', namespace: 'default' }
  const upgrade = (): Promise<string> => cluster.helm.run(releaseArguments('upgrade', CHART, '--reset-then-reuse-values'))

  it.each<[string, string, object]>([
    ['a binding', 'clusterrolebinding mutual-identity-controller', { subjects: [elsewhere] }],
    ['a role', 'clusterrole mutual-identity-controller', { rules: [] }],
    [
      'the binding of a policy',
      'validatingadmissionpolicybinding mutual-identity-own-secrets',
      { spec: { matchResources: { namespaceSelector: { matchLabels: { no: 'such' } } } } },
    ],
  ])(
    '%s is not put right by an upgrade, and is by one after it was deleted, as kubectl mutual check says',
    async (_what, object, change) => {
      const [kind = '', name = ''] = object.split(' ')
      const judged = async () => {
        const { subjects, rules, spec } = JSON.parse(await cluster.kubectl(['get', kind, name, '-o', 'json'])) as Manifest
        return { subjects, rules, spec }
      }
      const before = await judged()
      await cluster.kubectl(['patch', kind, name, '--type=merge', '-p', JSON.stringify(change)])
      await upgrade().catch(() => undefined)
      expect(await judged()).not.toEqual(before)
      await cluster.kubectl(['delete', kind, name])
      await upgrade()
      expect(await judged()).toEqual(before)
    },
  )
})

describe('uninstalled', () => {
  let before: readonly string[]

  beforeAll(async () => {
    before = await kept()
    await controller.stop()
    await cluster.helm.run(releaseArguments('uninstall'))
  })

  it('leaves kinds, identities, CA keys, trust bundles and certificates', async () => {
    expect(before.map((line) => line.split(' ')[0])).toEqual([
      'mutual-identity-system/default-ca-1',
      'mutual-identity-system/default-trust-bundle',
      'shop/default-trust-bundle',
      'shop/web-mtls',
    ])
    await eventually(async () => expect(await listAll(cluster.client, pods, OPERATOR_NAMESPACE)).toEqual([]))
    expect(await kept()).toEqual(before)
    expect((await shop.get(mutualIdentities, 'web')).metadata.deletionTimestamp).toBeUndefined()
  })

  it('leaves no rights and no policies', async () => {
    const left = [...(await listAll(cluster.client, clusterRoles)), ...(await listAll(cluster.client, policies))]
    expect(left.map(({ metadata }) => metadata.name).filter((name) => name.startsWith('mutual-identity'))).toEqual([])
  })

  it('holds nothing back: identities and namespaces can be deleted with nobody there', async () => {
    const aside = await createPlace(cluster.client, 'aside')
    await aside.identity('web')
    await cluster.client.delete(namespaces, { namespace: '', name: 'aside' }, {})
    await eventually(async () => expect(await findObject(cluster.client, namespaces, { namespace: '', name: 'aside' })).toBeUndefined())
  })

  it('and installed again goes on with what is there, and issues nothing anew', async () => {
    await cluster.helm.run(releaseArguments('install', CHART), OLDER)
    controller = await eventually(() => cluster.startAsDeployed())
    await shop.identity('another')
    await shop.ready('another')
    expect((await kept()).filter((line) => !line.startsWith('shop/another-mtls'))).toEqual(before)
    expect(await shop.secret('web')).toEqual(secretAtFirst)
  })
})
