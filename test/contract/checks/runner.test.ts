// Shows that `npm test` tells the truth in its last line and its exit code: failures, files that do not load, setups that fail, nothing run.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, jest, test } from '@jest/globals'
import { checkedTree } from '../../support/checked-tree.ts'

// Whole tools are started here, on a machine that may be busy.
jest.setTimeout(60_000)

const support = (name: string): string => readFileSync(join(import.meta.dirname, '..', '..', 'support', name), 'utf8')

const SUPPORT = Object.fromEntries(
  ['strip-types.mjs', 'cluster-setup.ts', 'cluster-timeout.ts'].map((name) => [`test/support/${name}`, support(name)]),
)

const file = (body: string): string => `import { expect, test } from '@jest/globals'\n${body}\n`
const PASSES = file("test('passes', () => expect(1 as number).toBe(1))")
const FAILS = file("test('fails', () => expect(1).toBe(2))")

/** What a run over `files` ends with. */
async function end(files: Readonly<Record<string, string>>, ...args: readonly string[]) {
  using tree = checkedTree({ ...SUPPORT, ...files })
  const { code, stdout } = await tree.run('scripts/test.ts', ...args)
  return { code, line: stdout.trimEnd().split('\n').at(-1) }
}

test('all levels are added up', async () => {
  const files = { 'test/unit/a.test.ts': PASSES, 'test/contract/a.test.ts': PASSES, 'test/scenario/a.test.ts': PASSES }
  expect(await end(files)).toEqual({ code: 0, line: '3 passed, 0 failed' })
})

test('a test that fails is counted, and the levels after it still run', async () => {
  const files = { 'test/unit/a.test.ts': FAILS, 'test/scenario/a.test.ts': PASSES }
  expect(await end(files)).toEqual({ code: 1, line: '1 passed, 1 failed' })
})

test('a file that does not load is a failure', async () => {
  const files = { 'test/unit/a.test.ts': PASSES, 'test/unit/b.test.ts': "import './not-there.ts'" }
  expect(await end(files)).toEqual({ code: 1, line: '1 passed, 1 failed' })
})

test('a level whose setup fails is a failure', async () => {
  // The tree has no control plane, so that the setup of the cluster level cannot be loaded.
  const files = { 'test/unit/a.test.ts': PASSES, 'test/cluster/a.test.ts': PASSES }
  expect(await end(files)).toEqual({ code: 1, line: '1 passed, 1 failed' })
})

test('a run without any test is a failure', async () => {
  expect(await end({})).toEqual({ code: 1, line: '0 passed, 0 failed' })
})

test('levels can be chosen, and other arguments go to Jest', async () => {
  const files = { 'test/unit/a.test.ts': `${PASSES}test('other', () => {})\n`, 'test/scenario/a.test.ts': FAILS }
  expect(await end(files, 'unit', '-t', 'passes')).toEqual({ code: 0, line: '1 passed, 0 failed, 1 skipped' })
})
