// The documents point only to what is there, and to all of each other.

import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'

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
