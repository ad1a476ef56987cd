// Processes are recognised by their command line and ended by pid, and nothing else is touched.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from '@jest/globals'
import { beginningOf, belongsTo, commandLine, endProcess } from '../../../../scripts/control-plane/processes.ts'

const children: ChildProcess[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** A process with that argument that has begun to run its code. */
async function start(code: string, argument: string): Promise<number> {
  const child = spawn(process.execPath, ['-e', `${code}; console.log('up')`, '--', argument], { stdio: ['ignore', 'pipe', 'ignore'] })
  children.push(child)
  await once(child.stdout, 'data')
  if (child.pid === undefined) throw new Error('not started')
  return child.pid
}

const idle = 'setInterval(() => {}, 1000)'
const stubborn = `process.on('SIGTERM', () => {}); ${idle}`

describe('a process', () => {
  it('belongs to the instance whose folder its command line names', async () => {
    const pid = await start(idle, '--data=/instances/one/etcd')
    expect(belongsTo(pid, '/instances/one')).toBe(true)
  })

  it('does not belong to an instance whose folder only begins alike', async () => {
    const pid = await start(idle, '--data=/instances/one-more/etcd')
    expect(belongsTo(pid, '/instances/one')).toBe(false)
  })

  it('has no command line once it is gone', () => {
    const { pid } = spawnSync(process.execPath, ['--version'])
    expect(commandLine(pid)).toBeUndefined()
  })

  it('is ended by SIGTERM', async () => {
    const pid = await start(idle, '/instances/one/x')
    await endProcess(pid, '/instances/one', 5_000)
    expect(commandLine(pid)).toBeUndefined()
  })

  it('is ended by SIGKILL when it does not heed SIGTERM', async () => {
    const pid = await start(stubborn, '/instances/one/x')
    await endProcess(pid, '/instances/one', 100)
    expect(commandLine(pid)).toBeUndefined()
  })

  it('of somebody else is left alone: its pid was used again', async () => {
    const pid = await start(idle, '/elsewhere/x')
    await endProcess(pid, '/instances/one', 100)
    expect(commandLine(pid)).toContain('/elsewhere/x')
  })
})

describe('the beginning of a process', () => {
  it('stays what it was, whatever the process calls itself', async () => {
    const pid = await start(`setTimeout(() => { process.title = 'a) name' }, 50); ${idle}`, 'x')
    const before = beginningOf(pid)
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(before).toMatch(/\d/)
    expect(beginningOf(pid)).toBe(before)
  })

  it('is unknown once it is gone', () => {
    const { pid } = spawnSync(process.execPath, ['--version'])
    expect(beginningOf(pid)).toBeUndefined()
  })
})
