// An operator that is measured from outside: its processes, by name, and the one that the comparison started itself. Used by compare.ts.
// Knows nothing of what it runs; ends by pid what it started and nothing else.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Started {
  readonly pid: number
  /** All that it prints. */
  readonly logFile: string
  /** Rejects when it ends by itself; never resolves. */
  readonly gone: Promise<never>
  /** SIGTERM, and SIGKILL after 10 s; resolves when it is gone. */
  stop(): Promise<void>
}

const STOP_WITHIN_MS = 10_000

export async function startOperator([file = '', ...args]: readonly string[]): Promise<Started> {
  const logFile = join(mkdtempSync(join(tmpdir(), 'bench-compare-')), 'operator.log')
  const log = openSync(logFile, 'a')
  const child = spawn(file, args, { stdio: ['ignore', log, log] })
  const ended = once(child, 'exit')
  await once(child, 'spawn')
  const gone = ended.then(([code, signal]) => {
    throw new Error(`the operator ended (${signal ?? `exit code ${code}`}); its words are in ${logFile}`)
  })
  gone.catch(() => undefined) // it also ends when it is told to
  return {
    pid: child.pid as number,
    logFile,
    gone,
    async stop() {
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
      await ended.finally(() => clearTimeout(late))
    },
  }
}

/** `123`, or `etcd=123`: processes by the name they are shown under. */
export function parsePids(words: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    words.map((word) => {
      const [, name, pid] = /^(?:(.+)=)?(\d+)$/.exec(word) ?? []
      if (pid === undefined) throw new Error(`--pid ${word}: PID or NAME=PID is wanted`)
      return [name ?? `process ${pid}`, Number(pid)]
    }),
  )
}

/** Bytes: resident now, and the most there ever was. */
export function memoryOf(pid: number): { readonly resident: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const bytes = (field: string): number => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024
  return { resident: bytes('VmRSS'), peak: bytes('VmHWM') }
}
