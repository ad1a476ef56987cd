// Starts one part as a process with a log file and tells when it ended and why. Used by start.ts.
// Must not pass on this process's environment: ETCD_*, proxies and Go settings of the user would change what runs.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ControlPlaneFailure } from './failure.ts'
import type { Part } from './parts.ts'

export interface PartProcess {
  readonly part: Part
  readonly pid: number
  readonly logFile: string
  /** how it ended, undefined while it runs */
  ended(): string | undefined
  /**
   * Whether it ended within so many ms. Sharper than a look at the pid: all threads are gone and the port is closed,
   * which a process that is being killed keeps for some milliseconds after its command line has vanished.
   */
  endsWithin(milliseconds: number): Promise<boolean>
}

export interface PartCommand {
  readonly part: Part
  readonly binary: string
  readonly flags: readonly string[]
  readonly directory: string
}

export function logFileOf(directory: string, part: Part): string {
  return join(directory, 'logs', `${part}.log`)
}

export async function startPart({ part, binary, flags, directory }: PartCommand): Promise<PartProcess> {
  const logFile = logFileOf(directory, part)
  const log = openSync(logFile, 'a')
  try {
    const child = spawn(binary, flags, {
      cwd: directory,
      stdio: ['ignore', log, log],
      detached: true, // a session of its own: Ctrl-C in the terminal is for the program, which decides what ends when
      env: { PATH: process.env.PATH, HOME: directory },
    })
    let ended: string | undefined
    child.once('exit', (code, signal) => {
      ended = signal === null ? `ended with status ${code}` : `was ended by ${signal}`
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    child.unref()
    if (child.pid === undefined) throw new Error('a spawned process has no pid')
    return { part, pid: child.pid, logFile, ended: () => ended, endsWithin: (milliseconds) => exitsWithin(child, milliseconds) }
  } catch (error) {
    throw new ControlPlaneFailure(`${part} could not be run: ${binary}: ${String(error)}`, { cause: error })
  } finally {
    closeSync(log)
  }
}

function exitsWithin(child: ChildProcess, milliseconds: number): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(true)
  return new Promise((resolve) => {
    const atEnd = () => {
      clearTimeout(timer)
      resolve(true)
    }
    // It also keeps this process waiting, which the child itself does not.
    const timer = setTimeout(() => {
      child.removeListener('exit', atEnd)
      resolve(false)
    }, milliseconds)
    child.once('exit', atEnd)
  })
}

/** A part that ended or took too long while it was waited for. */
export class PartNotReady extends Error {
  override readonly name = 'PartNotReady'
  readonly part: Part
  readonly logFile: string
  readonly why: string

  constructor({ part, logFile }: PartProcess, why: string) {
    super(`${part} ${why}; log: ${logFile}`)
    this.part = part
    this.logFile = logFile
    this.why = why
  }
}

const pollEvery = 25 // ms

export interface Waiting {
  readonly part: PartProcess
  /** what it needs to become ready, so that the part is named that is to blame */
  readonly needs: readonly PartProcess[]
  isReady(): Promise<boolean>
  /** ms */
  readonly within: number
}

/** Fails with PartNotReady when the part or what it needs ends, or the time is over. */
export async function waitUntilReady({ part, needs, isReady, within }: Waiting): Promise<void> {
  const until = performance.now() + within
  for (;;) {
    // The order matters: what answers after our process ended is somebody else.
    const ready = await isReady()
    for (const needed of [...needs, part]) {
      const ended = needed.ended()
      if (ended !== undefined) throw new PartNotReady(needed, ended)
    }
    if (ready) return
    if (performance.now() > until) throw new PartNotReady(part, `was not ready within ${within / 1000} s`)
    await sleep(pollEvery)
  }
}

/** The end of a log, indented, for an error message. */
export function lastLines(file: string, count: number): string {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count)
  return lines.map((line) => `    ${line.slice(0, 400)}`).join('\n')
}
