// Restarts after renewals on a real API server, by a controller that first lacks the rights for them: who is restarted, for what, how often, and
// that nobody else is touched. No pods run here; what changes is the pod template, as with `kubectl rollout restart`.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { ControllerProcess } from '../../../scripts/install/controller-process.ts'
import { CONTROLLER_ACCOUNT } from '../../../scripts/install/install.ts'
import { resourceOf } from '../../../scripts/install/kinds.ts'
import { clusterMutualAuthorities, mutualIdentities } from '../../../src/api/kinds.ts'
import { rbacObjects } from '../../../src/api/rights.ts'
import { daemonSets, deployments, type RawObject, type Resource, statefulSets } from '../../../src/k8s/resource.ts'
import { inShort } from '../../support/cluster-audit.ts'
import { eventually } from '../../support/cluster-eventually.ts'
import { materialOf } from '../../support/cluster-material.ts'
import { condition, createPlace, isReady, type Place } from '../../support/cluster-objects.ts'
import { OPERATOR, OPERATOR_NAMESPACE, startCluster, type TestCluster } from '../../support/cluster-operator.ts'

const OPT_IN = { 'mutualidentity.io/restart-on-renewal': 'true' }
const RESTARTED_FOR = 'mutualidentity.io/restarted-for'
/** Made with an instant of a minute ago: its hour has just begun. */
const JUST_NOW = `00 ${new Date(Date.now() - 60_000).toISOString()}`
const LONG_AGO = '00 2020-01-01T00:00:00Z'

let cluster: TestCluster
let shop: Place
let controller: ControllerProcess
let second: string
let third: string

beforeAll(async () => {
  cluster = await startCluster()
  controller = await cluster.start({ flags: ['--restart-workloads', 'true'] })
  shop = await createPlace(cluster.client, 'shop')
  await workload(deployments, 'due', OPT_IN, LONG_AGO)
  await workload(deployments, 'shy', {}, LONG_AGO)
  await workload(statefulSets, 'busy', OPT_IN, JUST_NOW)
  await workload(daemonSets, 'fresh', OPT_IN)
  // A tenth of so short a life is waited for after a renewal, and the renewal that comes by itself is two minutes away.
  const spec = { trustDomain: 'quick.test', leaf: { lifetime: '5m', minLifetime: '1m' } }
  await cluster.defaultAuthority()
  await cluster.client.create(clusterMutualAuthorities, { metadata: { name: 'quick' }, spec })
  await shop.create(mutualIdentities, { metadata: { name: 'web' }, spec: identity() })
  await shop.ready('web')
  // A workload of the same second is taken for one that began with the certificate.
  await sleep(1000)
  second = await renew('2030-01-01T00:00:00Z')
})

afterAll(async () => {
  await cluster?.close()
})

const identity = () => ({
  podSelector: { matchLabels: { app: 'web' } },
  serviceAccountName: 'default',
  authorityRef: { name: 'quick' },
  restart: { onRenewal: true },
})

/** A workload whose pods have the label app=web. */
function workload(resource: Resource, name: string, annotations: Record<string, string>, restartedFor?: string): Promise<RawObject> {
  const labels = { app: 'web', part: name }
  const recorded = restartedFor === undefined ? {} : { [RESTARTED_FOR]: restartedFor }
  const template = {
    metadata: { labels, annotations: { theirs: 'x', ...recorded } },
    spec: { containers: [{ name: 'program', image: 'program' }] },
  }
  const more = resource === deployments ? { replicas: 0 } : resource === statefulSets ? { replicas: 0, serviceName: name } : {}
  return shop.create(resource, { metadata: { name, annotations }, spec: { selector: { matchLabels: labels }, template, ...more } })
}

/** Resolves with the serial number of the new certificate. */
async function renew(at: string): Promise<string> {
  const before = materialOf(await shop.secret('web')).serialNumber
  await shop.patch(mutualIdentities, 'web', { metadata: { annotations: { 'mutualidentity.io/renew-requested-at': at } } })
  return eventually(async () => {
    const { serialNumber } = materialOf(await shop.secret('web'))
    if (serialNumber === before) throw new Error('the certificate was not renewed yet')
    return serialNumber
  })
}

