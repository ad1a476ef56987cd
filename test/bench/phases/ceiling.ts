// What the API server takes at most: the writes of an identity by a script that makes no certificate, watches nothing and plans nothing.

import { mutualIdentities } from '../../../src/api/kinds.ts'
import { events, namespaces, type RawObject, type Resource, secrets } from '../../../src/k8s/resource.ts'
import { inParallel } from '../parallel.ts'
import { cpuText, kB, perSecond, type Report } from '../report.ts'
import { openSpan } from '../span.ts'
import { atRest, type Stage } from '../stage.ts'
import { rawRate } from './raw.ts'

const COUNT = 3000
const CONNECTIONS = 32

/** `namespace`: an identity in it and all that the controller wrote for it is what the script writes. No controller may run. */
export async function ceiling(stage: Stage, report: Report, namespace: string): Promise<void> {
  const sample = {
    status: (await first(stage, mutualIdentities, namespace, (one) => 'status' in one)).status,
    secret: await first(stage, secrets, namespace, ({ type }) => type === 'kubernetes.io/tls'),
    event: await first(stage, events, namespace, ({ reason }) => reason === 'Issued'),
  }
  const two = await identities(stage, 'two-writes')
  const three = await identities(stage, 'three-writes')
  const { client } = stage.account
  const before = await rawRate(stage, 'before-ceiling')
  const rates = new Map<string, { readonly rate: number; readonly cpu: string }>()
  for (const [name, objects] of Object.entries({ 'Secret and status': two, 'Secret, status and event': three })) {
    await atRest(stage)
    const span = await openSpan(stage)
    const startedAt = performance.now()
    await inParallel(COUNT, CONNECTIONS, async (index) => {
      const identity = objects[index] as RawObject
      await client.create(secrets, secretFor(identity, sample.secret))
      await client.replaceStatus(mutualIdentities, { metadata: identity.metadata, status: sample.status })
      if (objects === three) await client.create(events, eventFor(identity, sample.event))
    })
    rates.set(name, {
      rate: COUNT / ((performance.now() - startedAt) / 1000),
      cpu: `${cpuText(span.cpu(), COUNT)}; ${kB((await span.allocated()) / COUNT)} allocated by the API server`,
    })
  }
  await atRest(stage)
  const raw = (before + (await rawRate(stage, 'after-ceiling'))) / 2
  for (const [name, { rate, cpu }] of rates) {
    report.figure(`ceiling ${name}`, rate)
    report.row(`${name} alone, by a script that makes no certificate`, `${perSecond(rate)}, ${((rate / raw) * 100).toFixed(1)} % of raw`)
    report.row('  CPU each, bench is the script', cpu)
  }
}

async function identities(stage: Stage, namespace: string): Promise<readonly RawObject[]> {
  const { client } = stage.admin
  await client.create(namespaces, { metadata: { name: namespace } })
  const created: RawObject[] = []
  await inParallel(COUNT, CONNECTIONS, async (index) => {
    const spec = { podSelector: { matchLabels: { app: `app-${index}` } } }
    created.push(await client.create(mutualIdentities, { metadata: { namespace, name: `app-${index}` }, spec }))
  })
  await atRest(stage)
  return created
}

function secretFor({ metadata: { namespace = '', name, uid } }: RawObject, { type, data, metadata }: RawObject): RawObject {
  const { labels = {}, annotations = {}, ownerReferences = [] } = metadata
  return {
    type,
    data,
    metadata: {
      namespace,
      name: `${name}-mtls`,
      labels,
      annotations,
      // Of an owner that does not exist the garbage collector would delete what it owns.
      ownerReferences: ownerReferences.map((owner) => ({ ...owner, name, uid: uid ?? '' })),
    },
  }
}

function eventFor({ metadata: { namespace = '', name, uid } }: RawObject, event: RawObject): RawObject {
  const { eventTime, reportingController, reportingInstance, action, reason, type, note, regarding } = event
  return {
    metadata: { namespace, name: `${name}.0123456789abcdef` },
    ...{ eventTime, reportingController, reportingInstance, action, reason, type, note },
    regarding: { ...(regarding as object), namespace, name, uid },
  }
}

async function first({ admin }: Stage, resource: Resource, namespace: string, test: (object: RawObject) => boolean): Promise<RawObject> {
  for await (const { items } of admin.client.listPages(resource, { namespace })) {
    const found = items.find(test)
    if (found !== undefined) return found
  }
  throw new Error(`${namespace} has none of ${resource.plural} that the controller wrote`)
}
