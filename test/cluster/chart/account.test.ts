// What the operator's account cannot do in a cluster where the chart was installed, with restarts on: each tried with that account, one by one, at a
// real API server. The first table is what its roles do not give, the others what the admission policies take away from what they must give.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { serviceAccounts } from '../../../scripts/install/kinds.ts'
import { clusterMutualAuthorities, mutualAuthorities, mutualIdentities } from '../../../src/api/kinds.ts'
import type { Client } from '../../../src/k8s/client.ts'
import {
  configMaps,
  daemonSets,
  deployments,
  leases,
  namespaces,
  pods,
  type RawObject,
  type Resource,
  secrets,
  statefulSets,
} from '../../../src/k8s/resource.ts'
import { type ChartCluster, eventuallyRefused, refusal, startChartCluster } from '../../support/chart-cluster.ts'
import { createPlace, type Place, placeIn } from '../../support/cluster-objects.ts'
import { OPERATOR_NAMESPACE } from '../../support/cluster-operator.ts'

const resource = (group: string, plural: string, kind: string, namespaced = true): Resource => ({
  group,
  version: 'v1',
  plural,
  kind,
  namespaced,
})
const RBAC = 'rbac.authorization.k8s.io'
const ADMISSION = 'admissionregistration.k8s.io'
const roles = resource(RBAC, 'roles', 'Role')
const clusterRoles = resource(RBAC, 'clusterroles', 'ClusterRole', false)
const clusterRoleBindings = resource(RBAC, 'clusterrolebindings', 'ClusterRoleBinding', false)
const webhooks = resource(ADMISSION, 'validatingwebhookconfigurations', 'ValidatingWebhookConfiguration', false)
const policies = resource(ADMISSION, 'validatingadmissionpolicies', 'ValidatingAdmissionPolicy', false)
const policyBindings = resource(ADMISSION, 'validatingadmissionpolicybindings', 'ValidatingAdmissionPolicyBinding', false)
const definitions = resource('apiextensions.k8s.io', 'customresourcedefinitions', 'CustomResourceDefinition', false)
const nodes = resource('', 'nodes', 'Node', false)
const signingRequests = resource('certificates.k8s.io', 'certificatesigningrequests', 'CertificateSigningRequest', false)

const OURS = { 'app.kubernetes.io/managed-by': 'mutual-identity' }
const LEAF = { ...OURS, 'mutualidentity.io/role': 'leaf' }
const CA = { ...OURS, 'mutualidentity.io/role': 'ca' }
const BUNDLE = { ...OURS, 'mutualidentity.io/role': 'bundle' }
const TLS = { type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'tls.key': '' } }
const TOKEN = { type: 'kubernetes.io/service-account-token', annotations: { 'kubernetes.io/service-account.name': 'default' } }
const OPT_IN = { 'mutualidentity.io/restart-on-renewal': 'true' }
const OPT_IN_NO_MORE = { 'mutualidentity.io/restart-on-renewal': null }
const RESTARTED_FOR = 'mutualidentity.io/restarted-for'

let cluster: ChartCluster
let account: Client
let shop: Place
let own: Place
let owner: object

