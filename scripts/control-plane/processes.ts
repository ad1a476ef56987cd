// Looks at processes and ends them, by pid only. Used by everything that stops or sweeps.
// Must never signal a pid before its command line showed that it is still ours: pids are used again.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { sep } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from './failure.ts'

const pollEvery = 20 // ms

/** The command line of a live process; undefined for one that is gone or a zombie. */
export function commandLine(pid: number): string | undefined {
  if (!exists(pid)) return undefined
  if (process.platform === 'linux') return readProc(pid, 'cmdline')?.replaceAll('\0', ' ').trim() || undefined
  return ps(pid, 'command=')
}

/** When a live process began, in the system's own words: with the pid it names one process, whatever it calls itself. */
export function beginningOf(pid: number): string | undefined {
  if (!exists(pid)) return undefined
  if (process.platform !== 'linux') return ps(pid, 'lstart=')
  // proc_pid_stat(5): the name in parentheses may hold anything; after it come state (3rd field) ... starttime (22nd)
  const fields = readProc(pid, 'stat')
    ?.replace(/^.*\) /s, '')
    .split(' ')
  return fields?.[0] === 'Z' ? undefined : fields?.[19]
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return undefined // ended while we looked
    throw error
  }
}

function ps(pid: number, column: string): string | undefined {
  try {
    return execFileSync('ps', ['-ww', '-p', String(pid), '-o', column], { encoding: 'utf8' }).trim() || undefined
  } catch (error) {
    if (codeOf(error) !== undefined) throw error // ps itself could not be run
    return undefined // ps ended with 1: no such process
  }
}

/** Whether the pid is a live process of the instance in that folder. */
export function belongsTo(pid: number, directory: string): boolean {
  return commandLine(pid)?.includes(`${directory}${sep}`) ?? false
}

/** Sends the signal if the process is alive and of that instance. */
export function signalIfOurs(pid: number, directory: string, signal: NodeJS.Signals): void {
  if (!belongsTo(pid, directory)) return
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error // ended between the look and the signal
  }
}

/** SIGTERM, and SIGKILL where that took longer than `patience` (ms). Resolves once the process is gone. */
export async function endProcess(pid: number, directory: string, patience: number): Promise<void> {
  signalIfOurs(pid, directory, 'SIGTERM')
  if (await isGoneWithin(pid, directory, patience)) return
  signalIfOurs(pid, directory, 'SIGKILL')
  await isGoneWithin(pid, directory, Number.POSITIVE_INFINITY)
}

async function isGoneWithin(pid: number, directory: string, milliseconds: number): Promise<boolean> {
  const until = performance.now() + milliseconds
  while (belongsTo(pid, directory)) {
    if (performance.now() >= until) return false
    await sleep(pollEvery)
  }
  return true
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM' // there, but another user's
  }
}
