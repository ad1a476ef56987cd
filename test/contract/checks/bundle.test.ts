// Shows that the bundle runs without any package beside it, is the same bytes wherever it is made, and says what is missing.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, jest, test } from '@jest/globals'
import { checkedTree } from '../../support/checked-tree.ts'

// Whole tools are started here, on a machine that may be busy.
jest.setTimeout(60_000)

/** CommonJS packages that call `require`, and the library that refuses to load unless reflection metadata was there first. */
const ENTRIES = {
  'src/main.ts':
    "import 'reflect-metadata'\nimport { X509CertificateGenerator } from '@peculiar/x509'\nimport { pino } from 'pino'\nimport { Agent } from 'undici'\nconsole.log(typeof X509CertificateGenerator, typeof pino, typeof Agent)\n",
  'src/cli/main.ts': "console.log('hello')\n",
}

async function bundled(): Promise<Buffer> {
  using tree = checkedTree(ENTRIES)
  const verdict = await tree.run('scripts/bundle.ts')
  expect(verdict).toMatchObject({ code: 0 })
  return readFileSync(join(tree.root, 'dist', 'operator', 'operator.mjs'))
}

test('the bundle runs alone', async () => {
  using tree = checkedTree(ENTRIES)
  await tree.run('scripts/bundle.ts')
  const elsewhere = mkdtempSync(join(tmpdir(), 'bundle-'))
  try {
    cpSync(join(tree.root, 'dist', 'operator'), elsewhere, { recursive: true })
    const said = execFileSync(process.execPath, [join(elsewhere, 'operator.mjs')], { encoding: 'utf8' })
    expect(said).toBe('function function function\n')
  } finally {
    rmSync(elsewhere, { recursive: true, force: true })
  }
})

test('the same input makes the same bytes in another folder', async () => {
  expect((await bundled()).equals(await bundled())).toBe(true)
})

test('a missing entry is named', async () => {
  using tree = checkedTree({ 'src/main.ts': '' })
  expect(await tree.run('scripts/bundle.ts')).toMatchObject({ code: 1, output: 'There is no src/cli/main.ts to bundle.\n' })
})
