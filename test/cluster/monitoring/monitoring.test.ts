// What the chart has for monitoring: alerts that fire when they must and not before, by promtool; and no query for a metric that there is not.

import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { provideBinaries } from '../../../scripts/control-plane/index.ts'
import { createHelm, type Helm } from '../../support/chart.ts'

const FILES = join(import.meta.dirname, '..', '..', '..', 'charts', 'mutual-identity', 'files', 'monitoring')
const CASES = 'alerts.promtool.yaml'
const alertsText = readFileSync(join(FILES, 'alerts.yaml'), 'utf8')
const { groups } = parse(alertsText) as { groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[] }
const rules = groups.flatMap((group) => group.rules)
const dashboard = JSON.parse(readFileSync(join(FILES, 'dashboard.json'), 'utf8')) as {
  panels: { title: string; gridPos: { x: number; y: number; w: number; h: number }; targets: { expr: string }[] }[]
}

let folder: string
let promtool: string

beforeAll(async () => {
  promtool = (await provideBinaries(['promtool'], () => undefined)).promtool
  folder = mkdtempSync(join(tmpdir(), 'alerts-'))
  copyFileSync(join(FILES, 'alerts.yaml'), join(folder, 'alerts.yaml'))
  copyFileSync(join(import.meta.dirname, CASES), join(folder, CASES))
})

afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true })
})

const run = (...args: string[]) => promisify(execFile)(promtool, args, { cwd: folder })

describe('the alerts', () => {
  it('are rules that Prometheus takes', async () => {
    expect((await run('check', 'rules', '--lint-fatal', 'alerts.yaml')).stdout).toContain(`SUCCESS: ${rules.length} rules found`)
  })

  it('fire when they must, and not before', async () => {
    expect((await run('test', 'rules', CASES)).stdout).toContain('SUCCESS')
  })

  it('are each shown to fire', () => {
    const { tests } = parse(readFileSync(join(import.meta.dirname, CASES), 'utf8')) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts: object[] }[] }[]
    }
    const fired = new Set(
      tests.flatMap((test) => test.alert_rule_test.filter(({ exp_alerts }) => exp_alerts.length > 0).map(({ alertname }) => alertname)),
    )
    expect([...fired].sort()).toEqual(rules.map(({ alert }) => alert).sort())
  })

  it('say what to do', () => {
    for (const { annotations } of rules)
      expect(annotations).toEqual({ summary: expect.any(String), description: expect.stringMatching(/.{40}/) })
  })
})

const METRICS = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'metrics.md'), 'utf8')
const known = new Set(
  [...METRICS.matchAll(/^\| `(mutual_identity_\w+)` \| (\w+) /gm)].flatMap(([, name = '', type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
  ),
)
const metricsIn = (expression: string): string[] => expression.match(/mutual_identity_\w+/g) ?? []

it('no query asks for a metric that is not documented', () => {
  const expressions = [...rules.map(({ expr }) => expr), ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))]
  expect(expressions.length).toBeGreaterThan(15)
  expect(expressions.flatMap(metricsIn).filter((metric) => !known.has(metric))).toEqual([])
})

describe('the dashboard', () => {
  it('is of queries that Prometheus can read', async () => {
    for (const { targets } of dashboard.panels)
      for (const { expr } of targets) await run('promql', '--experimental', 'format', expr.replaceAll('$__rate_interval', '5m'))
  }, 60_000)

  it('has no panel on top of another one', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(dashboard.panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([])
  })
})

describe('the chart', () => {
  let helm: Helm
  beforeAll(async () => {
    helm = await createHelm()
  })
  afterAll(() => helm?.close())
  const KINDS = ['ServiceMonitor', 'PrometheusRule']
  const everything = {
    monitoring: {
      serviceMonitor: { enabled: true, labels: { release: 'prometheus' }, interval: '15s' },
      prometheusRule: { enabled: true, labels: { release: 'prometheus' } },
      dashboard: { enabled: true },
    },
  }

  it('has none of it unless asked: the kinds may not be there', async () => {
    const objects = await helm.template()
    expect(objects.filter(({ kind, metadata }) => KINDS.includes(kind ?? '') || metadata.name.endsWith('-dashboard'))).toEqual([])
  })

  it('gives the alerts and the dashboard as they are, and where the metrics are', async () => {
    const objects = await helm.template(everything)
    const the = (kind: string, name = 'mutual-identity') => objects.find((object) => object.kind === kind && object.metadata.name === name)
    expect(the('PrometheusRule')).toMatchObject({ spec: parse(alertsText), metadata: { labels: { release: 'prometheus' } } })
    expect(the('ServiceMonitor')).toMatchObject({
      spec: { endpoints: [{ port: 'metrics', path: '/metrics', interval: '15s' }] },
      metadata: { labels: { release: 'prometheus' } },
    })
    const { data } = the('ConfigMap', 'mutual-identity-dashboard') as unknown as { data: Record<string, string> }
    expect(JSON.parse(data['mutual-identity.json'] ?? '')).toEqual(dashboard)
    const { spec, metadata } = the('Service', 'mutual-identity-metrics') as unknown as {
      spec: { ports: { name: string }[] }
      metadata: { labels: object }
    }
    expect(spec.ports.map(({ name }) => name)).toEqual(['metrics'])
    const { spec: monitor } = the('ServiceMonitor') as unknown as { spec: { selector: { matchLabels: object } } }
    expect(metadata.labels).toMatchObject(monitor.selector.matchLabels)
  })
})
