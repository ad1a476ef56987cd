// The objects that people are told to apply: YAML blocks of the documents that begin with apiVersion.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface YamlBlock {
  /** From the root of the checkout. */
  readonly path: string
  readonly line: number
  readonly text: string
}

/** Of README.md and docs/, in the order they stand in. */
export function yamlBlocks(root: string): YamlBlock[] {
  return globSync(['README.md', 'docs/*.md'], { cwd: root })
    .sort()
    .flatMap((path) => {
      const document = readFileSync(join(root, path), 'utf8')
      return [...document.matchAll(/^```yaml\n(apiVersion:.*?)^```$/gms)].map(({ 1: text = '', index }) => ({
        path,
        line: document.slice(0, index).split('\n').length + 1,
        text,
      }))
    })
}