beforeAll(async () => {
  cluster = await startChartCluster({ values: { restartWorkloads: true } })
  account = cluster.account
  shop = await createPlace(cluster.client, 'shop')
  own = placeIn(cluster.client, OPERATOR_NAMESPACE)
  const { metadata } = await shop.identity('web')
  owner = { apiVersion: 'mutualidentity.io/v1alpha1', kind: 'MutualIdentity', name: 'web', uid: metadata.uid }
  await shop.create(secrets, { metadata: { name: 'theirs' } })
  await shop.create(secrets, { metadata: { name: 'theirs-tls' }, ...TLS })
  await shop.create(secrets, { metadata: { name: 'ours', labels: LEAF }, ...TLS })
  await shop.create(secrets, { metadata: { name: 'bare', ownerReferences: [owner] as never }, ...TLS })
  await shop.create(secrets, { metadata: { name: 'odd', labels: LEAF, ownerReferences: [owner] as never }, type: 'Opaque' })
  await shop.create(secrets, { metadata: { name: 'token', labels: LEAF, annotations: TOKEN.annotations }, type: TOKEN.type })
  await own.create(secrets, { metadata: { name: 'corporate', annotations: { 'mutualidentity.io/allowed-authority': 'shop/a' } }, ...TLS })
  await own.create(secrets, { metadata: { name: 'lost-ca-1', annotations: { 'mutualidentity.io/generation': '1' } }, ...TLS })
  await shop.create(configMaps, { metadata: { name: 'theirs' } })
  await shop.create(configMaps, { metadata: { name: 'theirs-trust-bundle' } })
  await shop.create(configMaps, { metadata: { name: 'ours-trust-bundle', labels: { ...BUNDLE, theirs: 'x' } } })
  const parent = await shop.create(configMaps, { metadata: { name: 'parent' } })
  const held = {
    finalizers: ['example.org/a'],
    ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'parent', uid: parent.metadata.uid }],
  }
  const more = { labels: { ...BUNDLE, theirs: 'x' }, annotations: { theirs: 'x' }, ...held } as object
  await shop.create(configMaps, { metadata: { name: 'held-trust-bundle', ...more } })
  await own.create(leases, { metadata: { name: 'theirs' }, spec: {} })
  await shop.create(configMaps, { metadata: { name: 'lost-trust-bundle', annotations: { 'mutualidentity.io/bundle-fingerprint': '0' } } })
  for (const [name, annotations] of [
    ['willing', OPT_IN],
    ['shy', {}],
  ] as const) {
    const metadata = { name, annotations }
    const template = {
      metadata: { labels: { app: name, other: 'x' }, annotations: { theirs: 'x' } },
      spec: { containers: [{ name: 'program', image: 'program', env: [{ name: 'A', value: 'b' }] }] },
    }
    const spec = { selector: { matchLabels: { app: name } }, template, minReadySeconds: 5 }
    await shop.create(deployments, { metadata, spec: { ...spec, replicas: 0 } })
    await shop.create(statefulSets, { metadata, spec: { ...spec, replicas: 0, serviceName: name } })
    await shop.create(daemonSets, { metadata, spec })
  }
  await cluster.client.create(mutualAuthorities, { metadata: { namespace: 'shop', name: 'theirs' }, spec: {} } as RawObject)
  // The last of the policies to be known to the API server is waited for, whichever it is.
  await eventuallyRefused(() => patch(secrets, 'theirs', {}), /is not of the operator/)
  await eventuallyRefused(() => patch(configMaps, 'theirs', {}), /trust-bundle/)
  await eventuallyRefused(
    () => create(clusterMutualAuthorities, { metadata: { name: 'a' }, spec: {} }),
    /and neither makes nor changes any other/,
  )
  await eventuallyRefused(() => patch(leases, 'theirs', {}, OPERATOR_NAMESPACE), /writes Lease/)
  await eventuallyRefused(() => patch(deployments, 'shy', {}), /does not let itself be restarted/)
})

afterAll(async () => {
  await cluster?.close()
})

const patch = (of: Resource, name: string, change: object, namespace = 'shop') => account.mergePatch(of, { namespace, name }, change)
const create = (of: Resource, object: RawObject, namespace = 'shop') =>
  account.create(of, { ...object, metadata: { ...object.metadata, ...(of.namespaced ? { namespace } : {}) } })
const remove = (of: Resource, name: string, namespace = 'shop') => account.delete(of, { namespace, name }, {})
// The operator's client knows no subresource but status.
const scale = (name: string) =>
  account.mergePatch(deployments, { namespace: 'shop', name }, { spec: { replicas: 9 } }, { subresource: 'scale' as 'status' })
const anyOf = async (of: Resource, namespace?: string): Promise<void> => {
  for await (const _page of account.listPages(of, namespace === undefined ? {} : { namespace })) return
}

type Try = readonly [what: string, call: () => Promise<unknown>]

