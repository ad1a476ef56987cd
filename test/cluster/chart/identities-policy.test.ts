// Who may ask for whose identity, on a real API server: the chart's admission policy, tried as people with rights of different sizes. No controller
// runs but those of Kubernetes, which must not be stopped by it.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Cluster, connectCluster } from '../../../scripts/install/cluster.ts'
import { resourceOf } from '../../../scripts/install/kinds.ts'
import { clusterMutualAuthorities, mutualIdentities } from '../../../src/api/kinds.ts'
import type { Client } from '../../../src/k8s/client.ts'
import { configMaps, namespaces, type RawObject } from '../../../src/k8s/resource.ts'
import { CHART } from '../../support/chart.ts'
import { type ChartCluster, eventuallyRefused, refusal, releaseArguments, startChartCluster } from '../../support/chart-cluster.ts'
import { eventually } from '../../support/cluster-eventually.ts'
import { createPlace, findObject, type Place } from '../../support/cluster-objects.ts'

const RBAC = 'rbac.authorization.k8s.io/v1'
const OWN_KIND = { apiGroups: ['mutualidentity.io'], resources: ['mutualidentities'], verbs: ['create', 'update', 'patch', 'delete'] }
const tokensOf = (...accounts: readonly string[]) => ({
  apiGroups: [''],
  resources: ['serviceaccounts/token'],
  verbs: ['create'],
  ...(accounts.length === 0 ? {} : { resourceNames: accounts }),
})

let cluster: ChartCluster
let shop: Place
/** Each writes MutualIdentities of namespace shop; what tokens they may create is what tells them apart. */
let clerk: Client
let owner: Client
let editor: Client
let viewer: Client
const connections: Cluster[] = []

beforeAll(async () => {
  cluster = await startChartCluster()
  shop = await createPlace(cluster.client, 'shop')
  await bind('clerk', [OWN_KIND])
  await bind('owner', [OWN_KIND, tokensOf('web')])
  await bind('editor', 'edit')
  await bind('viewer', 'view')
  await bind('keeper', 'admin')
  clerk = await connect('clerk')
  owner = await connect('owner')
  editor = await connect('editor')
  viewer = await connect('viewer')
  await shop.create(mutualIdentities, identity('present', 'web'))
  await shop.create(mutualIdentities, identity('open'))
  await eventuallyRefused(() => ask(clerk, 'never', 'web'), /allowed to create its tokens/)
  await eventually(() => ask(owner, 'first', 'web'))
  // The aggregation of roles is done by a controller.
  await eventually(() => ask(editor, 'second', 'web'))
})

afterAll(async () => {
  for (const connection of connections) await connection.close()
  await cluster?.close()
})

async function connect(user: string): Promise<Client> {
  const connection = await connectCluster(await cluster.plane.clientKubeconfig(user, ['people']), user)
  connections.push(connection)
  return connection.client
}

/** Gives a person rights in shop: rules of a role of their own, or a role of Kubernetes. */
async function bind(user: string, rights: readonly object[] | string): Promise<void> {
  const kind = typeof rights === 'string' ? 'ClusterRole' : 'Role'
  const name = typeof rights === 'string' ? rights : user
  const objects: readonly RawObject[] = [
    ...(typeof rights === 'string' ? [] : [{ apiVersion: RBAC, kind, metadata: { name }, rules: rights }]),
    {
      apiVersion: RBAC,
      kind: 'RoleBinding',
      metadata: { name: user },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
    },
  ]
  for (const object of objects) await shop.create(resourceOf(object), object)
}

function identity(name: string, serviceAccountName?: string): RawObject {
  const account = serviceAccountName === undefined ? {} : { serviceAccountName }
  return { metadata: { name, namespace: 'shop' }, spec: { podSelector: {}, ...account } }
}

const ask = (who: Client, name: string, account?: string) => who.create(mutualIdentities, identity(name, account))
const patch = (who: Client, name: string, change: object) => who.mergePatch(mutualIdentities, { namespace: 'shop', name }, change)

describe('who may create no tokens', () => {
  it('gets no identity of an account, and is told which value, which rule and what to do', async () => {
    expect(await refusal(ask(clerk, 'a', 'web'))).toMatch(
      /spec\.serviceAccountName "web": .*must be allowed to create its tokens in namespace shop \(verb create on serviceaccounts\/token\); name an account/,
    )
  })

  it('gets none whose account the pods decide', async () => {
    expect(await refusal(ask(clerk, 'a'))).toMatch(/spec\.serviceAccountName is left out: .*tokens of all of them .*; name an account/)
  })

  it('changes no spec, however small the change', async () => {
    expect(await refusal(patch(clerk, 'present', { spec: { certificate: { lifetime: '2h' } } }))).toMatch(/"web"/)
    expect(await refusal(patch(clerk, 'present', { spec: { serviceAccountName: 'admin' } }))).toMatch(/"admin"/)
    expect(await refusal(patch(clerk, 'open', { spec: { podSelector: { matchLabels: { app: 'a' } } } }))).toMatch(/left out/)
  })

  it('may ask for a renewal, label and delete what is there', async () => {
    await patch(clerk, 'present', { metadata: { labels: { a: 'b' } } })
    await patch(clerk, 'present', { metadata: { annotations: { 'mutualidentity.io/renew-requested-at': '2030-01-01T00:00:00Z' } } })
    await ask(owner, 'passing', 'web')
    await clerk.delete(mutualIdentities, { namespace: 'shop', name: 'passing' }, {})
  })
})

