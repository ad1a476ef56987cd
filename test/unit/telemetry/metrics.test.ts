import { describe, expect, it } from '@jest/globals'
import { labels } from '../../../src/api/names.ts'
import { hours, minutes } from '../../../src/base/duration.ts'
import { certificateReadings } from '../../../src/controllers/identity/readings.ts'
import { authorityEnds, objectReadings } from '../../../src/controllers/object-readings.ts'
import { createMetrics } from '../../../src/telemetry/metrics.ts'
import { authorityObject, b64, caSecret, filledStores, identityObject, leafSecret, makeCA, NOW } from '../../support/material.ts'

const quiet = {
  leading: () => false,
  queueDepths: () => ({}),
  identitiesAtOnce: () => 8,
  silences: () => ({}),
  certificates: () => new Map(),
  objects: () => [],
  authorityEnds: () => ({}),
}
const linesOf = async (metrics: ReturnType<typeof createMetrics>, name: string) =>
  (await metrics.render()).text.split('\n').filter((line) => line.startsWith(`mutual_identity_${name}`))

describe('steps', () => {
  it('that issued a certificate are counted by reason and authority, with how long they took', async () => {
    const metrics = createMetrics(quiet)
    metrics.step({ kind: 'issued', reason: 'RenewalDue', authority: 'default', durationMs: 40 })
    metrics.step({ kind: 'issued', reason: 'RenewalDue', authority: 'default', durationMs: 60 })
    expect(await linesOf(metrics, 'certificates_issued_total')).toEqual([
      'mutual_identity_certificates_issued_total{reason="RenewalDue",authority="default"} 2',
    ])
    expect(await linesOf(metrics, 'issuance_duration_seconds_sum')).toEqual([
      'mutual_identity_issuance_duration_seconds_sum{authority="default"} 0.1',
    ])
  })

  it('that failed are counted apart', async () => {
    const metrics = createMetrics(quiet)
    metrics.step({ kind: 'failed', reason: 'Throttled', authority: 'default', durationMs: 1 })
    expect([await linesOf(metrics, 'steps_failed_total'), await linesOf(metrics, 'certificates_issued_total')]).toEqual([
      ['mutual_identity_steps_failed_total{reason="Throttled",authority="default"} 1'],
      [],
    ])
  })

  it.each(['updated', 'deleted'])('that %s a Secret are neither', async (kind) => {
    const metrics = createMetrics(quiet)
    metrics.step({ kind, reason: 'BundleOutdated', authority: 'default', durationMs: 1 })
    expect([await linesOf(metrics, 'steps_failed_total'), await linesOf(metrics, 'certificates_issued_total')]).toEqual([[], []])
  })
})

it('passes and requests are counted, throttled ones twice over', async () => {
  const metrics = createMetrics(quiet)
  metrics.pass({ controller: 'identity', outcome: 'ok', durationMs: 2 })
  metrics.request({ verb: 'PATCH', resource: 'secrets', code: 200, durationMs: 1, throttled: false })
  metrics.request({ verb: 'PATCH', resource: 'secrets', code: 429, durationMs: 1, throttled: true })
  expect(await linesOf(metrics, 'reconcile_duration_seconds_count')).toEqual([
    'mutual_identity_reconcile_duration_seconds_count{controller="identity",outcome="ok"} 1',
  ])
  expect(await linesOf(metrics, 'api_requests_total')).toEqual([
    'mutual_identity_api_requests_total{verb="PATCH",resource="secrets",code="200"} 1',
    'mutual_identity_api_requests_total{verb="PATCH",resource="secrets",code="429"} 1',
  ])
  expect(await linesOf(metrics, 'api_throttled_total')).toEqual(['mutual_identity_api_throttled_total 1'])
})

it('two operators in one process do not meet', async () => {
  const [one, two] = [createMetrics(quiet), createMetrics(quiet)]
  one.step({ kind: 'failed', reason: 'Throttled', authority: 'default', durationMs: 1 })
  expect(await linesOf(two, 'steps_failed_total')).toEqual([])
})

it('what is not read any more is not shown any more', async () => {
  let depths: Record<string, number> = { identity: 1 }
  const metrics = createMetrics({ ...quiet, queueDepths: () => depths })
  await metrics.render()
  depths = {}
  expect(await linesOf(metrics, 'queue_depth')).toEqual([])
})