describe('its roles do not let the account', () => {
  const program = { containers: [{ name: 'c', image: 'i' }] }
  const evil = { metadata: { name: 'evil' } }
  const rule = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] }
  const admin = { apiGroup: RBAC, kind: 'ClusterRole', name: 'cluster-admin' }

  it.each<Try>([
    ['run a pod', () => create(pods, { ...evil, spec: program })],
    ['change a pod', () => patch(pods, 'evil', {})],
    ['delete a pod', () => remove(pods, 'evil')],
    ['run something in a pod', () => account.createSubresource(pods, { namespace: 'shop', name: 'evil' }, 'exec', {})],
    ['make a workload', () => create(deployments, { ...evil, spec: {} })],
    ['delete a workload', () => remove(deployments, 'willing')],
    ['scale a workload', () => scale('willing')],
    ['make a token of an account', () => account.createSubresource(serviceAccounts, { namespace: 'shop', name: 'default' }, 'token', {})],
    ['make an account', () => create(serviceAccounts, evil)],
    ['make a Role', () => create(roles, { ...evil, rules: [rule] })],
    ['make a ClusterRole', () => create(clusterRoles, { ...evil, rules: [rule] })],
    ['bind itself to a ClusterRole', () => create(clusterRoleBindings, { ...evil, roleRef: admin, subjects: [] })],
    ['give itself more rights', () => patch(clusterRoles, 'mutual-identity-controller', { rules: [rule] }, '')],
    ['make a webhook', () => create(webhooks, evil)],
    ['make a policy', () => create(policies, { ...evil, spec: {} })],
    ['loosen a policy', () => patch(policies, 'mutual-identity-own-secrets', { spec: { failurePolicy: 'Ignore' } }, '')],
    ['unbind a policy', () => remove(policyBindings, 'mutual-identity-own-secrets', '')],
    ['change a kind', () => patch(definitions, 'mutualidentities.mutualidentity.io', {}, '')],
    ['ask for an identity', () => create(mutualIdentities, { ...evil, spec: { podSelector: {} } })],
    ['change what an identity asks for', () => patch(mutualIdentities, 'web', { spec: { serviceAccountName: 'admin' } })],
    ['delete an identity', () => remove(mutualIdentities, 'web')],
    ['change an authority', () => patch(clusterMutualAuthorities, 'default', { spec: {} }, '')],
    ['delete an authority', () => remove(clusterMutualAuthorities, 'default', '')],
    ['make a namespace', () => create(namespaces, evil)],
    ['delete a namespace', () => remove(namespaces, 'shop', '')],
    ['ask for a certificate of the cluster', () => create(signingRequests, { ...evil, spec: {} })],
    ['see nodes', () => anyOf(nodes)],
    ['see roles', () => anyOf(roles, 'shop')],
  ])('%s', async (_what, call) => {
    expect(await refusal(call())).toMatch(/cannot (get|list|create|patch|delete) resource/)
  })
})