describe('who may create the tokens of one account', () => {
  it('gets its identity, and changes it', async () => {
    await ask(owner, 'mine', 'web')
    await patch(owner, 'mine', { spec: { certificate: { lifetime: '2h' } } })
  })

  it('gets no other', async () => {
    expect(await refusal(ask(owner, 'a', 'admin'))).toMatch(/"admin"/)
    expect(await refusal(patch(owner, 'present', { spec: { serviceAccountName: 'admin' } }))).toMatch(/"admin"/)
  })

  it('gets none whose account the pods decide, not even by taking the name out', async () => {
    expect(await refusal(ask(owner, 'a'))).toMatch(/left out/)
    expect(await refusal(patch(owner, 'present', { spec: { serviceAccountName: null } }))).toMatch(/left out/)
  })
})

describe('the roles of Kubernetes, with ours aggregated', () => {
  it('edit is enough for any identity of the namespace', async () => {
    await ask(editor, 'any', 'admin')
    await ask(editor, 'whichever')
  })

  it('view sees identities, and writes none', async () => {
    await viewer.get(mutualIdentities, { namespace: 'shop', name: 'present' })
    expect(await refusal(ask(viewer, 'a', 'web'))).toMatch(/cannot create resource/)
  })

  it('of one namespace do not show cluster authorities, until the chart is told to show them to everybody', async () => {
    const authorities = async (): Promise<void> => {
      for await (const _page of viewer.listPages(clusterMutualAuthorities, {})) return
    }
    expect(await refusal(authorities())).toMatch(/cannot list resource "clustermutualauthorities"/)
    await cluster.helm.run(releaseArguments('upgrade', CHART), { publicAuthorities: true })
    await eventually(authorities)
    const made = viewer.create(clusterMutualAuthorities, { metadata: { name: 'theirs' }, spec: {} })
    expect(await refusal(made)).toMatch(/cannot create resource/)
  })

  it.each<[role: string, user: string, plural: string, answer: string]>([
    ['edit', 'editor', 'mutualidentities', 'yes'],
    ['edit', 'editor', 'mutualauthorities', 'no'],
    ['edit', 'editor', 'clustermutualauthorities', 'no'],
    // The first that may waits until the binding is known.
    ['admin', 'keeper', 'mutualauthorities', 'yes'],
    ['admin', 'keeper', 'mutualidentities', 'yes'],
    ['admin', 'keeper', 'clustermutualauthorities', 'no'],
  ])('%s: may %s create %s? %s', async (_role, user, plural, answer) => {
    await eventually(async () => {
      // It exits with 1 where the answer is no.
      const said = await cluster.kubectl(['auth', 'can-i', 'create', `${plural}.mutualidentity.io`, '-n', 'shop'], user).catch(saidOf)
      expect(said.trim()).toBe(answer)
    })
  })
})

const saidOf = (error: { stdout?: string }): string => error.stdout ?? ''

describe('what is no person', () => {
  it('deletes with the owner what an identity hangs on: the garbage collector is not stopped', async () => {
    const { metadata } = await shop.create(configMaps, { metadata: { name: 'parent' } })
    const reference = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: 'parent',
      uid: metadata.uid as string,
      blockOwnerDeletion: false,
      controller: false,
    }
    const child = identity('child', 'web')
    await cluster.client.create(mutualIdentities, {
      ...child,
      metadata: { ...child.metadata, ownerReferences: [reference], finalizers: ['foregroundDeletion'] },
    })
    await shop.delete(configMaps, 'parent')
    // Foreground: the collector takes the finalizer off by an update. It learns of new kinds every half minute.
    await eventually(async () => expect(await shop.find(mutualIdentities, 'child')).toBeUndefined())
  })

  it('writes a status without any right to tokens', async () => {
    const { metadata } = await cluster.client.get(mutualIdentities, { namespace: 'shop', name: 'present' })
    const status = { spiffeID: 'spiffe://example.org/ns/shop/sa/web' }
    await cluster.account.replaceStatus(mutualIdentities, { metadata, status })
  })

  it('deletes a namespace with all identities in it', async () => {
    await cluster.client.delete(namespaces, { namespace: '', name: 'shop' }, {})
    await eventually(async () => expect(await findObject(cluster.client, namespaces, { namespace: '', name: 'shop' })).toBeUndefined())
  })
})
