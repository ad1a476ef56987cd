import { describe, expect, it } from '@jest/globals'
import { labels } from '../../../src/api/names.ts'
import { hours, minutes } from '../../../src/base/duration.ts'
import { certificateReadings } from '../../../src/controllers/identity/readings.ts'
import { createMetrics } from '../../../src/telemetry/metrics.ts'
import { b64, filledStores, leafSecret, makeCA, NOW } from '../../support/material.ts'

const quiet = { leading: () => false, queueDepths: () => ({}), silences: () => ({}), certificates: () => ({}) }
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
  it('are counted by authority, with the first end and what is overdue', async () => {
    const ca = await makeCA()
    const named = (name: string, more: object = {}) => leafSecret(ca, { metadata: { name }, ...more })
    const leafSecrets = await Promise.all([
      named('a'),
      named('b', { issuedAt: NOW - hours(20) }),
      named('c', { labels: { [labels.authority]: 'other' } }),
      named('d', { data: { 'tls.crt': b64('x') } }),
    ])
    const stores = filledStores({ leafSecrets })
    const end = (issuedAt: number) => (issuedAt - minutes(5) + hours(24)) / 1000
    expect(certificateReadings(stores.leafSecrets, NOW)).toEqual({
      default: { count: 2, earliestNotAfter: end(NOW - hours(20)), overdue: 1 },
      other: { count: 1, earliestNotAfter: end(NOW - hours(2)), overdue: 0 },
    })
  })

  it('are overdue a minute after their instant, not before', async () => {
    const stores = filledStores({ leafSecrets: [await leafSecret(await makeCA())] })
    const renewAt = NOW + hours(11)
    const overdueAt = (now: number) => certificateReadings(stores.leafSecrets, now)['default']?.overdue
    expect([overdueAt(renewAt + minutes(1)), overdueAt(renewAt + minutes(1) + 1)]).toEqual([0, 1])
  })
})