describe('admission does not let the account', () => {
  const TOUCHES_TOKENS = /never touches tokens/
  const OTHER_TYPE = /writes kubernetes\.io\/tls only/
  const UNLABELLED = /would not carry the label/
  const OTHER_ROLE = /would have the role/
  const UNOWNED = /would not be owned by a MutualIdentity/
  const FOREIGN = /is not of the operator/

  it.each<readonly [...Try, said: RegExp]>([
    ['make a Secret of another type', () => create(secrets, { metadata: { name: 'a', labels: LEAF } }), OTHER_TYPE],
    [
      'make a token Secret',
      () => create(secrets, { metadata: { name: 'a', labels: LEAF, annotations: TOKEN.annotations }, type: TOKEN.type }),
      TOUCHES_TOKENS,
    ],
    ['change a token Secret, whatever its labels', () => patch(secrets, 'token', { metadata: { labels: { a: 'b' } } }), TOUCHES_TOKENS],
    ['delete a token Secret, whatever its labels', () => remove(secrets, 'token'), TOUCHES_TOKENS],
    ['make a TLS Secret without its label', () => create(secrets, { metadata: { name: 'a' }, ...TLS }), UNLABELLED],
    ['make a leaf Secret without an owner', () => create(secrets, { metadata: { name: 'a', labels: LEAF }, ...TLS }), UNOWNED],
    ['make a CA Secret outside its namespace', () => create(secrets, { metadata: { name: 'a-ca-1', labels: CA }, ...TLS }), OTHER_ROLE],
    [
      'make a leaf Secret in its own namespace',
      () => create(secrets, { metadata: { name: 'a', labels: LEAF }, ...TLS }, OPERATOR_NAMESPACE),
      OTHER_ROLE,
    ],
    [
      'make a CA Secret of another name',
      () => create(secrets, { metadata: { name: 'a', labels: CA }, ...TLS }, OPERATOR_NAMESPACE),
      OTHER_ROLE,
    ],
    ['change a Secret of others', () => patch(secrets, 'theirs-tls', { data: { a: '' } }), FOREIGN],
    ['take over a Secret of others by labelling it', () => patch(secrets, 'theirs-tls', { metadata: { labels: LEAF } }), FOREIGN],
    ['change the type of one of its own', () => patch(secrets, 'odd', { data: { a: '' } }), OTHER_TYPE],
    ['delete a Secret of others', () => remove(secrets, 'theirs'), FOREIGN],
    [
      'take its label off a Secret',
      () => patch(secrets, 'ours', { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } }),
      UNLABELLED,
    ],
    [
      'change the CA that an administrator keeps for an authority',
      () => patch(secrets, 'corporate', { metadata: { labels: CA } }, OPERATOR_NAMESPACE),
      FOREIGN,
    ],
    ['delete that CA', () => remove(secrets, 'corporate', OPERATOR_NAMESPACE), FOREIGN],
    [
      'change Helm’s record of the release',
      () => patch(secrets, 'sh.helm.release.v1.mutual-identity.v1', { data: { release: '' } }, OPERATOR_NAMESPACE),
      FOREIGN,
    ],
  ])('%s', async (_what, call, said) => {
    expect(await refusal(call())).toMatch(said)
  })

  const OTHER_SPEC = /makes ClusterMutualAuthority default with spec \{\}/
  const MARKED = /without labels, annotations, finalizers and owners/
  const OTHER_NAME = /writes ConfigMaps named/
  it.each<readonly [...Try, said: RegExp]>([
    ['make a ConfigMap of another name', () => create(configMaps, { metadata: { name: 'a', labels: BUNDLE } }), OTHER_NAME],
    ['change a ConfigMap of others', () => patch(configMaps, 'theirs', { metadata: { labels: BUNDLE } }), OTHER_NAME],
    ['change what every pod of the namespace trusts', () => patch(configMaps, 'kube-root-ca.crt', { data: { 'ca.crt': '' } }), OTHER_NAME],
    ['delete a ConfigMap of others', () => remove(configMaps, 'theirs'), OTHER_NAME],
    ['make a bundle without its labels', () => create(configMaps, { metadata: { name: 'a-trust-bundle' } }), /would not carry the labels/],
    [
      'take over a ConfigMap that has the name of a bundle',
      () => patch(configMaps, 'theirs-trust-bundle', { metadata: { labels: BUNDLE } }),
      FOREIGN,
    ],
    ['delete a ConfigMap that has the name of a bundle', () => remove(configMaps, 'theirs-trust-bundle'), FOREIGN],
  ])('%s', async (_what, call, said) => {
    expect(await refusal(call())).toMatch(said)
  })

  const OTHER_KEY = /that is not of mutualidentity\.io/
  const HELD = /finalizer or an owner that the operator never gives/
  const stranger = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: 'a' }
  const secret = (more: object, labels: object = LEAF, name = 'b') =>
    ({ metadata: { name, labels, ownerReferences: [owner], ...more }, ...TLS }) as unknown as RawObject
  const bundle = (more: object, labels: object = BUNDLE) => ({ metadata: { name: 'b-trust-bundle', labels, ...more } }) as RawObject
  const ca = (more: object, labels: object = CA) =>
    create(secrets, secret({ ownerReferences: [], ...more }, labels, 'b-ca-1'), OPERATOR_NAMESPACE)
  const lease = (name: string, more: object = {}) =>
    create(leases, { metadata: { name, ...more }, spec: {} } as RawObject, OPERATOR_NAMESPACE)
  it.each<readonly [...Try, said: RegExp]>([
    ['make a leaf Secret that a finalizer holds', () => create(secrets, secret({ finalizers: ['example.org/a'] })), HELD],
    ['make a leaf Secret of another owner too', () => create(secrets, secret({ ownerReferences: [owner, stranger] })), HELD],
    ['hold a leaf Secret by a finalizer', () => patch(secrets, 'ours', { metadata: { finalizers: ['example.org/a'] } }), HELD],
    ['give a leaf Secret to another owner', () => patch(secrets, 'ours', { metadata: { ownerReferences: [stranger] } }), HELD],
    ['make a CA Secret with a label for others', () => ca({}, { ...CA, theirs: 'x' }), OTHER_KEY],
    ['make a CA Secret with an annotation for others', () => ca({ annotations: { 'example.org/copy-to': 'shop' } }), OTHER_KEY],
    ['make a CA Secret that an identity owns', () => ca({ ownerReferences: [owner] }), HELD],
    ['make a bundle with a label for others', () => create(configMaps, bundle({}, { ...BUNDLE, theirs: 'x' })), OTHER_KEY],
    ['make a bundle with an annotation for others', () => create(configMaps, bundle({ annotations: { theirs: 'x' } })), OTHER_KEY],
    [
      'change a label of others on a bundle',
      () => patch(configMaps, 'ours-trust-bundle', { metadata: { labels: { theirs: 'y' } } }),
      OTHER_KEY,
    ],
    ['make a bundle that a finalizer holds', () => create(configMaps, bundle({ finalizers: ['example.org/a'] })), HELD],
    ['make a bundle that an identity owns', () => create(configMaps, bundle({ ownerReferences: [owner] })), HELD],
    ['make another Lease', () => lease('evil'), /writes Lease mutual-identity-system\/mutual-identity only/],
    ['change another Lease', () => patch(leases, 'theirs', { spec: { holderIdentity: 'a' } }, OPERATOR_NAMESPACE), /writes Lease/],
    ['give its Lease a label for others', () => lease('mutual-identity', { labels: { theirs: 'x' } }), OTHER_KEY],
    [
      'give its Lease an annotation for others',
      () => lease('mutual-identity', { annotations: { 'example.org/copy-to': 'shop' } }),
      OTHER_KEY,
    ],
    ['hold its Lease by a finalizer', () => lease('mutual-identity', { finalizers: ['example.org/a'] }), HELD],
  ])('%s', async (_what, call, said) => {
    expect(await refusal(call())).toMatch(said)
  })

  const authority = (metadata: object, spec: object) => create(clusterMutualAuthorities, { metadata, spec } as RawObject)
  it.each<readonly [...Try, said: RegExp]>([
    ['make an authority besides the default one', () => authority({ name: 'evil' }, {}), /neither makes nor changes any other/],
    ['make one whose name the API server chooses', () => authority({ generateName: 'default' }, {}), /neither makes nor changes any other/],
    ['make a default one of another trust domain', () => authority({ name: 'default' }, { trustDomain: 'evil.example.org' }), OTHER_SPEC],
    [
      'make a default one that signs with a CA of others',
      () => authority({ name: 'default' }, { caSecret: { name: 'corporate' } }),
      OTHER_SPEC,
    ],
    [
      'make a default one that gives any name',
      () => authority({ name: 'default' }, { policy: { allowedDNSNames: ['*.evil.example'] } }),
      OTHER_SPEC,
    ],
    ['make a default one that gives bare names', () => authority({ name: 'default' }, { policy: { shortServiceNames: true } }), OTHER_SPEC],
    [
      'make a default one for some namespaces',
      () => authority({ name: 'default' }, { policy: { allowedNamespaces: ['shop'] } }),
      OTHER_SPEC,
    ],
    ['make a default one of long certificates', () => authority({ name: 'default' }, { leaf: { lifetime: '300h' } }), OTHER_SPEC],
    [
      'make a default one that allows long certificates',
      () => authority({ name: 'default' }, { leaf: { maxLifetime: '300h' } }),
      OTHER_SPEC,
    ],
    [
      'make a default one whose bundle goes everywhere',
      () => authority({ name: 'default' }, { trustBundle: { namespaces: { policy: 'All' } } }),
      OTHER_SPEC,
    ],
    ['make a default one that a finalizer holds', () => authority({ name: 'default', finalizers: ['example.org/a'] }, {}), MARKED],
    ['make a default one with a label', () => authority({ name: 'default', labels: { theirs: 'x' } }, {}), MARKED],
    ['make a default one with an annotation', () => authority({ name: 'default', annotations: { theirs: 'x' } }, {}), MARKED],
    ['make a default one that an identity owns', () => authority({ name: 'default', ownerReferences: [owner] }, {}), MARKED],
  ])('%s', async (_what, call, said) => {
    expect(await refusal(call())).toMatch(said)
  })

  const MORE = /would change in more than the annotation/
  const container = (change: object) => ({
    spec: { template: { spec: { containers: [{ name: 'program', image: 'program', ...change }] } } },
  })
  const notes = (annotations: object) => ({ spec: { template: { metadata: { annotations } } } })
  const kinds: readonly (readonly [string, Resource])[] = [
    ['Deployment', deployments],
    ['StatefulSet', statefulSets],
    ['DaemonSet', daemonSets],
  ]
  describe.each(kinds)('of a %s', (_kind, of) => {
    it.each<readonly [string, object]>([
      ['change the image', container({ image: 'evil' })],
      ['change the command', container({ command: ['evil'] })],
      ['change a variable', container({ env: [{ name: 'A', value: 'c' }] })],
      ['change another annotation of the pods', notes({ theirs: 'y' })],
      ['take away another annotation of the pods', notes({ theirs: null })],
      ['add another annotation to the pods', notes({ [RESTARTED_FOR]: 'x', more: 'y' })],
      ['change a label of the pods', { spec: { template: { metadata: { labels: { more: 'x' } } } } }],
      ['run the pods under another account', { spec: { template: { spec: { serviceAccountName: 'admin' } } } }],
      ['change another field of the spec', { spec: { minReadySeconds: 9 } }],
      ['take away a field of the spec', { spec: { minReadySeconds: null } }],
      ['take away a label of the pods', { spec: { template: { metadata: { labels: { other: null } } } } }],
      ['take away its annotation', { metadata: { annotations: OPT_IN_NO_MORE } }],
      ['change its labels', { metadata: { labels: { a: 'b' } } }],
      ['change its annotations', { metadata: { annotations: { a: 'b' } } }],
      ['own it', { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: 'a' }] } }],
      ['hold it by a finalizer', { metadata: { finalizers: ['example.org/a'] } }],
    ])('%s', async (_what, change) => {
      expect(await refusal(patch(of, 'willing', change))).toMatch(MORE)
    })

    it('change the count that the API server keeps for DaemonSets', async () => {
      const change = patch(of, 'willing', { metadata: { annotations: { 'deprecated.daemonset.template.generation': '9' } } })
      if (of !== daemonSets) return void expect(await refusal(change)).toMatch(MORE)
      // Kept by the API server, whoever writes it.
      expect(JSON.stringify((await change).metadata.annotations)).not.toContain('"9"')
    })

    it('restart one that did not opt in', async () => {
      expect(await refusal(patch(of, 'shy', notes({ [RESTARTED_FOR]: 'x' })))).toMatch(/must annotate it/)
    })

    it('opt in for its owner', async () => {
      expect(await refusal(patch(of, 'shy', { metadata: { annotations: OPT_IN } }))).toMatch(/must annotate it/)
    })
  })

  it('even where its roles do: delete or scale a workload', async () => {
    await cluster.client.create(clusterRoles, {
      metadata: { name: 'too-much' },
      rules: [{ apiGroups: ['apps'], resources: ['deployments', 'deployments/scale'], verbs: ['patch', 'delete'] }],
    })
    await cluster.client.create(clusterRoleBindings, {
      metadata: { name: 'too-much' },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'too-much' },
      subjects: [{ kind: 'ServiceAccount', name: 'mutual-identity', namespace: OPERATOR_NAMESPACE }],
    })
    await eventuallyRefused(() => remove(deployments, 'willing'), /neither makes, nor deletes, nor scales/)
    await eventuallyRefused(() => scale('willing'), /neither makes, nor deletes, nor scales/)
  })

  it('even where its roles do: change or delete an authority', async () => {
    await cluster.client.create(clusterRoles, {
      metadata: { name: 'too-much-trust' },
      rules: [{ apiGroups: ['mutualidentity.io'], resources: ['mutualauthorities'], verbs: ['create', 'patch', 'delete'] }],
    })
    await cluster.client.create(clusterRoleBindings, {
      metadata: { name: 'too-much-trust' },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'too-much-trust' },
      subjects: [{ kind: 'ServiceAccount', name: 'mutual-identity', namespace: OPERATOR_NAMESPACE }],
    })
    const said = /neither makes nor changes any other/
    await eventuallyRefused(() => create(mutualAuthorities, { metadata: { name: 'evil' }, spec: {} }), said)
    await eventuallyRefused(() => patch(mutualAuthorities, 'theirs', { metadata: { labels: { a: 'b' } } }), said)
    await eventuallyRefused(() => remove(mutualAuthorities, 'theirs'), said)
  })
})

