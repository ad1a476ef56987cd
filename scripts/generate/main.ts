// npm run generate: writes what follows from src/api. With --check it writes nothing, names what is stale and exits 1.
// What is written, and how, stands in files.ts.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import process from 'node:process'
import { generatedFiles } from './files.ts'

const root = join(import.meta.dirname, '..', '..')

function presentText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function main(flags: readonly string[]): number {
  const unknown = flags.filter((flag) => flag !== '--check')
  if (unknown.length > 0) {
    process.stderr.write(`unknown argument ${unknown.join(' ')}: only --check is known\n`)
    return 2
  }
  const stale = generatedFiles().filter(({ path, text }) => presentText(join(root, path)) !== text)
  if (flags.includes('--check')) {
    for (const { path } of stale) process.stderr.write(`${path} is stale: run npm run generate\n`)
    return stale.length === 0 ? 0 : 1
  }
  for (const { path, text } of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
    process.stdout.write(`wrote ${relative(process.cwd(), join(root, path))}\n`)
  }
  if (stale.length === 0) process.stdout.write('all generated files are fresh\n')
  return 0
}

process.exitCode = main(process.argv.slice(2))
