// The operator at work under the chart's rights and policies, restarts included, on a real API server: everything that it repairs is repaired although
// admission looks at each of its writes, nothing is refused to it, and each right that the chart gives it is one that it used.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { ControllerProcess } from '../../../scripts/install/controller-process.ts'
import { clusterMutualAuthorities, mutualAuthorities, mutualIdentities } from '../../../src/api/kinds.ts'
import type { PolicyRule } from '../../../src/api/rights.ts'
import { configMaps, daemonSets, deployments, type RawObject, type Resource, secrets, statefulSets } from '../../../src/k8s/resource.ts'
import { type ChartCluster, startChartCluster } from '../../support/chart-cluster.ts'
import { inShort } from '../../support/cluster-audit.ts'
import { eventually } from '../../support/cluster-eventually.ts'
import { fitsTogether, materialOf } from '../../support/cluster-material.ts'
import { authorityStands, createPlace, type Place, placeIn } from '../../support/cluster-objects.ts'
import { OPERATOR, OPERATOR_NAMESPACE } from '../../support/cluster-operator.ts'

const VALUES = { restartWorkloads: true }
const RESTARTED_FOR = 'mutualidentity.io/restarted-for'
const WORKLOADS: readonly Resource[] = [deployments, statefulSets, daemonSets]
const LABEL = 'app.kubernetes.io/managed-by'

/** What no test on a real clock sees: a right that is for later. */
const UNSEEN: Readonly<Record<string, string>> = {
  'patch events': 'an event that is repeated is patched ten minutes after the first',
}

let cluster: ChartCluster
let controller: ControllerProcess
let shop: Place
let own: Place

beforeAll(async () => {
  cluster = await startChartCluster({ values: VALUES })
  controller = await cluster.startAsDeployed()
  shop = await createPlace(cluster.client, 'shop')
  own = placeIn(cluster.client, OPERATOR_NAMESPACE)
  // It is made only where there is no other.
  await authorityStands(cluster.client, 'default', 'Current')
  // A tenth of so short a life is waited for after a renewal, and the renewal that comes by itself is two minutes away.
  const quick = { trustDomain: 'quick.test', leaf: { lifetime: '5m', minLifetime: '1m' } }
  await cluster.client.create(clusterMutualAuthorities, { metadata: { name: 'quick' }, spec: quick })
  for (const of of WORKLOADS) await workload(of)
  await shop.create(mutualIdentities, {
    metadata: { name: 'program' },
    spec: {
      podSelector: { matchLabels: { app: 'program' } },
      serviceAccountName: 'default',
      authorityRef: { name: 'quick' },
      restart: { onRenewal: true },
    },
  })
  await shop.ready('program')
  // Times of creation are whole seconds, and a workload is not restarted for a certificate that was there when it was made.
  await sleep(1_100)
  await shop.patch(mutualIdentities, 'program', {
    metadata: { annotations: { 'mutualidentity.io/renew-requested-at': '2030-01-01T00:00:00Z' } },
  })
})

afterAll(async () => {
  await cluster?.close()
})

/** One that opted in and was restarted long ago. */
function workload(of: Resource): Promise<RawObject> {
  const labels = { app: 'program', kind: of.plural }
  const template = {
    metadata: { labels, annotations: { [RESTARTED_FOR]: '00 2020-01-01T00:00:00Z' } },
    spec: { containers: [{ name: 'program', image: 'program' }] },
  }
  const metadata = { name: 'due', annotations: { 'mutualidentity.io/restart-on-renewal': 'true' } }
  const more = of === deployments ? { replicas: 0 } : of === statefulSets ? { replicas: 0, serviceName: 'due' } : {}
  return shop.create(of, { metadata, spec: { selector: { matchLabels: labels }, template, ...more } })
}