interface Template {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> }
}
async function annotationsOf(resource: Resource, name: string): Promise<Readonly<Record<string, string>>> {
  const { spec } = await shop.get(resource, name)
  return (spec as { template: Template }).template.metadata.annotations
}
const recordedOn = async (resource: Resource, name: string) => (await annotationsOf(resource, name))[RESTARTED_FOR]
/** Those that no restart may touch in these tests: as they were made. */
async function untouched(...names: readonly (readonly [Resource, string, string | undefined])[]): Promise<void> {
  for (const [resource, name, was] of names) {
    expect([name, await recordedOn(resource, name), (await shop.get(resource, name)).metadata.generation]).toEqual([name, was, 1])
  }
}

describe('a controller that is asked to restart workloads and lacks the rights', () => {
  it('says so: in its log, and by an event of the identity that asks', async () => {
    await eventually(async () => expect(await shop.eventsOf('web')).toContain('WorkloadsUnreadable'))
    const complaints = cluster.log.filter(({ fields }) => fields?.level === 'warn' && fields.resource === 'deployments')
    expect(complaints.map(({ fields }) => fields?.reason)).toContain('Forbidden')
  })

  it('goes on issuing and renewing', async () => {
    expect(isReady(await shop.get(mutualIdentities, 'web'))).toBe(true)
    await shop.identity('another')
    await shop.ready('another')
  })

  it('begins to restart when it is given them, without being started anew', async () => {
    const installation = { namespace: OPERATOR_NAMESPACE, serviceAccount: CONTROLLER_ACCOUNT, options: ['restart'] } as const
    for (const object of rbacObjects(installation).filter(({ metadata }) => metadata.name === 'mutual-identity-restart')) {
      await cluster.client.create(resourceOf(object as RawObject), object as RawObject)
    }
    // Watches that were refused try again within half a minute.
    await eventually(async () => expect(await recordedOn(deployments, 'due')).toMatch(new RegExp(`^${second} 20\\d\\d-`)), 90_000)
  })
})

describe('a restart', () => {
  it('changes one annotation of the pod template and leaves the others', async () => {
    const { theirs } = await annotationsOf(deployments, 'due')
    expect([theirs, (await shop.get(deployments, 'due')).metadata.generation]).toEqual(['x', 2])
  })

  it('is told by an event of the identity and by one line of the log', async () => {
    await eventually(async () => expect((await shop.eventsOf('web')).filter((reason) => reason === 'Restarted')).toHaveLength(1))
    const lines = cluster.log.filter(({ fields }) => fields?.message === 'workload restarted')
    expect(lines.map(({ fields }) => fields)).toMatchObject([
      { level: 'info', workload: 'Deployment due', serialNumber: second, namespace: 'shop', name: 'web' },
    ])
  })

  it('costs one patch', () => {
    const writes = cluster.audit.writes(OPERATOR, { namespace: 'shop' }).map(inShort)
    expect(writes.filter((write) => /deployments|statefulsets|daemonsets/.test(write))).toEqual(['patch deployments'])
  })

  it('is not for workloads that did not opt in, whose hour is not over, or whose pods waited for this certificate', async () => {
    await untouched([deployments, 'shy', LONG_AGO], [statefulSets, 'busy', JUST_NOW], [daemonSets, 'fresh', undefined])
  })
})

describe('the next renewal', () => {
  beforeAll(async () => {
    // What is issued within the first minute of a Secret counts as the certificate that pods waited for.
    const age = Date.now() - Date.parse((await shop.secret('web')).metadata.creationTimestamp ?? '')
    await sleep(Math.max(0, 63_000 - age))
    third = await renew('2030-01-02T00:00:00Z')
  })

  it('restarts a workload that was never restarted before', async () => {
    await eventually(async () => expect(await recordedOn(daemonSets, 'fresh')).toMatch(new RegExp(`^${third} `)), 90_000)
  })

  it('does not restart one again within the hour', async () => {
    // Long enough for the pace of the whole process.
    await sleep(6_000)
    expect(await recordedOn(deployments, 'due')).toMatch(new RegExp(`^${second} `))
    await untouched([deployments, 'shy', LONG_AGO], [statefulSets, 'busy', JUST_NOW])
  })
})

it('an identity that asks for restarts where the operator makes none is ready, and its condition says so', async () => {
  await controller.stop()
  controller = await cluster.start()
  await eventually(async () => {
    const ready = condition(await shop.get(mutualIdentities, 'web'))
    expect(ready).toMatchObject({ status: 'True', reason: 'RestartNotEnabled', message: expect.stringContaining('--restart-workloads') })
  })
})
