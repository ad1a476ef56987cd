// The metrics of the process (docs/metrics.md), in Prometheus text. Subscribes to outcomes and samples; nobody waits for it.
// Labels never name an object, so that their number does not grow with a cluster's.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client'

/** What is asked for when the metrics are read. */
export interface Readings {
  readonly leading: () => boolean
  readonly queueDepths: () => Readonly<Record<string, number>>
  readonly identitiesAtOnce: () => number
  /** Milliseconds since each watch last heard from the API server. */
  readonly silences: () => Readonly<Record<string, number>>
  /** By authority: the earliest end of a leaf (seconds since 1970), and how many renewals are overdue. */
  readonly certificates: () => ReadonlyMap<string, { readonly count: number; readonly earliestNotAfter: number; readonly overdue: number }>
  /** Our objects by kind, readiness and reason. */
  readonly objects: () => readonly { readonly kind: string; readonly ready: string; readonly reason: string; readonly count: number }[]
  /** By authority: the end of the first CA, in seconds since 1970. */
  readonly authorityEnds: () => Readonly<Record<string, number>>
}

export interface Metrics {
  step(sample: { readonly kind: string; readonly reason: string; readonly authority: string; readonly durationMs: number }): void
  pass(sample: { readonly controller: string; readonly outcome: string; readonly durationMs: number }): void
  request(sample: {
    readonly verb: string
    readonly resource: string
    readonly code: number
    readonly durationMs: number
    readonly throttled: boolean
  }): void
  /** Prometheus text format. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>
}

const PREFIX = 'mutual_identity_'

/** A registry of its own: two operators in one process do not meet. */
export function createMetrics(readings: Readings): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const named = (name: string, help: string, labelNames: string[] = []) => ({
    name: PREFIX + name,
    help,
    labelNames,
    registers: [registry],
  })
  const issued = new Counter(named('certificates_issued_total', 'Certificates issued, by why and by authority.', ['reason', 'authority']))
  const failed = new Counter(named('steps_failed_total', 'Steps that failed, by reason and by authority.', ['reason', 'authority']))
  const issuance = new Histogram({
    ...named('issuance_duration_seconds', 'From observing to the written Secret and status.', ['authority']),
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  })
  const passes = new Histogram({
    ...named('reconcile_duration_seconds', 'Passes of the controllers, by outcome.', ['controller', 'outcome']),
    buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
  })
  const requests = new Counter(
    named('api_requests_total', 'Requests to the API server; code 0 where no answer came.', ['verb', 'resource', 'code']),
  )
  const throttled = new Counter(named('api_throttled_total', 'Requests that the API server answered with 429.'))
  readingGauge(named('leader', '1 while this replica leads.'), (gauge) => gauge.set(readings.leading() ? 1 : 0))
  readingGauge(named('queue_depth', 'Keys that are ready or being worked on.', ['controller']), (gauge) =>
    setAll(gauge, 'controller', readings.queueDepths()),
  )
  readingGauge(named('identities_at_once', 'Identities worked on at once at most, as quickly as the API server answers.'), (gauge) =>
    gauge.set(readings.identitiesAtOnce()),
  )
  readingGauge(named('cache_staleness_seconds', 'Since the watch of a cache last heard from the API server.', ['cache']), (gauge) =>
    setAll(gauge, 'cache', readings.silences(), 1 / 1000),
  )
  readingGauge(named('certificates', 'Leaf certificates in Secrets.', ['authority']), (gauge) => setFrom(gauge, readings, 'count'))
  readingGauge(named('earliest_expiry_timestamp_seconds', 'When the first leaf expires.', ['authority']), (gauge) =>
    setFrom(gauge, readings, 'earliestNotAfter'),
  )
  readingGauge(named('renewals_overdue', 'Leaves whose renewal is due and not done.', ['authority']), (gauge) =>
    setFrom(gauge, readings, 'overdue'),
  )

  readingGauge(named('objects', 'Our objects, by kind, readiness and reason.', ['kind', 'ready', 'reason']), (gauge) => {
    for (const { kind, ready, reason, count } of readings.objects()) gauge.set({ kind, ready, reason }, count)
  })
  readingGauge(named('authority_expiry_timestamp_seconds', 'When the first CA of an authority expires.', ['authority']), (gauge) =>
    setAll(gauge, 'authority', readings.authorityEnds()),
  )

  return {
    step({ kind, reason, authority, durationMs }) {
      if (kind === 'failed') failed.inc({ reason, authority })
      if (kind !== 'issued') return
      issued.inc({ reason, authority })
      issuance.observe({ authority }, durationMs / 1000)
    },
    pass: ({ controller, outcome, durationMs }) => passes.observe({ controller, outcome }, durationMs / 1000),
    request(sample) {
      requests.inc({ verb: sample.verb, resource: sample.resource, code: String(sample.code) })
      if (sample.throttled) throttled.inc()
    },
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  }
}

type GaugeOptions = { name: string; help: string; labelNames: string[]; registers: Registry[] }

/** A gauge that is read when it is asked for. */
function readingGauge(options: GaugeOptions, readInto: (gauge: Gauge<string>) => void): void {
  new Gauge({
    ...options,
    collect() {
      this.reset()
      readInto(this)
    },
  })
}

function setAll(gauge: Gauge<string>, label: string, values: Readonly<Record<string, number>>, factor = 1): void {
  for (const [name, value] of Object.entries(values)) gauge.set({ [label]: name }, value * factor)
}

function setFrom(gauge: Gauge<string>, readings: Readings, field: 'count' | 'earliestNotAfter' | 'overdue'): void {
  for (const [authority, values] of readings.certificates()) gauge.set({ authority }, values[field])
}