describe('admission lets the account', () => {
  it.each<Try>([
    [
      'make a leaf Secret that its identity owns',
      () => create(secrets, { metadata: { name: 'a', labels: LEAF, ownerReferences: [owner] as never }, ...TLS }),
    ],
    ['make the default authority', () => create(clusterMutualAuthorities, { metadata: { name: 'default' }, spec: {} })],
    ['make a CA Secret', () => create(secrets, { metadata: { name: 'a-ca-1', labels: CA }, ...TLS }, OPERATOR_NAMESPACE)],
    ['make a bundle', () => create(configMaps, { metadata: { name: 'shop.a-trust-bundle', labels: BUNDLE } })],
    [
      'give a leaf Secret the labels and annotations that people ask for',
      () => {
        const metadata = { name: 'c', labels: { ...LEAF, team: 'a' }, annotations: { team: 'a' }, ownerReferences: [owner] as never }
        return create(secrets, { metadata, ...TLS })
      },
    ],
    [
      'make its Lease, and renew it with what others gave it',
      async () => {
        await create(leases, { metadata: { name: 'mutual-identity' }, spec: {} }, OPERATOR_NAMESPACE)
        await own.patch(leases, 'mutual-identity', { metadata: { labels: { theirs: 'x' } } })
        return patch(leases, 'mutual-identity', { spec: { holderIdentity: 'a' } }, OPERATOR_NAMESPACE)
      },
    ],
    [
      'change a bundle to which others gave labels, annotations, a finalizer and an owner',
      () => patch(configMaps, 'held-trust-bundle', { metadata: { annotations: { 'mutualidentity.io/bundle-sequence': '2' } } }),
    ],
    ['give a leaf Secret its label back', () => patch(secrets, 'bare', { metadata: { labels: LEAF } })],
    ['give a CA Secret its labels back', () => patch(secrets, 'lost-ca-1', { metadata: { labels: CA } }, OPERATOR_NAMESPACE)],
    ['give a bundle its labels back', () => patch(configMaps, 'lost-trust-bundle', { metadata: { labels: BUNDLE } })],
    ['delete a Secret of its own whose type somebody changed', () => remove(secrets, 'odd')],
    ['delete a bundle of its own', () => remove(configMaps, 'ours-trust-bundle')],
    ...([deployments, statefulSets, daemonSets] as const).map(
      (of): Try => [
        `restart a ${of.kind} that opted in`,
        () => patch(of, 'willing', { spec: { template: { metadata: { annotations: { [RESTARTED_FOR]: '00 2030-01-01T00:00:00Z' } } } } }),
      ],
    ),
  ])('%s', async (_what, call) => {
    await expect(call()).resolves.not.toThrow()
  })

  it('others do as before', async () => {
    await shop.patch(secrets, 'theirs', { data: { a: '' } })
    await shop.patch(deployments, 'shy', { spec: { replicas: 0, minReadySeconds: 1 } })
  })
})
