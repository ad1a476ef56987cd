// What the chart renders for which values, by a real Helm and without a cluster: rights, kinds, flags, and that wrong values are refused.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse, parseAllDocuments } from 'yaml'
import { chartValues } from '../../../scripts/generate/chart-values.ts'
import { PROJECT_FOLDER, readManifests } from '../../../scripts/install/manifests.ts'
import { type RightsOption, rbacObjects } from '../../../src/api/rights.ts'
import { parseConfig } from '../../../src/config.ts'
import type { RawObject } from '../../../src/k8s/resource.ts'
import { CHART, containerOf, createHelm, flagsOf, type Helm, type Manifest, the, type Values } from '../../support/chart.ts'

const ACCOUNT = { namespace: 'mutual-identity-system', serviceAccount: 'mutual-identity' }

let helm: Helm
let standard: readonly Manifest[]

beforeAll(async () => {
  helm = await createHelm()
  standard = await helm.template()
})

afterAll(() => helm?.close())

const withoutLabels = ({ metadata: { labels: _labels, ...metadata }, ...object }: Manifest): object => ({ ...object, metadata })
const isRight = ({ kind, metadata }: RawObject): boolean =>
  /^(Cluster)?Role(Binding)?$/.test(String(kind)) && !/-(view|edit|admin)$/.test(metadata.name)
/** Helm sorts by kind, so the order says nothing. */
const sorted = (objects: readonly object[]): string[] => objects.map((object) => JSON.stringify(canonical(object))).sort()

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, canonical(entry)]),
  )
}

describe('the rights of the operator', () => {
  const watchNamespaces = ['bank', 'shop']
  const options: readonly RightsOption[] = ['restart']
  it.each<[string, Values, Partial<Parameters<typeof rbacObjects>[0]>]>([
    ['for the whole cluster', {}, {}],
    ['with restarts', { restartWorkloads: true }, { options }],
    ['in some namespaces', { watchNamespaces }, { watchNamespaces }],
    ['in some namespaces with restarts', { watchNamespaces, restartWorkloads: true }, { watchNamespaces, options }],
  ])('%s are those of src/api/rights.ts, and no others', async (_what, values, installation) => {
    const rendered = (await helm.template(values)).filter(isRight).map(withoutLabels)
    expect(sorted(rendered)).toEqual(sorted(rbacObjects({ ...ACCOUNT, ...installation })))
  })

  it('are for the account of whatever namespace the release is in', async () => {
    const rendered = (await helm.template({}, 'elsewhere')).filter(isRight).map(withoutLabels)
    expect(sorted(rendered)).toEqual(sorted(rbacObjects({ ...ACCOUNT, namespace: 'elsewhere' })))
  })

  it('are not given in the operator’s own namespace by watching it', async () => {
    await expect(helm.template({ watchNamespaces: ['shop', 'own'] }, 'own')).rejects.toThrow(/watchNamespaces "own".*CA keys/)
  })
})

