// A folder under the system's temporary directory that looks like this repository to the checks: the very configuration, the very
// packages, and only the code a test gives it. Used by test/contract/checks; it must not copy any code of src.

import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'

const REPOSITORY = join(import.meta.dirname, '..', '..')
const CONFIGURATION = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'biome.json',
  'knip.json',
  '.dependency-cruiser.mjs',
  'jest.config.mjs',
  'scripts/lint',
]

/** What a check said. */
export interface Verdict {
  readonly code: number
  /** Standard output, then standard error. */
  readonly output: string
  readonly stdout: string
}

export interface CheckedTree extends Disposable {
  readonly root: string
  /** Runs `npm run check -- name` in the tree. */
  check(name: string): Promise<Verdict>
  /** Runs a script of this repository in the tree. */
  run(script: string, ...args: readonly string[]): Promise<Verdict>
}

/** A tree of `files` (path to text) that is gone when it is disposed of. */
export function checkedTree(files: Readonly<Record<string, string>>): CheckedTree {
  const root = mkdtempSync(join(tmpdir(), 'checked-tree-'))
  for (const path of CONFIGURATION) cpSync(join(REPOSITORY, path), join(root, path), { recursive: true })
  symlinkSync(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const run = (script: string, ...args: readonly string[]): Promise<Verdict> =>
    new Promise((resolve) => {
      execFile(process.execPath, [join(REPOSITORY, script), ...args], { cwd: root, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr, stdout }),
      )
    })
  return {
    root,
    run,
    check: (name) => run('scripts/check.ts', name),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}
