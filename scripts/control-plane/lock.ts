// A lock between processes as a file that names its holder. Used by binaries.ts, so that two that need the same
// build at once build once. A holder that died, or that shows no life for a minute, loses it.
// Two holders at once are possible in a window of microseconds (two take over at once); builds stand that: they rename.
import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from './failure.ts'
import { commandLine } from './processes.ts'

export interface LockHolder {
  readonly pid: number
  /** a pid tells nothing about another machine or container that shares the folder */
  readonly host: string
  /** makes every hold different, also by the same process */
  readonly token: string
}

const heartbeatEvery = 5_000 // ms
const silentAfter = 60_000 // ms
const pollEvery = 500 // ms

/** Runs `work` while holding the lock. `onWait` is called once, with the holder, if there is one. The folder is there. */
export async function withLock<T>(file: string, onWait: (holder: LockHolder) => void, work: () => Promise<T>): Promise<T> {
  const self: LockHolder = { pid: process.pid, host: hostname(), token: randomUUID() }
  for (let waited = false; !tryAcquire(file, self); waited = true) {
    const holder = readHolder(file)
    if (holder === undefined) continue // released just now
    if (isStale(file, holder)) {
      takeOver(file, holder)
      continue
    }
    if (!waited) onWait(holder)
    await sleep(pollEvery)
  }
  const heartbeat = setInterval(() => touch(file), heartbeatEvery)
  heartbeat.unref()
  try {
    return await work()
  } finally {
    clearInterval(heartbeat)
    if (readHolder(file)?.token === self.token) rmSync(file, { force: true })
  }
}

/** Whether the lock was made: a link is created whole, with its content, or not at all. */
export function tryAcquire(file: string, self: LockHolder): boolean {
  const own = `${file}.${self.token}`
  writeFileSync(own, JSON.stringify(self))
  try {
    linkSync(own, file)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    rmSync(own, { force: true })
  }
}

export function readHolder(file: string): LockHolder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as LockHolder
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Removes the lock of that holder, and only its: if another took over first, its lock is put back. */
export function takeOver(file: string, stale: LockHolder): void {
  const aside = `${file}.${randomUUID()}`
  try {
    renameSync(file, aside)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return // somebody was faster
    throw error
  }
  try {
    if (readHolder(aside)?.token !== stale.token) linkSync(aside, file)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error // a third one holds it by now
  } finally {
    rmSync(aside, { force: true })
  }
}

function isStale(file: string, holder: LockHolder): boolean {
  if (holder.host === hostname() && commandLine(holder.pid) === undefined) return true
  const touchedAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
  return Date.now() - touchedAt > silentAfter
}

function touch(file: string): void {
  try {
    const now = new Date()
    utimesSync(file, now, now)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error // taken over: we were silent too long, and work on
  }
}