describe('the kinds', () => {
  it('are those of crds/, and stay when the release is uninstalled', () => {
    const definitions = standard.filter(({ kind }) => kind === 'CustomResourceDefinition')
    for (const { metadata } of definitions) expect(metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' })
    const bare = definitions.map(({ metadata: { annotations: _annotations, ...metadata }, ...object }) => ({ ...object, metadata }))
    expect(sorted(bare)).toEqual(sorted(readManifests(join(PROJECT_FOLDER, 'crds'))))
  })

  it('are left out where somebody else installs them', async () => {
    const objects = await helm.template({ crds: { enabled: false } })
    expect(objects.filter(({ kind }) => kind === 'CustomResourceDefinition')).toEqual([])
  })
})

describe('the flags', () => {
  const configFor = (objects: readonly Manifest[]) => {
    const parsed = parseConfig(containerOf(objects)['args'], { POD_NAMESPACE: 'mutual-identity-system', POD_NAME: 'a' }, false)
    if (parsed.kind !== 'run') throw new Error(parsed.text)
    return parsed.config
  }

  it('of the values as they stand are the defaults of the operator', () => {
    const parsed = parseConfig([], { POD_NAMESPACE: 'mutual-identity-system', POD_NAME: 'a' }, false)
    expect(parsed).toMatchObject({ kind: 'run', config: configFor(standard) })
  })

  it('say what the values say', async () => {
    const objects = await helm.template({
      trustDomain: 'example.org',
      clusterDomain: 'corp.internal',
      defaultAuthority: false,
      watchNamespaces: ['shop', 'bank'],
      namespacedTrustDomains: { shop: ['shop.example.org', 'shop.example.com'], bank: ['bank.example.org'] },
      restartWorkloads: true,
      log: { level: 'debug', format: 'text' },
      concurrency: 7,
      connections: 8,
      resyncMinutes: 9,
      metrics: { host: '[::]', port: 9090 },
    })
    expect(configFor(objects)).toMatchObject({
      trustDomain: 'example.org',
      clusterDomain: 'corp.internal',
      defaultAuthority: false,
      watchNamespaces: ['bank', 'shop'],
      namespacedTrustDomains: { shop: ['shop.example.org', 'shop.example.com'], bank: ['bank.example.org'] },
      restartWorkloads: true,
      logLevel: 'debug',
      logFormat: 'text',
      concurrency: 7,
      connections: 8,
      resyncMinutes: 9,
      httpAddress: '::',
      httpPort: 9090,
    })
    expect(the('Service', objects)['spec'].ports[0].port).toBe(9090)
  })

  it('name the operator’s namespace by the pod’s own', () => {
    expect(flagsOf(standard)).not.toHaveProperty('namespace')
    expect(containerOf(standard)['env'][0]).toEqual({
      name: 'POD_NAMESPACE',
      valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } },
    })
  })
})

describe('the image', () => {
  const digest = `sha256:${'0'.repeat(64)}`
  it.each<[string, object, string]>([
    ['is that of the chart’s appVersion', {}, 'ghcr.io/mutual-identity/mutual-identity:0.1.0'],
    ['may have another tag', { tag: '1.2.3' }, 'ghcr.io/mutual-identity/mutual-identity:1.2.3'],
    ['may come from a mirror', { repository: 'mirror.test:5000/mi' }, 'mirror.test:5000/mi:0.1.0'],
    ['may be pinned', { digest }, `ghcr.io/mutual-identity/mutual-identity:0.1.0@${digest}`],
  ])('%s', async (_what, image, expected) => {
    expect(containerOf(await helm.template({ image }))['image']).toBe(expected)
  })
})

it('labels of people’s own come beside those of the chart, which stay as they are', async () => {
  const own = the('Deployment', standard)['spec'].template.metadata.labels as Record<string, string>
  const theirs = Object.fromEntries(Object.keys(own).map((key) => [key, 'theirs']))
  const labels = { ...theirs, team: 'a' }
  const watched = { enabled: true, labels }
  const monitoring = { serviceMonitor: watched, prometheusRule: watched, dashboard: watched }
  const objects = await helm.template({ podLabels: labels, monitoring })
  expect(the('Deployment', objects)['spec'].template.metadata.labels).toEqual({ ...own, team: 'a' })
  for (const kind of ['ServiceMonitor', 'PrometheusRule']) expect(the(kind, objects).metadata.labels).toEqual({ ...own, team: 'a' })
  expect(the('ConfigMap', objects).metadata.labels).toMatchObject({ ...own, team: 'a' })
})

it.each(['123', '1e3', 'true'])('names that YAML reads as something else stay texts: %s', async (name) => {
  const text = await helm.run(['template', name, CHART, '--namespace', name], {
    watchNamespaces: [`${name}0`, '0'],
    restartWorkloads: true,
  })
  const objects = parseAllDocuments(text).flatMap((document) => (document.toJS() as Manifest | null) ?? [])
  const names = objects.flatMap(({ metadata, subjects = [] }) => [
    metadata.namespace,
    metadata.labels?.['app.kubernetes.io/instance'],
    ...(subjects as { namespace: unknown }[]).map(({ namespace }) => namespace),
  ])
  expect(names).toContain(name)
  expect(names.filter((found) => found !== undefined && typeof found !== 'string')).toEqual([])
})

