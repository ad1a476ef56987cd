// The lock between builds: one holder, the dead lose it, the living do not.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type LockHolder, readHolder, takeOver, tryAcquire, withLock } from '../../../../scripts/control-plane/lock.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'))
  file = join(folder, 'build.lock')
})

afterEach(() => rmSync(folder, { recursive: true }))

const holder = (change: Partial<LockHolder> = {}): LockHolder => ({ pid: process.pid, host: hostname(), token: 'other', ...change })
const deadPid = () => spawnSync(process.execPath, ['--version']).pid
const nobodyWaits = () => {
  throw new Error('waited')
}

describe('the lock between builds', () => {
  it('is held during the work and gone after it, with nothing beside it', async () => {
    const during = await withLock(file, nobodyWaits, async () => readHolder(file))
    expect(during).toMatchObject({ pid: process.pid, host: hostname() })
    expect(readdirSync(folder)).toEqual([])
  })

  it('is gone after work that failed', async () => {
    const failing = withLock(file, nobodyWaits, async () => {
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(existsSync(file)).toBe(false)
  })

  it('lets one work at a time, and tells the others whom they wait for', async () => {
    const events: string[] = []
    const waits: number[] = []
    const work = async (name: string) => {
      events.push(`${name} begins`)
      await new Promise((resolve) => setTimeout(resolve, 20))
      events.push(`${name} ends`)
    }
    const first = withLock(file, nobodyWaits, () => work('first'))
    const second = withLock(
      file,
      ({ pid }) => waits.push(pid),
      () => work('second'),
    )
    await Promise.all([first, second])
    expect(events).toEqual(['first begins', 'first ends', 'second begins', 'second ends'])
    expect(waits).toEqual([process.pid])
  })

  it('is taken from a dead process', async () => {
    writeFileSync(file, JSON.stringify(holder({ pid: deadPid() })))
    await expect(withLock(file, nobodyWaits, async () => 'done')).resolves.toBe('done')
  })

  it('is taken from a holder that showed no life for a minute, whatever its pid says', async () => {
    writeFileSync(file, JSON.stringify(holder({ host: 'another-machine' })))
    const longAgo = new Date(Date.now() - 61_000)
    utimesSync(file, longAgo, longAgo)
    await expect(withLock(file, nobodyWaits, async () => 'done')).resolves.toBe('done')
  })

  it('is not taken from another machine because its pid means nothing here', async () => {
    writeFileSync(file, JSON.stringify(holder({ host: 'another-machine', pid: deadPid() })))
    const waits: string[] = []
    const waiting = withLock(
      file,
      ({ host }) => {
        waits.push(host)
        rmSync(file) // the other one is done
      },
      async () => 'done',
    )
    await expect(waiting).resolves.toBe('done')
    expect(waits).toEqual(['another-machine'])
  })

  it('cannot be acquired twice', () => {
    expect(tryAcquire(file, holder({ token: 'a' }))).toBe(true)
    expect(tryAcquire(file, holder({ token: 'b' }))).toBe(false)
    expect(readHolder(file)?.token).toBe('a')
  })

  it('is put back when it was not the dead one any more', () => {
    tryAcquire(file, holder({ token: 'new' }))
    takeOver(file, holder({ token: 'dead' }))
    expect(readHolder(file)?.token).toBe('new')
    expect(readdirSync(folder)).toEqual(['build.lock'])
  })
})
