// How many passes run at once, against a server whose answers take as long as it has work.

import { describe, expect, it } from '@jest/globals'
import { ConcurrencyLimit } from '../../../src/runtime/concurrency-limit.ts'
import { virtualClock } from '../../support/virtual-clock.ts'

const CREATE = { verb: 'create', resource: 'secrets', code: 201, throttled: false }
const STATUS = { verb: 'update', resource: 'mutualidentities', code: 200, throttled: false }

function scene(most = 64) {
  const clock = virtualClock()
  const limit = new ConcurrencyLimit({ clock, most })
  /** `rounds` of answers with as many passes under way as are allowed; `server`: what an answer takes with so many. Returns the limits. */
  const load = (rounds: number, server: (running: number) => number, answer: typeof CREATE = CREATE): number[] =>
    Array.from({ length: rounds }, () => {
      const running = limit.now
      expect(limit.allows(running - 1)).toBe(true)
      expect(limit.allows(running)).toBe(false)
      for (let answers = 0; answers < 2 * running; answers++) limit.observe({ ...answer, durationMs: server(running) })
      return limit.now
    })
  return { clock, limit, load }
}

/** Work for `cores` at 10 ms each: more than that waits. */
const serverOf = (cores: number) => (running: number) => 10 * Math.max(1, running / cores)

describe('the number of passes at once', () => {
  it('begins with eight', () => {
    expect(scene().limit.now).toBe(8)
    expect(scene(3).limit.now).toBe(3)
  })

  it('grows to the most on a server that answers as quickly as before', () => {
    const { load } = scene()
    const limits = load(40, serverOf(64))
    expect(limits.slice(0, 4)).toEqual([8, 9, 11, 13])
    expect(limits.at(-1)).toBe(64)
  })

  it.each([
    ['is full with eight', 8, 16],
    ['is full with four: eight are what it is compared with', 4, 16],
    ['is full with twenty', 20, 40],
  ])('stays about where answers take twice as long, on a server that %s', (_what, cores, double) => {
    const { load } = scene()
    load(40, serverOf(cores))
    for (const limit of load(40, serverOf(cores))) {
      expect(limit).toBeGreaterThanOrEqual(Math.floor(double * 0.85))
      expect(limit).toBeLessThanOrEqual(Math.ceil(double * 1.125) + 1)
    }
  })

  it('grows where answers take next to no time, whatever their ratio', () => {
    const { load } = scene()
    expect(load(40, (running) => (running > 8 ? 2.9 : 0.1)).at(-1)).toBe(64)
  })

  it('compares creates with creates and patches with patches', () => {
    const { limit } = scene()
    const round = (durationMs: number, answer: typeof CREATE) => {
      const running = limit.now
      limit.allows(running)
      for (let answers = 0; answers < 2 * running; answers++) limit.observe({ ...answer, durationMs })
    }
    round(10, CREATE)
    for (let rounds = 0; rounds < 20; rounds++) round(100, STATUS)
    expect(limit.now).toBe(64)
    round(100, CREATE)
    expect(limit.now).toBe(57)
  })

  it('does not mind reads, nor rounds in which nothing waited', () => {
    const { limit, load } = scene()
    load(1, serverOf(8))
    for (let answers = 0; answers < 1000; answers++)
      limit.observe({ verb: 'list', resource: 'pods', code: 200, throttled: false, durationMs: 5000 })
    for (let answers = 0; answers < 1000; answers++) limit.observe({ ...CREATE, durationMs: 500 })
    expect(limit.now).toBe(8)
  })

  it.each([
    [429, 1],
    [500, 13],
    [503, 13],
    [0, 13],
  ])('is halved by answers of %d, once a round, when there are %d among 128', (code, enough) => {
    const { limit, load } = scene()
    load(40, serverOf(64))
    for (let answers = 0; answers < enough; answers++) {
      expect(limit.now).toBe(64)
      limit.observe({ ...CREATE, code, durationMs: 1 })
    }
    expect(limit.now).toBe(32)
    // The rest of the round: these were under way when the first was refused.
    for (let answers = 1; answers < 2 * 64; answers++) limit.observe({ ...CREATE, code, durationMs: 1 })
    expect(limit.now).toBe(32)
    load(1, serverOf(64), { ...CREATE, code })
    expect(limit.now).toBe(16)
    load(9, serverOf(64), { ...CREATE, code })
    expect(limit.now).toBe(8)
    expect(load(40, serverOf(64)).at(-1)).toBe(64)
  })

  it('is not lowered by one failure in fifty', () => {
    const { limit, load } = scene()
    load(40, serverOf(64))
    for (let answers = 0; answers < 5000; answers++) {
      limit.allows(limit.now)
      limit.observe({ ...CREATE, code: answers % 50 === 0 ? 500 : 201, durationMs: 10 })
    }
    expect(limit.now).toBe(64)
  })

  it('is not lowered by one answer in fifty that takes a second', () => {
    const { load } = scene()
    load(40, serverOf(64))
    let answers = 0
    expect(load(20, (running) => (++answers % 50 === 0 ? 1000 : serverOf(64)(running))).at(-1)).toBe(64)
  })

  it('is not lowered by refusals that are no matter of load', () => {
    const { load } = scene()
    load(40, serverOf(64))
    expect(load(3, serverOf(64), { ...CREATE, code: 409 })).toEqual([64, 64, 64])
  })

  it('compares anew each minute, with the answers of no more than eight at once, and goes on where it was', async () => {
    const { clock, limit, load } = scene()
    load(40, serverOf(8))
    const before = limit.now
    await clock.advance(60_000)
    load(1, serverOf(8))
    expect(limit.now).toBe(8)
    // The passes of the old limit end one by one, and the server is as slow as it was with all of them.
    for (let running = before; running > 8; running--) {
      expect(limit.allows(running)).toBe(false)
      limit.observe({ ...CREATE, durationMs: 10 * serverOf(8)(before) })
      limit.observe({ ...STATUS, durationMs: 10 * serverOf(8)(before) })
    }
    load(2, serverOf(8))
    expect(limit.now).toBe(before)
    for (const now of load(40, serverOf(8))) expect(now).toBeLessThanOrEqual(19)
  })

  it('takes a server that has become slower for what it is', async () => {
    const { clock, limit, load } = scene()
    load(40, serverOf(8))
    const slow = (running: number) => 10 * serverOf(8)(running)
    expect(load(40, slow).at(-1)).toBe(8)
    await clock.advance(60_000)
    load(40, slow)
    expect(limit.now).toBeGreaterThanOrEqual(13)
    expect(limit.now).toBeLessThanOrEqual(19)
  })
})
