// The generated RBAC manifests on a real API server: they give the controller's account what it needs, and nothing beside it.
// Every line of the table in src/api/rights.ts is tried; no controller runs.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ControlPlane, startControlPlane } from '../../scripts/control-plane/index.ts'
import { rbacObjects } from '../../src/api/rights.ts'
import { type Call, createCaller, installDefinitions, MERGE_PATCH, until } from '../support/api-caller.ts'

const API = '/apis/mutualidentity.io/v1alpha1'
const IDENTITIES = `${API}/namespaces/shop/mutualidentities`
const AUTHORITIES = `${API}/clustermutualauthorities`
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const ACCOUNT = { namespace: 'operator', serviceAccount: 'controller' }

let plane: ControlPlane
let admin: Call
let controller: Call

beforeAll(async () => {
  plane = await startControlPlane({ controllerManager: false })
  admin = createCaller(plane)
  await installDefinitions(admin)
  for (const name of ['operator', 'shop']) await admin('POST', '/api/v1/namespaces', { metadata: { name } })
  for (const object of rbacObjects(ACCOUNT)) {
    const { namespace } = object.metadata as { namespace?: string }
    const collection = `${object.kind.toLowerCase()}s`
    const { code, message } = await admin(
      'POST',
      namespace ? `${RBAC}/namespaces/${namespace}/${collection}` : `${RBAC}/${collection}`,
      object,
    )
    if (code !== 201) throw new Error(message)
  }
  const user = `system:serviceaccount:${ACCOUNT.namespace}:${ACCOUNT.serviceAccount}`
  controller = createCaller(
    plane,
    await plane.clientKubeconfig(user, ['system:serviceaccounts', `system:serviceaccounts:${ACCOUNT.namespace}`]),
  )
  await until('the roles are known', async () => {
    const allowed = [
      await controller('GET', IDENTITIES),
      await controller('GET', '/apis/coordination.k8s.io/v1/namespaces/operator/leases/none'),
    ]
    return allowed.every(({ code }) => code !== 403)
  })
  const identity = {
    apiVersion: 'mutualidentity.io/v1alpha1',
    kind: 'MutualIdentity',
    metadata: { name: 'web' },
    spec: { podSelector: {} },
  }
  expect((await admin('POST', IDENTITIES, identity)).code).toBe(201)
  expect((await admin('POST', '/api/v1/namespaces/shop/configmaps', { metadata: { name: 'present' } })).code).toBe(201)
})

afterAll(async () => {
  await plane?.stop()
})

const told = (kind: string, metadata: object, status: object): object => ({
  apiVersion: 'mutualidentity.io/v1alpha1',
  kind,
  metadata,
  status,
})
const metadataOf = async (path: string): Promise<{ resourceVersion: string }> =>
  ((await admin('GET', path)).body as { metadata: { resourceVersion: string } }).metadata

