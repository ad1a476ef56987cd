// The manager: the order of starting and stopping, and what a part that fails does to the others.

import { describe, expect, it } from '@jest/globals'
import { createLog, silentLog } from '../../../src/base/log.ts'
import { Manager, type Part, together } from '../../../src/runtime/manager.ts'
import { settled } from '../../support/virtual-clock.ts'

function part(name: string, done: string[], more: Partial<Part> = {}): Part {
  return {
    name,
    async start() {
      done.push(`${name} starts`)
    },
    async stop() {
      done.push(`${name} stops`)
    },
    ...more,
  }
}

const failing = (name: string, done: string[]): Part =>
  part(name, done, {
    async start() {
      throw new Error(`${name} fails`)
    },
  })

describe('the manager', () => {
  it('starts parts in order and stops them in reverse', async () => {
    const done: string[] = []
    const manager = new Manager([part('a', done), part('b', done)], { log: silentLog })
    await manager.start()
    await manager.stop()
    expect(done).toEqual(['a starts', 'b starts', 'b stops', 'a stops'])
  })

  it('waits for one before it starts the next', async () => {
    const done: string[] = []
    const ready = Promise.withResolvers<void>()
    const manager = new Manager([part('a', done, { start: () => ready.promise }), part('b', done)], { log: silentLog })
    const starting = manager.start()
    await settled()
    expect(done).toEqual([])
    ready.resolve()
    await starting
    expect(done).toEqual(['b starts'])
  })

  it('stops what was begun when a start fails, and throws its error', async () => {
    const done: string[] = []
    const manager = new Manager([part('a', done), failing('b', done), part('c', done)], { log: silentLog })
    await expect(manager.start()).rejects.toThrow('b fails')
    expect(done).toEqual(['a starts', 'b stops', 'a stops'])
  })

  it('leaves it to its caller to say so, so that it is said once', async () => {
    const lines: string[] = []
    const log = createLog('info', (line) => lines.push(line))
    await expect(new Manager([failing('a', [])], { log }).start()).rejects.toThrow('a fails')
    expect(lines).toEqual([])
  })

  it('stops a part that is still starting, and starts none after it', async () => {
    const done: string[] = []
    const ready = Promise.withResolvers<void>()
    const slow = part('slow', done, {
      start: () => ready.promise,
      async stop() {
        ready.reject(new Error('stopped'))
      },
    })
    const manager = new Manager([part('a', done), slow, part('c', done)], { log: silentLog })
    const starting = manager.start()
    await settled()
    await manager.stop()
    await expect(starting).rejects.toThrow('stopped')
    expect(done).toEqual(['a starts', 'a stops'])
  })

  it('says that it was stopped where the part that was starting did not mind', async () => {
    const done: string[] = []
    const ready = Promise.withResolvers<void>()
    const manager = new Manager([part('slow', done, { start: () => ready.promise }), part('b', done)], { log: silentLog })
    const starting = manager.start()
    await settled()
    await manager.stop()
    ready.resolve()
    await expect(starting).rejects.toThrow('was stopped while it started')
    expect(done).toEqual(['slow stops'])
  })

  it('stops the others when one cannot be stopped, and each once', async () => {
    const done: string[] = []
    const stuck = part('b', done, {
      async stop() {
        throw new Error('no')
      },
    })
    const manager = new Manager([part('a', done), stuck], { log: silentLog })
    await manager.start()
    await Promise.all([manager.stop(), manager.stop()])
    expect(done).toEqual(['a starts', 'b starts', 'a stops'])
  })
})

describe('parts together', () => {
  it('start side by side', async () => {
    const done: string[] = []
    const ready = Promise.withResolvers<void>()
    const starting = together('all', [part('a', done, { start: () => ready.promise }), part('b', done)], silentLog).start()
    await settled()
    expect(done).toEqual(['b starts'])
    ready.resolve()
    await starting
  })

  it('are all stopped when one does not start', async () => {
    const done: string[] = []
    await expect(together('all', [part('a', done), failing('b', done)], silentLog).start()).rejects.toThrow('b fails')
    expect(done).toEqual(['a starts', 'a stops', 'b stops'])
  })
})
