// Shows that the checks of types and of unused code fail on a violation, and that a layer check which sees no modules is not believed.

import { expect, jest, test } from '@jest/globals'
import { checkedTree } from '../../support/checked-tree.ts'

// Whole tools are started here, on a machine that may be busy.
jest.setTimeout(60_000)

const SOUND = {
  'src/main.ts': "import { half } from './base/half.ts'\n\nhalf(2)\n",
  'src/base/half.ts': 'export function half(of: number): number {\n  return of / 2\n}\n',
}

test('types: each kind of mistake is named and makes the check fail', async () => {
  const mistakes = {
    TS2345: "import { half } from './base/half.ts'\n\nhalf('2')\n",
    TS6133: 'const idle = 1\n',
    TS2532: 'const list = [1]\nlist[0].toFixed()\n',
    TS1294: 'enum Colour {\n  Red,\n}\nColour.Red.toFixed()\n',
    TS2307: "export * from './not-there.ts'\n",
  }
  const broken = Object.entries(mistakes).map(([code, text]) => [`src/${code.toLowerCase()}.ts`, text])
  using tree = checkedTree({ ...SOUND, ...Object.fromEntries(broken) })
  const verdict = await tree.check('types')
  const named = [...verdict.output.matchAll(/^src\/(ts\d+)\.ts\(.*error (TS\d+)/gm)].filter(
    ([, file, code]) => file === code?.toLowerCase(),
  )
  expect(named.map(([, , code]) => code).sort()).toEqual(Object.keys(mistakes).sort())
  expect(verdict.code).toBe(1)
})

test('types: sound code passes', async () => {
  using tree = checkedTree(SOUND)
  expect(await tree.check('types')).toMatchObject({ code: 0 })
})

test('unused: a file nobody imports and an export nobody uses make the check fail', async () => {
  using tree = checkedTree({
    ...SOUND,
    'src/base/forgotten.ts': 'export const forgotten = 1\n',
    'src/base/half.ts': `${SOUND['src/base/half.ts']}export const spare = 1\n`,
  })
  const verdict = await tree.check('unused')
  expect(verdict.output).toMatch(/^src\/base\/forgotten\.ts/m)
  expect(verdict.output).toMatch(/^spare +src\/base\/half\.ts/m)
  expect(verdict.output).not.toContain('src/main.ts')
  expect(verdict.code).toBe(1)
})

test('unused: code that is all used passes', async () => {
  using tree = checkedTree({ ...SOUND, 'package.json': '{ "name": "sound", "type": "module" }', 'jest.config.mjs': 'export default {}' })
  expect(await tree.check('unused')).toMatchObject({ code: 0 })
})

test('layers: a tool that looks at no module is not believed, whatever its exit code', async () => {
  // Told to leave out all code, as if it could not read it, the tool ends with 0 and "no dependency violations found".
  using tree = checkedTree({
    ...SOUND,
    '.dependency-cruiser.mjs': "export default { forbidden: [], options: { exclude: '^src' } }\n",
  })
  const verdict = await tree.check('layers')
  expect(verdict.output).toContain('Only 0 modules were looked at, but there are 2 files.')
  expect(verdict.code).toBe(1)
})

test('generated: a missing generator makes the check fail', async () => {
  using tree = checkedTree(SOUND)
  expect(await tree.check('generated')).toMatchObject({ code: 1 })
})

test('a check that does not exist is refused, so that a typing error does not pass', async () => {
  using tree = checkedTree(SOUND)
  const verdict = await tree.check('tpyes')
  expect(verdict.output).toContain('There is no check tpyes')
  expect(verdict.code).toBe(2)
})
