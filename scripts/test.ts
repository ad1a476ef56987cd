// `npm test`: the levels of the suite one after the other, each announced, and at the very end one plain line with the sum of all.
// `npm test -- unit contract` runs only these levels; whatever else is given goes to Jest (`npm test -- unit -t renew`).
// It must not know any single test; what a level needs is in jest.config.mjs.

import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'

/** Levels that run together: they share Jest's workers, and what they need. */
interface Group {
  readonly levels: readonly string[]
  readonly heading: string
  readonly args: readonly string[]
}

interface Counts {
  passed: number
  failed: number
  skipped: number
}

const GROUPS: readonly Group[] = [
  { levels: ['unit', 'contract'], heading: 'need nothing but this checkout', args: ['--maxWorkers=100%'] },
  { levels: ['scenario'], heading: 'whole stories on an API server in memory, in virtual time', args: ['--maxWorkers=100%'] },
  // A control plane takes about 1 GB of memory and a core while it starts.
  {
    levels: ['cluster'],
    heading: 'real etcd, kube-apiserver and kube-controller-manager; a first run builds them, which takes minutes',
    args: ['--maxWorkers=2'],
  },
]
const LEVELS = GROUPS.flatMap(({ levels }) => levels)

/** Jest's exit code, or 1 when a signal ended it. */
function jest(levels: readonly string[], report: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [
        // Type stripping and ES modules in Jest's sandbox announce themselves as experimental once a worker.
        '--disable-warning=ExperimentalWarning',
        '--experimental-vm-modules',
        join('node_modules', 'jest', 'bin', 'jest.js'),
        '--selectProjects',
        ...levels,
        '--passWithNoTests',
        '--json',
        `--outputFile=${report}`,
        ...args,
      ],
      // With --json Jest writes the report to standard output even when it also writes the file; people read standard error.
      { stdio: ['inherit', 'ignore', 'inherit'], env: { ...process.env, NODE_ENV: 'test' } },
    )
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
}

/** What Jest counted. A file that could not be loaded has no test that failed, and counts as one. */
function read(report: string): Counts {
  const results = JSON.parse(readFileSync(report, 'utf8'))
  return {
    passed: results.numPassedTests,
    failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
    skipped: results.numPendingTests + results.numTodoTests,
  }
}

async function runGroup(group: Group, levels: readonly string[], args: readonly string[], total: Counts): Promise<void> {
  const files = globSync(levels.map((level) => `test/${level}/**/*.test.ts`)).length
  console.log(`\n== ${levels.join(' and ')}: ${files} files; ${group.heading}\n`)
  if (files === 0) return
  const folder = mkdtempSync(join(tmpdir(), 'test-report-'))
  const report = join(folder, 'report.json')
  const from = performance.now()
  try {
    const code = await jest(levels, report, [...group.args, ...args])
    const counts = read(report)
    // Jest may refuse a run for reasons that are no test (a setup that failed, say); the last line must not hide that.
    if (code !== 0 && counts.failed === 0) counts.failed = 1
    for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += counts[key]
    console.log(`\n== ${levels.join(' and ')}: ${line(counts)} in ${((performance.now() - from) / 1000).toFixed(1)} s`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const line = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`

const USAGE = `The tests: npm test [-- [LEVEL ...] [what Jest understands: a part of a file's path, -t NAME ...]]

  ${LEVELS.join(', ')}; without one of them all, which takes a quarter of an hour on two cores.
  npm run test:unit is unit and contract, a minute and a half; npm run test:scenario and npm run test:cluster are the others.`

const given = process.argv.slice(2)
if (given.includes('--help') || given.includes('-h')) {
  console.log(USAGE)
  process.exit(0)
}
const chosen = given.filter((word) => LEVELS.includes(word))
const rest = given.filter((word) => !LEVELS.includes(word))
const total: Counts = { passed: 0, failed: 0, skipped: 0 }
for (const group of GROUPS) {
  const levels = group.levels.filter((level) => chosen.length === 0 || chosen.includes(level))
  if (levels.length === 0) continue
  try {
    await runGroup(group, levels, rest, total)
  } catch (error) {
    console.error(`\n== ${levels.join(' and ')}: could not be run: ${error}`)
    total.failed++
  }
}
if (total.passed + total.failed === 0) console.log('\nNo test was run, which is a failure.')
console.log(`\n${line(total)}`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1
