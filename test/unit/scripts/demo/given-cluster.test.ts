import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { announce } from '../../../../scripts/demo/given-cluster.ts'
import type { Screen } from '../../../../scripts/demo/screen.ts'
import { customResourceDefinitions } from '../../../../src/api/crd.ts'

it('every kind that the demo makes in a cluster is announced', () => {
  const said: string[] = []
  announce({ say: (text = '') => void said.push(text) } as Screen)
  const kinds = customResourceDefinitions.map(({ spec }) => spec.names.kind)
  expect(kinds).toHaveLength(readdirSync(join(import.meta.dirname, '../../../../crds')).length)
  for (const kind of kinds) expect(said.join('\n')).toMatch(new RegExp(`kinds .*\\b${kind}\\b.*unless`))
})