describe('a leaf Secret', () => {
  const bare = { metadata: { labels: null } }
  it.each<[string, (name: string) => Promise<unknown>]>([
    ['that was deleted', (name) => shop.delete(secrets, name)],
    ['without its key', (name) => shop.patch(secrets, name, { data: { 'tls.key': '' } })],
    ['without the label by which it is watched', (name) => shop.patch(secrets, name, { metadata: { labels: { [LABEL]: null } } })],
    ['without labels and annotations', (name) => shop.patch(secrets, name, { metadata: { labels: null, annotations: null } })],
    ['without its owner', (name) => shop.patch(secrets, name, { metadata: { ownerReferences: null } })],
    ['without labels, and immutable', (name) => shop.patch(secrets, name, { ...bare, immutable: true })],
    [
      'of another type, with our labels and owner',
      async (name) => {
        const { metadata, data } = await shop.get(secrets, name)
        await shop.delete(secrets, name)
        const { labels, ownerReferences } = metadata
        await shop
          .create(secrets, { metadata: { name, labels, ownerReferences } as RawObject['metadata'], type: 'Opaque', data })
          .catch(() => undefined)
      },
    ],
  ])('%s is put right', async (_what, spoil) => {
    const name = `web-${++count}`
    await shop.identity(name)
    await shop.ready(name)
    const before = await shop.secret(name)
    await spoil(`${name}-mtls`)
    await eventually(async () => {
      const { metadata, type, immutable, ...now } = await shop.secret(name)
      expect({ type, immutable, labels: metadata.labels, owners: metadata.ownerReferences }).toEqual({
        type: 'kubernetes.io/tls',
        immutable: undefined,
        labels: before.metadata.labels,
        owners: before.metadata.ownerReferences,
      })
      expect(metadata.annotations).toMatchObject({ 'mutualidentity.io/profile-hash': expect.anything() })
      expect(fitsTogether(materialOf({ metadata, type, ...now }))).toBe(true)
    })
  })
  let count = 0

  it('of somebody else stays, and the identity says so', async () => {
    await shop.create(secrets, { metadata: { name: 'taken-mtls' } })
    await shop.identity('taken')
    await shop.stopped('taken', 'SecretNotOwned')
  })
})

describe.each<[string, () => Place]>([
  ['copy', () => shop],
  ['record', () => own],
])('the %s of a trust bundle', (_what, place) => {
  const name = 'default-trust-bundle'
  const spoilt = { data: { 'ca.crt': 'x' } }
  it.each<[string, object | undefined]>([
    ['that was deleted', undefined],
    ['that was edited', spoilt],
    ['without the label by which it is watched', { metadata: { labels: { [LABEL]: null } } }],
    ['that was edited and made immutable', { ...spoilt, immutable: true }],
  ])('%s is put right', async (_how, change) => {
    await eventually(() => place().get(configMaps, name))
    const { data, metadata } = await place().get(configMaps, name)
    await (change === undefined ? place().delete(configMaps, name) : place().patch(configMaps, name, change))
    await eventually(async () => {
      const now = await place().get(configMaps, name)
      expect({ text: text(now), labels: now.metadata.labels }).toEqual({ text: text({ metadata, data }), labels: metadata.labels })
      expect(now.immutable).toBeUndefined()
    })
  })
})

const text = ({ data }: RawObject): string | undefined => (data as Record<string, string> | undefined)?.['ca.crt']

it('a CA Secret without its labels gets them back', async () => {
  const { metadata, data } = await own.get(secrets, 'default-ca-1')
  await own.patch(secrets, 'default-ca-1', { metadata: { labels: null } })
  await eventually(async () => expect((await own.get(secrets, 'default-ca-1')).metadata.labels).toEqual(metadata.labels))
  expect((await own.get(secrets, 'default-ca-1'))['data']).toEqual(data)
})

it('an authority of a namespace is served', async () => {
  await shop.create(mutualAuthorities, { metadata: { name: 'internal' }, spec: { selfManaged: {} } })
  await eventually(async () => expect(JSON.stringify((await shop.get(mutualAuthorities, 'internal'))['status'])).toContain('"Current"'))
})

it.each(WORKLOADS.map((of) => [of.kind, of] as const))('a %s that opted in is restarted for a new certificate', async (_kind, of) => {
  await eventually(async () => {
    const { spec } = await shop.get(of, 'due')
    const { template } = spec as { template: { metadata: { annotations: Record<string, string> } } }
    expect(template.metadata.annotations[RESTARTED_FOR]).not.toMatch(/2020/)
  }, 90_000)
})

describe('in all this the operator', () => {
  // A watch stands in the audit log once it has ended.
  beforeAll(async () => void (await controller.stop()))

  const made = () => cluster.audit.requests().filter(({ user }) => user === OPERATOR)

  it('was refused nothing', () => {
    expect(made().filter(({ code }) => code === 403)).toEqual([])
    expect(cluster.log.filter(({ line }) => /forbidden|denied/i.test(line)).map(({ line }) => line)).toEqual([])
  })

  it('used every right that the chart gives it', async () => {
    const roles = (await cluster.helm.template(VALUES, OPERATOR_NAMESPACE)).filter(
      ({ kind, metadata }) => /Role$/.test(String(kind)) && !/-(view|edit|admin)$/.test(metadata.name),
    )
    const given = roles.flatMap((role) =>
      (role['rules'] as readonly PolicyRule[]).flatMap(({ resources, verbs }) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
      ),
    )
    const used = new Set(made().map(inShort))
    expect(given.filter((right) => !used.has(right) && UNSEEN[right] === undefined)).toEqual([])
    expect(Object.keys(UNSEEN).filter((right) => used.has(right) || !given.includes(right))).toEqual([])
  })
})