describe('the leaves in the cache', () => {
  const identity = (name: string, authority = 'default') =>
    identityObject({ authorityRef: { kind: 'ClusterMutualAuthority', name: authority } }, { metadata: { name, uid: `uid-${name}` } })
  const leafOf = async (name: string, more: object = {}) => {
    const secret = await leafSecret(await ca, more)
    const ownerReferences = (secret.metadata.ownerReferences ?? []).map((owner) => ({ ...owner, name, uid: `uid-${name}` }))
    return { ...secret, metadata: { ...secret.metadata, name: `${name}-mtls`, ownerReferences } }
  }
  const ca = makeCA()
  const authorities = ['default', 'other'].map((name) => authorityObject({}, { metadata: { name } }))

  it('are counted by the authority of their identity, with the first end and what is overdue', async () => {
    const leafSecrets = await Promise.all([
      leafOf('a'),
      leafOf('b', { issuedAt: NOW - hours(20) }),
      leafOf('c'),
      leafOf('d', { data: { 'tls.crt': b64('x') } }),
    ])
    const stores = filledStores({
      authorities,
      identities: [identity('a'), identity('b'), identity('c', 'other'), identity('d')],
      leafSecrets,
    })
    const end = (issuedAt: number) => (issuedAt - minutes(5) + hours(24)) / 1000
    expect(Object.fromEntries(certificateReadings(stores, NOW))).toEqual({
      default: { count: 2, earliestNotAfter: end(NOW - hours(20)), overdue: 1 },
      other: { count: 1, earliestNotAfter: end(NOW - hours(2)), overdue: 0 },
    })
  })

  it('do not count what a tenant made with our labels, and labels make no series', async () => {
    const foreign = await leafOf('x', { labels: { [labels.authority]: 'constructor' } })
    const stolen = { ...(await leafOf('a')), metadata: { ...(await leafOf('a')).metadata, ownerReferences: [] } }
    const stores = filledStores({ identities: [identity('a'), identity('b')], leafSecrets: [foreign, stolen] })
    expect(certificateReadings(stores, NOW).size).toBe(0)
  })

  it('of authorities that there are not are one series, whatever names tenants invent', async () => {
    const leafSecrets = await Promise.all([leafOf('a'), leafOf('b')])
    const stores = filledStores({ identities: [identity('a', 'invented-1'), identity('b', 'invented-2')], leafSecrets })
    expect([...certificateReadings(stores, NOW)].map(([authority, { count }]) => [authority, count])).toEqual([['(none)', 2]])
  })

  it('are overdue a minute after their instant, not before', async () => {
    const stores = filledStores({ authorities, identities: [identity('a')], leafSecrets: [await leafOf('a')] })
    const renewAt = NOW + hours(11)
    const overdueAt = (now: number) => certificateReadings(stores, now).get('default')?.overdue
    expect([overdueAt(renewAt + minutes(1)), overdueAt(renewAt + minutes(1) + 1)]).toEqual([0, 1])
  })
})

describe('our objects in the cache', () => {
  const told = (name: string, status: 'True' | 'False', reason: string) =>
    identityObject({}, { metadata: { name }, fields: { status: { conditions: [{ type: 'Ready', status, reason, message: 'm' }] } } })

  it('are counted by kind, readiness and reason; what nobody was told of yet has none', () => {
    const identities = [told('a', 'True', 'Current'), told('b', 'True', 'Current'), told('c', 'False', 'SecretNotOwned'), identityObject()]
    const stores = filledStores({ identities, authorities: [authorityObject()] })
    expect(objectReadings(stores)).toEqual(
      expect.arrayContaining([
        { kind: 'MutualIdentity', ready: 'true', reason: 'Current', count: 2 },
        { kind: 'MutualIdentity', ready: 'false', reason: 'SecretNotOwned', count: 1 },
        { kind: 'MutualIdentity', ready: 'false', reason: '', count: 1 },
        { kind: 'ClusterMutualAuthority', ready: 'false', reason: '', count: 1 },
      ]),
    )
  })

  it('make no series of reasons that somebody invents', () => {
    const stores = filledStores({ identities: [told('a', 'False', 'Mine1'), told('b', 'False', 'Mine2')] })
    expect(objectReadings(stores)).toEqual([{ kind: 'MutualIdentity', ready: 'false', reason: 'InternalError', count: 2 }])
  })

  it('tell when the first CA of an authority ends, those of tenants together', async () => {
    const ca = await makeCA()
    const stores = filledStores({
      authorities: [authorityObject(), authorityObject({}, { metadata: { name: 'none' } })],
      caSecrets: [caSecret(ca)],
    })
    expect(authorityEnds(stores)).toEqual({ default: ca.certificate.notAfter / 1000 })
  })
})
