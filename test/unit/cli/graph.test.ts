import { describe, expect, it } from '@jest/globals'
import { dotText } from '../../../src/cli/graph/dot.ts'
import type { Graph } from '../../../src/cli/graph/model.ts'
import { svgText } from '../../../src/cli/graph/svg.ts'
import { treeText } from '../../../src/cli/graph/tree.ts'
import { plain } from '../../../src/cli/output/colour.ts'

const hostile: Graph = {
  authorities: [{ key: 'a', text: 'A "<&\x1b[2J', trustDomain: '"];evil', state: 'ready', anchors: [] }],
  identities: [
    {
      key: 'shop/x',
      spiffeID: '</text><script>\\"',
      state: 'waiting',
      signedBy: 'a',
      accepts: [{ authority: 'a', why: 'own' }],
      switching: undefined,
      secretName: 's',
      holds: 'unknown',
    },
  ],
}

describe('hostile texts', () => {
  it('stay within the quotes of dot', () => {
    const text = dotText(hostile)
    expect(text).toContain('label="trust domain \\"];evil"')
    expect(text).toContain('</text><script>\\\\\\"')
    expect(text).not.toContain('\x1b')
  })
  it('stay text in SVG', () => {
    const text = svgText(hostile)
    expect(text).toContain('&lt;/text&gt;&lt;script&gt;')
    for (const one of ['<script', '\x1b']) expect(text).not.toContain(one)
  })
  it('drive no terminal', () => expect(treeText(hostile, plain)).not.toContain('\x1b'))
})

it('nothing at all is drawn as nothing', () => {
  const empty = { authorities: [], identities: [] }
  expect(treeText(empty, plain)).toBe('There are no authorities and no identities.\n')
  expect(svgText(empty)).not.toMatch(/Infinity|NaN/)
})