it.each([
  ['policies', { ownAccount: { enabled: false }, identities: { enabled: false }, restarts: { enabled: false } }, /^ValidatingAdmission/],
  ['networkPolicy', { enabled: false }, /^NetworkPolicy$/],
  ['podDisruptionBudget', { enabled: false }, /^PodDisruptionBudget$/],
])('%s can be turned off', async (value, off, kind) => {
  expect(standard.filter((object) => kind.test(String(object.kind)))).not.toEqual([])
  expect((await helm.template({ [value]: off })).filter((object) => kind.test(String(object.kind)))).toEqual([])
})

it('the chart is of the version of the operator', () => {
  const read = (file: string) => parse(readFileSync(file, 'utf8'))
  const { version } = read(join(PROJECT_FOLDER, 'package.json'))
  expect(read(join(CHART, 'Chart.yaml'))).toMatchObject({ version, appVersion: version })
})

it('helm lint --strict has nothing to say', async () => {
  await expect(helm.run(['lint', '--strict', CHART])).resolves.toMatch(/0 chart\(s\) failed/)
})

describe('values', () => {
  const text = readFileSync(join(CHART, 'values.yaml'), 'utf8')

  it.each(chartValues(text).map(({ path }) => path))('%s is known to the schema', async (path) => {
    expect(schemaAt(path)).toBeDefined()
  })

  it('are all that the schema knows', () => {
    expect(leavesOfSchema().filter((path) => !within(path, parse(text)))).toEqual([])
  })

  it('are closed at every level: a misspelt name is never ignored', () => {
    const open = Object.entries(objectsOf(schema)).filter(
      ([, node]) => node.properties !== undefined && node.additionalProperties !== false,
    )
    expect(open.map(([path]) => path)).toEqual([])
  })

  it.each<[string, Values, RegExp]>([
    ['a misspelt name', { trustDomian: 'example.org' }, /trustDomian/],
    ['a misspelt name below', { policies: { identity: { enabled: true } } }, /identity/],
    ['a misspelt name at the bottom', { monitoring: { serviceMonitor: { enable: true } } }, /enable/],
    ['a word where true or false is meant', { restartWorkloads: 'yes' }, /restartWorkloads/],
    ['a number out of range', { concurrency: 257 }, /concurrency/],
    ['a log level that does not exist', { log: { level: 'trace' } }, /level/],
    ['a trust domain with a scheme', { trustDomain: 'spiffe://example.org' }, /trustDomain/],
    ['a trust domain in upper case', { trustDomain: 'Example.org' }, /trustDomain/],
    ['a name that is no namespace', { watchNamespaces: ['shop,bank'] }, /watchNamespaces/],
    ['a digest that is none', { image: { digest: 'sha256:1' } }, /digest/],
    ['a privileged port', { metrics: { port: 80 } }, /port/],
    ['labels that are no texts', { podLabels: { on: true } }, /podLabels/],
    ['an address that goes on with flags of its own', { metrics: { host: '0.0.0.0\n            - --evil=1' } }, /host/],
    ['a priority class that goes on with fields of its own', { priorityClassName: 'x\n      hostNetwork: true' }, /priorityClassName/],
    [
      'a tag within the repository',
      { image: { repository: 'registry.test:5000/mi:1.0' } },
      /image\.repository "registry\.test:5000\/mi:1\.0".*set it to registry\.test:5000\/mi, put the tag into image\.tag/,
    ],
    [
      'a digest within the repository',
      { image: { repository: `mi:1.0@sha256:${'a'.repeat(64)}` } },
      /set it to mi, .*the digest into image\.digest/,
    ],
    ['a repository that is none', { image: { repository: 'Registry/MI' } }, /repository/],
    ['a prefix longer than an address', { networkPolicy: { apiServerCIDRs: ['10.0.0.1/99'] } }, /apiServerCIDRs/],
    ['a prefix longer than an IPv6 address', { networkPolicy: { apiServerCIDRs: ['fd00::1/129'] } }, /apiServerCIDRs/],
    ['an address that is none', { networkPolicy: { apiServerCIDRs: ['10.0.0.256/32'] } }, /apiServerCIDRs/],
    ['a peer that is no address range', { networkPolicy: { metricsFrom: [{ ipBlock: { cidr: '10.0.0.1' } }] } }, /cidr/],
    ['a quantity of an unknown unit', { resources: { limits: { memory: '10x' } } }, /memory/],
    // Without a label the selector is every namespace's.
    ['a DNS of every namespace', { networkPolicy: { dnsNamespaceLabels: { 'kubernetes.io/metadata.name': null } } }, /dnsNamespaceLabels/],
    ['a toleration with a misspelt field', { tolerations: [{ kay: 'a' }] }, /kay/],
  ])('%s is refused', async (_what, values, said) => {
    await expect(helm.template(values)).rejects.toThrow(said)
  })

  const paths = new Set(chartValues(text).flatMap(({ path }) => path.split('.').map((_, i, keys) => keys.slice(0, i + 1).join('.'))))
  /** No request and no limit is something to want, and only null takes a default away. */
  const optional = /^resources\./
  it.each([...paths].filter((path) => !optional.test(path)))('%s set to null is refused', async (path) => {
    const values = path.split('.').reduceRight<unknown>((below, key) => ({ [key]: below }), null) as Values
    await expect(helm.template(values)).rejects.toThrow(`missing property '${path.split('.').at(-1)}'`)
  })

  it.each<[string, Values]>([
    ['no limit of CPU', { resources: { limits: { cpu: null } } }],
    ['quantities of each notation', { resources: { limits: { cpu: 1.5, memory: '1e9' }, requests: { cpu: '100m', memory: '.5Gi' } } }],
    [
      'address ranges',
      { networkPolicy: { apiServerCIDRs: ['10.0.0.1/32', '0.0.0.0/0', 'fd00::/8', '::ffff:10.0.0.1/128', '192.168.255.0/24'] } },
    ],
    ['a registry at an IPv6 address', { image: { repository: '[fd00::1]:5000/a/b_c.d' } }],
  ])('%s are taken', async (_what, values) => {
    await expect(helm.template(values)).resolves.not.toEqual([])
  })
})

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: unknown
  readonly $ref?: string
}
const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as Schema & { $defs: Record<string, Schema> }
const resolve = (node: Schema | undefined): Schema | undefined =>
  node?.$ref === undefined ? node : schema.$defs[node.$ref.replace('#/$defs/', '')]

function schemaAt(path: string): Schema | undefined {
  return path.split('.').reduce<Schema | undefined>((node, key) => resolve(node)?.properties?.[key], schema)
}

function leavesOfSchema(node: Schema = schema, path = ''): string[] {
  const properties = Object.entries(resolve(node)?.properties ?? {})
  if (properties.length === 0) return [path]
  return properties.flatMap(([key, value]) => leavesOfSchema(value, path === '' ? key : `${path}.${key}`))
}

/** Every node of the schema, by where it is. */
function objectsOf(node: unknown, path = '#'): Record<string, Schema> {
  if (typeof node !== 'object' || node === null) return {}
  const below = Object.entries(node).map(([key, value]) => objectsOf(value, `${path}/${key}`))
  return Object.assign({ [path]: node as Schema }, ...below)
}

/** What is below an empty map of the values (affinity), or is Helm's own (global), has no default. */
function within(path: string, values: Values): boolean {
  if (path === 'global') return true
  let node: unknown = values
  for (const key of path.split('.')) {
    if (typeof node === 'object' && node !== null && Object.keys(node).length === 0) return true
    if (typeof node !== 'object' || node === null || !(key in node)) return false
    node = (node as Record<string, unknown>)[key]
  }
  return true
}
