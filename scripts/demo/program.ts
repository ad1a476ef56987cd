// A program of the example as a child process: what it says is heard, shown where wanted, and waited for. Used by the steps that let them talk.
// It gets its environment and nothing of ours, as in a container.

import { type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { DemoFailure } from './failure.ts'
import { PATIENCE_MS } from './names.ts'
import type { Stage } from './stage.ts'

export interface ProgramOptions {
  readonly name: string
  readonly script: string
  readonly environment: Readonly<Record<string, string>>
  /** Which of its lines are shown; default all. */
  readonly shows?: (line: string) => boolean
  /** It ends by itself; without this an end breaks the show off. */
  readonly endsByItself?: boolean
}

export interface Program {
  readonly name: string
  readonly pid: number
  /** All it said. */
  readonly lines: readonly string[]
  /** The exit code, or the signal. */
  readonly ended: Promise<number | string>
  /** The first line that matches, from the line number `from` on. */
  line(pattern: RegExp, from?: number): Promise<RegExpExecArray>
  /** Changes which lines are shown from now on. */
  show(which: (line: string) => boolean): void
  stop(): Promise<void>
}

const STOP_WITHIN_MS = 3_000

export async function startProgram(stage: Stage, options: ProgramOptions): Promise<Program> {
  stage.signal.throwIfAborted()
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe']
  const child = spawn(process.execPath, [options.script], { env: { ...options.environment }, stdio, detached: true })
  const closed = once(child, 'close')
  await once(child, 'spawn')
  const pid = child.pid as number
  const untrack = stage.track(pid)
  let stopping = false

  const lines: string[] = []
  const waiting = new Set<(line: string) => void>()
  let shows = options.shows ?? (() => true)
  const hear = (line: string): void => {
    lines.push(line)
    if (shows(line)) stage.screen.quote(options.name, line)
    for (const look of waiting) look(line)
  }
  for (const stream of [child.stdout, child.stderr] as Readable[]) createInterface({ input: stream }).on('line', hear)

  const ended = closed.then(([code, signal]): number | string => {
    untrack()
    if (!stopping && !options.endsByItself)
      stage.breakOff(new DemoFailure(`${options.name} ended unasked (${signal ?? `exit code ${code}`})`))
    return code ?? signal
  })
  const stop = async (): Promise<void> => {
    stopping = true
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
    await ended.finally(() => clearTimeout(late))
  }
  await stage.own(options.name, stop)
  return {
    name: options.name,
    pid,
    lines,
    ended,
    stop,
    show: (which) => {
      shows = which
    },
    async line(pattern, from = 0) {
      const { promise, resolve } = Promise.withResolvers<RegExpExecArray>()
      const look = (line: string): void => {
        const match = pattern.exec(line)
        if (match) resolve(match)
      }
      waiting.add(look)
      for (const line of lines.slice(from)) look(line)
      return await stage.wait(promise, PATIENCE_MS, `${options.name} says ${pattern.source}`).finally(() => waiting.delete(look))
    },
  }
}
