// The Grafana dashboard of the chart, made of a table of panels. Used by files.ts; the test in test/unit/api/generated.test.ts keeps the file fresh.

type Unit = 'short' | 's' | 'reqps' | 'dateTimeFromNow' | 'bytes' | 'percentunit'

interface Panel {
  readonly title: string
  /** For the little i of the panel: what is good, what is not. */
  readonly says: string
  readonly kind: 'stat' | 'timeseries' | 'table'
  readonly unit: Unit
  /** PromQL, and the legend of its series. */
  readonly queries: readonly (readonly [expression: string, legend: string])[]
  readonly width: number
}

const p99 = (metric: string, by: string): string =>
  `histogram_quantile(0.99, sum by (le, ${by}) (rate(mutual_identity_${metric}_bucket[$__rate_interval])))`

/** In rows of 24 columns, from left to right. */
const PANELS: readonly Panel[] = [
  {
    title: 'Identities ready',
    says: 'Those that have a current certificate, of all.',
    kind: 'stat',
    unit: 'percentunit',
    queries: [
      [
        'max(sum by (pod) (mutual_identity_objects{kind="MutualIdentity",ready="true"})) / max(sum by (pod) (mutual_identity_objects{kind="MutualIdentity"}))',
        '',
      ],
    ],
    width: 6,
  },
  {
    title: 'First certificate ends',
    says: 'Renewals come at 50 to 60 % of a lifetime: this never comes near in health.',
    kind: 'stat',
    unit: 'dateTimeFromNow',
    queries: [['min(mutual_identity_earliest_expiry_timestamp_seconds) * 1000', '']],
    width: 6,
  },
  {
    title: 'Renewals overdue',
    says: '0 in health.',
    kind: 'stat',
    unit: 'short',
    queries: [['max(mutual_identity_renewals_overdue) or vector(0)', '']],
    width: 6,
  },
  {
    title: 'Replicas that lead',
    says: '1 in health; 0 for up to 20 s after a leader was lost.',
    kind: 'stat',
    unit: 'short',
    queries: [['sum(mutual_identity_leader)', '']],
    width: 6,
  },
  {
    title: 'Certificates issued',
    says: 'By reason: RenewalDue is the normal case.',
    kind: 'timeseries',
    unit: 'reqps',
    queries: [['sum by (reason) (rate(mutual_identity_certificates_issued_total[$__rate_interval]))', '{{reason}}']],
    width: 12,
  },
  {
    title: 'Steps that failed',
    says: 'By reason; docs/runbook.md has an entry for each.',
    kind: 'timeseries',
    unit: 'reqps',
    queries: [['sum by (reason) (rate(mutual_identity_steps_failed_total[$__rate_interval]))', '{{reason}}']],
    width: 12,
  },
  {
    title: 'Objects that are not ready',
    says: 'By kind and reason.',
    kind: 'table',
    unit: 'short',
    queries: [['max by (kind, reason) (mutual_identity_objects{ready="false"})', '{{kind}} {{reason}}']],
    width: 12,
  },
  {
    title: 'Authorities end',
    says: 'When the CA of each authority expires.',
    kind: 'table',
    unit: 'dateTimeFromNow',
    queries: [['min by (authority) (mutual_identity_authority_expiry_timestamp_seconds) * 1000', '{{authority}}']],
    width: 12,
  },
  {
    title: 'Time of an issuance, 99 of 100',
    says: 'From observing to the written Secret and status.',
    kind: 'timeseries',
    unit: 's',
    queries: [[p99('issuance_duration_seconds', 'authority'), '{{authority}}']],
    width: 8,
  },
  {
    title: 'Time of a pass, 99 of 100',
    says: 'By controller.',
    kind: 'timeseries',
    unit: 's',
    queries: [[p99('reconcile_duration_seconds', 'controller'), '{{controller}}']],
    width: 8,
  },
  {
    title: 'Queue',
    says: 'Keys that are ready or being worked on; 0 when nothing happens.',
    kind: 'timeseries',
    unit: 'short',
    queries: [['sum by (controller) (mutual_identity_queue_depth)', '{{controller}}']],
    width: 8,
  },
  {
    title: 'Requests to the API server',
    says: 'By code; 0 where no answer came, 429 where it asked for patience.',
    kind: 'timeseries',
    unit: 'reqps',
    queries: [['sum by (code) (rate(mutual_identity_api_requests_total[$__rate_interval]))', '{{code}}']],
    width: 8,
  },
  {
    title: 'Caches: since the last word',
    says: 'About a minute at most in health.',
    kind: 'timeseries',
    unit: 's',
    queries: [['max by (cache) (mutual_identity_cache_staleness_seconds)', '{{cache}}']],
    width: 8,
  },
  {
    title: 'Memory',
    says: 'Resident, by replica.',
    kind: 'timeseries',
    unit: 'bytes',
    queries: [['process_resident_memory_bytes and on (pod) mutual_identity_leader', '{{pod}}']],
    width: 8,
  },
]

const WIDTH = 24
const HEIGHT = { stat: 4, timeseries: 8, table: 8 } as const

/** The JSON of the dashboard (Grafana 10 and later), for import or for Grafana's sidecar. */
export function dashboard(): string {
  return `${JSON.stringify(
    {
      uid: 'mutual-identity',
      title: 'Mutual Identity',
      tags: ['kubernetes', 'certificates'],
      schemaVersion: 39,
      editable: true,
      refresh: '1m',
      time: { from: 'now-6h', to: 'now' },
      templating: {
        list: [{ name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {} }],
      },
      panels: placed(PANELS),
    },
    undefined,
    2,
  )}\n`
}

function placed(panels: readonly Panel[]): object[] {
  let [x, y, height] = [0, 0, 0]
  return panels.map((panel, index) => {
    if (x + panel.width > WIDTH) [x, y, height] = [0, y + height, 0]
    const gridPos = { x, y, w: panel.width, h: HEIGHT[panel.kind] }
    x += panel.width
    height = Math.max(height, gridPos.h)
    return { id: index + 1, gridPos, ...panelOf(panel) }
  })
}

function panelOf({ title, says, kind, unit, queries }: Panel): object {
  const datasource = { type: 'prometheus', uid: '$datasource' }
  return {
    title,
    description: says,
    type: kind,
    datasource,
    fieldConfig: { defaults: { unit, min: unit === 'dateTimeFromNow' ? undefined : 0 }, overrides: [] },
    options: kind === 'timeseries' ? { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } } : {},
    targets: queries.map(([expr, legendFormat], at) => ({
      refId: String.fromCharCode(65 + at),
      datasource,
      expr,
      legendFormat,
      ...(kind === 'table' ? { format: 'table', instant: true } : {}),
    })),
  }
}