describe('the account of the controller may', () => {
  it.each([
    IDENTITIES,
    `${API}/mutualidentities`,
    AUTHORITIES,
    '/api/v1/pods',
    '/api/v1/services',
    '/api/v1/namespaces',
    '/api/v1/secrets?labelSelector=app.kubernetes.io/managed-by=mutual-identity',
    '/api/v1/configmaps',
  ])('list %s', async (path) => {
    expect(await controller('GET', path)).toMatchObject({ code: 200 })
  })

  it('create an authority and replace its status', async () => {
    const authority = { apiVersion: 'mutualidentity.io/v1alpha1', kind: 'ClusterMutualAuthority', metadata: { name: 'default' }, spec: {} }
    expect(await controller('POST', AUTHORITIES, authority)).toMatchObject({ code: 201 })
    const { resourceVersion } = await metadataOf(`${AUTHORITIES}/default`)
    const status = told('ClusterMutualAuthority', { name: 'default', resourceVersion }, { trustDomain: 'example.org' })
    expect(await controller('PUT', `${AUTHORITIES}/default/status`, status)).toMatchObject({ code: 200 })
  })

  it('replace the status of an identity', async () => {
    const { resourceVersion } = await metadataOf(`${IDENTITIES}/web`)
    const status = told('MutualIdentity', { name: 'web', resourceVersion }, { spiffeID: 'spiffe://example.org/ns/shop/sa/web' })
    expect(await controller('PUT', `${IDENTITIES}/web/status`, status)).toMatchObject({ code: 200 })
  })

  it.each(['secrets', 'configmaps'])('create, read, patch and delete %s in any namespace', async (plural) => {
    const collection = `/api/v1/namespaces/shop/${plural}`
    expect(await controller('POST', collection, { metadata: { name: 'mine' } })).toMatchObject({ code: 201 })
    expect(await controller('GET', `${collection}/mine`)).toMatchObject({ code: 200 })
    const patch = { metadata: { labels: { a: 'b' } } }
    expect(await controller('PATCH', `${collection}/mine`, patch, { contentType: MERGE_PATCH })).toMatchObject({ code: 200 })
    expect(await controller('DELETE', `${collection}/mine`)).toMatchObject({ code: 200 })
  })

  it('record events', async () => {
    const event = {
      metadata: { name: 'web.1' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'mutual-identity',
      reportingInstance: 'x',
      action: 'Issue',
      reason: 'Issued',
      type: 'Normal',
      note: 'n',
      regarding: { apiVersion: 'mutualidentity.io/v1alpha1', kind: 'MutualIdentity', namespace: 'shop', name: 'web' },
    }
    expect(await controller('POST', '/apis/events.k8s.io/v1/namespaces/shop/events', event)).toMatchObject({ code: 201 })
  })

  it('hold a lease in its own namespace', async () => {
    const collection = '/apis/coordination.k8s.io/v1/namespaces/operator/leases'
    expect(await controller('POST', collection, { metadata: { name: 'leader' }, spec: { holderIdentity: 'a' } })).toMatchObject({
      code: 201,
    })
    const patch = { spec: { holderIdentity: 'b' } }
    expect(await controller('PATCH', `${collection}/leader`, patch, { contentType: MERGE_PATCH })).toMatchObject({ code: 200 })
  })
})

describe('the account of the controller may not', () => {
  const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } }

  it.each<[string, Parameters<Call>]>([
    [
      'change the spec of an identity',
      ['PATCH', `${IDENTITIES}/web`, { spec: { serviceAccountName: 'admin' } }, { contentType: MERGE_PATCH }],
    ],
    [
      'change the metadata of an identity',
      ['PATCH', `${IDENTITIES}/web`, { metadata: { labels: { a: 'b' } } }, { contentType: MERGE_PATCH }],
    ],
    ['create an identity', ['POST', IDENTITIES, { ...told('MutualIdentity', { name: 'x' }, {}), spec: { podSelector: {} } }]],
    ['delete an identity', ['DELETE', `${IDENTITIES}/web`]],
    ['change an authority', ['PATCH', `${AUTHORITIES}/default`, { spec: { leaf: { lifetime: '1h' } } }, { contentType: MERGE_PATCH }]],
    ['delete an authority', ['DELETE', `${AUTHORITIES}/default`]],
    ['see Deployments', ['GET', '/apis/apps/v1/deployments']],
    ['restart a workload', ['PATCH', '/apis/apps/v1/namespaces/shop/deployments/web', { spec: {} }, { contentType: MERGE_PATCH }]],
    ['run a pod', ['POST', '/api/v1/namespaces/shop/pods', pod]],
    ['make a token of an account', ['POST', '/api/v1/namespaces/shop/serviceaccounts/default/token', {}]],
    ['delete many ConfigMaps at once', ['DELETE', '/api/v1/namespaces/shop/configmaps']],
    ['give itself more rights', ['PATCH', `${RBAC}/clusterroles/mutual-identity-controller`, { rules: [] }, { contentType: MERGE_PATCH }]],
    ['hold a lease elsewhere', ['POST', '/apis/coordination.k8s.io/v1/namespaces/shop/leases', { metadata: { name: 'l' } }]],
    ['see nodes', ['GET', '/api/v1/nodes']],
  ])('%s', async (_what, call) => {
    expect(await controller(...call)).toMatchObject({ code: 403 })
  })
})
