// `npm run check`: everything a machine can say about the code without running it, side by side, a line a check with its time, and
// the output of those that failed. `npm run check -- types lint` runs only these. Used by people, by CI and by the test of the checks.
// It must not change a file (`npm run fix` does that) and must not need anything but what `npm ci` brought.

import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'

interface Check {
  readonly title: string
  readonly command: readonly string[]
  /** What is wrong with the output of a run that ended well; undefined when nothing is. */
  readonly distrust?: (output: string) => string | undefined
}

interface Result {
  readonly ok: boolean
  readonly output: string
}

const bin = (name: string): string => join('node_modules', '.bin', name)

/** The folders that hold code; a folder may be missing in a checkout that is only a part. */
const FOLDERS = globSync(['src', 'scripts', 'test'])

/** Slowest first, so that the others fit beside it. */
const CHECKS: Readonly<Record<string, Check>> = {
  types: { title: 'types (tsc)', command: [bin('tsc'), '-p', '.', '--pretty', 'false'] },
  layers: {
    title: 'layers (dependency-cruiser)',
    command: [bin('depcruise'), '--config', '.dependency-cruiser.mjs', ...FOLDERS],
    distrust: countModules,
  },
  unused: { title: 'unused code (knip)', command: [bin('knip'), '--no-config-hints'] },
  lint: {
    title: 'format and lint (biome)',
    command: [bin('biome'), 'check', '--error-on-warnings', '--diagnostic-level=warn', '--max-diagnostics=none', '.'],
  },
  generated: { title: 'generated files', command: ['scripts/generate/main.ts', '--check'] },
}

/** dependency-cruiser without a TypeScript that it likes says "0 modules" and exits with 0, so the modules are counted. */
function countModules(output: string): string | undefined {
  const seen = Number(/\((\d+) modules,/.exec(output)?.[1] ?? 0)
  const expected = globSync('{src,scripts,test}/**/*.ts').length
  return seen < expected ? `Only ${seen} modules were looked at, but there are ${expected} files.` : undefined
}

function run(command: readonly string[]): Promise<Result> {
  return new Promise((resolve) => {
    // Every tool is a script; each is run by the Node that runs this file, whatever `node` is on the PATH.
    const child = spawn(process.execPath, command, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
    })
    let output = ''
    const collect = (chunk: string): void => {
      output += chunk
    }
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    child.on('error', (error) => resolve({ ok: false, output: String(error) }))
    child.on('close', (code) => resolve({ ok: code === 0, output }))
  })
}

async function perform(check: Check): Promise<boolean> {
  const from = performance.now()
  const { ok, output } = await run(check.command)
  const complaint = ok ? check.distrust?.(output) : undefined
  const good = ok && complaint === undefined
  const time = `${((performance.now() - from) / 1000).toFixed(1)} s`
  console.log(`${good ? 'ok    ' : 'FAILED'}  ${check.title.padEnd(28)} ${time.padStart(6)}`)
  if (!good) console.log(`\n${[output.trim(), complaint].filter(Boolean).join('\n')}\n`)
  return good
}

/** Runs `checks` as many at a time as there are cores. */
async function performAll(checks: readonly Check[]): Promise<number> {
  const waiting = [...checks]
  let failed = 0
  const lane = async (): Promise<void> => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) if (!(await perform(check))) failed++
  }
  await Promise.all(Array.from({ length: Math.min(checks.length, availableParallelism()) }, lane))
  return failed
}

const names = process.argv.slice(2)
const unknown = names.filter((name) => !(name in CHECKS))
if (unknown.length > 0) {
  console.error(`There is no check ${unknown.join(', ')}; there are ${Object.keys(CHECKS).join(', ')}.`)
  process.exit(2)
}
const chosen = Object.entries(CHECKS).filter(([name]) => names.length === 0 || names.includes(name))
const failed = await performAll(chosen.map(([, check]) => check))
if (failed > 0)
  console.log(
    `${failed} of ${chosen.length} checks failed.${names.includes('lint') || names.length === 0 ? ' Formatting is put right by `npm run fix`.' : ''}`,
  )
process.exitCode = failed > 0 ? 1 : 0
