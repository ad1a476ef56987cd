// The documents point only to what is there, and to all of each other; the objects in them are whole and as the schemas want them.

import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { parse, parseAllDocuments } from 'yaml'
import { customResourceDefinitions } from '../../src/api/crd.ts'
import { API_VERSION } from '../../src/api/names.ts'
import { yamlBlocks } from '../support/documents.ts'
import { fillDefaults, type JsonSchema, unknownFields, violations } from '../support/memory-api/schema.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const DOCUMENTS = globSync(['README.md', 'docs/*.md', 'examples/**/*.md', 'charts/**/*.md'], { cwd: ROOT })
const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** Relative links of a document, as paths from the root. */
function linksOf(path: string): string[] {
  const links = [...textOf(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
  return links.filter((link) => !/^(https?:|#)/.test(link)).map((link) => normalize(join(dirname(path), link.split('#', 1)[0] as string)))
}

describe.each(DOCUMENTS)('%s', (path) => {
  it('has no link that leads nowhere', () => {
    expect(linksOf(path).filter((target) => !existsSync(join(ROOT, target)))).toEqual([])
  })
})

const SCHEMAS = new Map(
  customResourceDefinitions.map(({ spec }) => [spec.names.kind, spec.versions[0]?.schema.openAPIV3Schema as JsonSchema]),
)

interface Example {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: { readonly name?: string }
}

/** What is wrong with an object in a document; the rules in CEL only a real API server applies (test/cluster/operator/examples.test.ts). */
function problemsOf(object: Example): string[] {
  const { apiVersion, kind = '', metadata } = object
  if (apiVersion === undefined || kind === '' || metadata?.name === undefined) return [`not whole: ${JSON.stringify(object)}`]
  if (apiVersion !== API_VERSION) return []
  const schema = SCHEMAS.get(kind)
  if (!schema) return [`no kind of ours: ${kind}`]
  const {
    apiVersion: _version,
    kind: _kind,
    metadata: _metadata,
    ...content
  } = structuredClone(object) as Example & Record<string, unknown>
  fillDefaults(content, schema)
  return [...unknownFields(content, schema), ...violations(content, schema, kind).map(({ message, field }) => `${field}: ${message}`)]
}

it('every object that a document shows is whole, and as its schema wants it', () => {
  const objects = yamlBlocks(ROOT).flatMap(({ path, text }) =>
    parseAllDocuments(text).map((document) => ({ path, errors: document.errors, object: document.toJS() as Example })),
  )
  expect(objects.length).toBeGreaterThan(5)
  expect(
    objects.flatMap(({ path, errors, object }) => [...errors.map(String), ...problemsOf(object)].map((problem) => [path, problem])),
  ).toEqual([])
})

it('the guide shows whole objects only', () => {
  const blocks = textOf('docs/guide.md').match(/^```yaml$/gm) ?? []
  expect(yamlBlocks(ROOT).filter(({ path }) => path === 'docs/guide.md')).toHaveLength(blocks.length)
})

it('every document is found from the README', () => {
  const seen = new Set(['README.md'])
  for (const path of seen) for (const target of linksOf(path)) if (target.endsWith('.md')) seen.add(relative(ROOT, join(ROOT, target)))
  expect(DOCUMENTS.filter((path) => path.startsWith('docs/') && !seen.has(path))).toEqual([])
})

it('the table of alerts is that of the rules', () => {
  const { groups } = parse(textOf('charts/mutual-identity/files/monitoring/alerts.yaml')) as {
    groups: { rules: { alert: string; labels: { severity: string } }[] }[]
  }
  const rows = [...textOf('docs/observability.md').matchAll(/^\| `(MutualIdentity\w+)` \| (\w+) \|/gm)].map(([, alert, severity]) => [
    alert,
    severity,
  ])
  expect(rows).toEqual(groups.flatMap(({ rules }) => rules.map(({ alert, labels }) => [alert, labels.severity])))
})
