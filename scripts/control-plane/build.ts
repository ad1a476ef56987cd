// Builds one part from its Go module, telling how far it is. Used by binaries.ts, which holds the lock meanwhile.
// Must not leave half an executable under the final name, nor depend on the user's Go flags.
import { spawn } from 'node:child_process'
import { createWriteStream, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { buildLog, cachedBinary, moduleDirectory } from './cache.ts'
import { ControlPlaneFailure } from './failure.ts'
import { goEnvironment } from './go.ts'
import { type Part, type PartSource, partSources } from './parts.ts'

export interface BuildOrder {
  readonly part: Part
  readonly cache: string
  /** seconds, as measured on 2 cores */
  readonly expected: number
  say(line: string): void
}

const tellEvery = 15_000 // ms
const shownLines = 20

/** Returns the path of the executable. */
export async function buildPart({ part, cache, expected, say }: BuildOrder): Promise<string> {
  const binary = cachedBinary(part, cache)
  const log = buildLog(part, cache)
  mkdirSync(dirname(binary), { recursive: true, mode: 0o700 })
  mkdirSync(dirname(log), { recursive: true, mode: 0o700 })
  removeUnfinished(binary)

  const begin = performance.now()
  const elapsed = () => formatSeconds((performance.now() - begin) / 1000)
  const { version } = partSources[part]
  say(
    `building ${part} ${version}: about ${formatSeconds(expected)} on 2 cores (here: ${availableParallelism()}), less where Go has some of it`,
  )
  const progress = { compiled: 0, downloaded: 0 }
  const ticker = setInterval(() => say(`building ${part}: ${elapsed()}, ${describe(progress)}`), tellEvery)
  const unfinished = `${binary}.${process.pid}.unfinished`
  try {
    const { status, lastLines } = await runGo({ part, output: unfinished, log, progress })
    if (status !== 0) {
      const words = lastLines.map((line) => `    ${line}`).join('\n')
      throw new ControlPlaneFailure(`building ${part} failed (go build: ${status}). Its last words (all: ${log}):\n${words}`)
    }
    renameSync(unfinished, binary)
  } finally {
    clearInterval(ticker)
  }
  say(`built ${part} ${version} in ${elapsed()}, ${describe(progress)}`)
  return binary
}

interface Progress {
  compiled: number
  downloaded: number
}

interface GoRun {
  readonly part: Part
  readonly output: string
  readonly log: string
  readonly progress: Progress
}

interface GoResult {
  /** exit status, or the signal that ended it */
  readonly status: number | string
  readonly lastLines: readonly string[]
}

function runGo({ part, output, log, progress }: GoRun): Promise<GoResult> {
  const { goPackage, linkerFlags, tags = '' }: PartSource = partSources[part]
  // -v names each package as it is compiled; -buildvcs=false because the work tree's commit says nothing about what is built
  const flags = ['-v', '-mod=readonly', '-buildvcs=false', '-trimpath', '-tags', tags, '-ldflags', linkerFlags]
  const go = spawn('go', ['build', ...flags, '-o', output, goPackage], {
    cwd: moduleDirectory(part),
    env: goEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const file = createWriteStream(log)
  const lastLines: string[] = []
  createInterface({ input: go.stderr }).on('line', (line) => {
    file.write(`${line}\n`)
    if (line.startsWith('go: downloading ')) progress.downloaded++
    else if (isPackage(line)) progress.compiled++
    else if (lastLines.push(line) > shownLines) lastLines.shift()
  })
  return new Promise((resolve, reject) => {
    file.once('error', reject)
    go.once('error', reject)
    // 'close' comes after the last line
    go.once('close', (code, signal) => file.end(() => resolve({ status: code ?? signal ?? 'unknown', lastLines })))
  })
}

/** A line of `go build -v` that is the import path of a package, and no message of the compiler. */
function isPackage(line: string): boolean {
  return /^[A-Za-z0-9][\w.~/+-]*$/.test(line)
}

/** What builds left that were killed; nobody is at it, the lock is ours. */
function removeUnfinished(binary: string): void {
  for (const file of readdirSync(dirname(binary))) {
    if (file.startsWith(`${basename(binary)}.`)) rmSync(join(dirname(binary), file))
  }
}

function describe({ compiled, downloaded }: Progress): string {
  const downloads = downloaded > 0 ? `${downloaded} modules downloaded, ` : ''
  return `${downloads}${compiled} packages compiled`
}

/** `45 s`, `4:05 min` */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 100) return `${whole} s`
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} min`
}
