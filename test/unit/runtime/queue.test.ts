// The work queue: what is due when, once, for one worker, and what failures do.

import { describe, expect, it } from '@jest/globals'
import type { Random } from '../../../src/base/random.ts'
import { Queue } from '../../../src/runtime/queue.ts'
import { virtualClock } from '../../support/virtual-clock.ts'

/** The middle of every jitter: none for backoff, an eighth on top of Retry-After. */
const middle: Random = { uniform: () => 0.5, bytes: (count) => new Uint8Array(count) }
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

function setup() {
  const clock = virtualClock()
  const queue = new Queue({ clock, random: middle })
  const never = new AbortController().signal
  /** The keys that are ready now, taken; they stay running. */
  const take = async (): Promise<string[]> => {
    const keys: string[] = []
    while (queue.depth > 0) keys.push((await queue.next(never)) as string)
    return keys
  }
  return { clock, queue, never, take }
}

describe('a key', () => {
  it('that is added twice is given out once', async () => {
    const { queue, take } = setup()
    queue.add('a')
    queue.add('a')
    expect(await take()).toEqual(['a'])
  })

  it('is given out in the order it came', async () => {
    const { queue, take } = setup()
    for (const key of ['c', 'a', 'b', 'a']) queue.add(key)
    expect(await take()).toEqual(['c', 'a', 'b'])
  })

  it('that comes again goes behind those that wait', async () => {
    const { queue, never, take } = setup()
    for (const key of ['a', 'b']) queue.add(key)
    await queue.next(never)
    queue.add('a')
    queue.done('a')
    expect(await take()).toEqual(['b', 'a'])
  })

  it('that runs is not given out a second time, but runs again after', async () => {
    const { queue, take } = setup()
    queue.add('a')
    await take()
    queue.add('a')
    queue.add('a')
    expect(queue.depth).toBe(0)
    queue.done('a')
    expect(await take()).toEqual(['a'])
    queue.done('a')
    expect(queue.depth).toBe(0)
  })

  it('is handed to who waited first', async () => {
    const { queue, never } = setup()
    const first = queue.next(never)
    const second = queue.next(never)
    queue.add('a')
    queue.add('b')
    expect(await Promise.all([first, second])).toEqual(['a', 'b'])
  })

  it('that runs for one worker is not handed to another who waits', async () => {
    const { clock, queue, never } = setup()
    queue.add('a')
    await queue.next(never)
    let second: string | undefined
    void queue.next(never).then((key) => (second = key))
    queue.add('a')
    await clock.advance(HOUR)
    expect(second).toBeUndefined()
    queue.done('a')
    await clock.advance(0)
    expect(second).toBe('a')
  })
})

describe('an instant', () => {
  it('is not given out before its time, and then at once', async () => {
    const { clock, queue } = setup()
    queue.add('a', { notBefore: clock.now() + 5 * SECOND })
    await clock.advance(4999)
    expect(queue.depth).toBe(0)
    await clock.advance(1)
    expect(queue.depth).toBe(1)
  })

  it('gives way to a sooner one and not to a later one', async () => {
    const { clock, queue } = setup()
    queue.add('a', { notBefore: clock.now() + 20 * SECOND })
    queue.add('a', { notBefore: clock.now() + 10 * SECOND })
    queue.add('a', { notBefore: clock.now() + 30 * SECOND })
    await clock.advance(10 * SECOND)
    expect(queue.depth).toBe(1)
  })

  it('is brought forward by an event and then forgotten', async () => {
    const { clock, queue, take } = setup()
    queue.add('a', { notBefore: clock.now() + 10 * SECOND })
    queue.add('a')
    expect(await take()).toEqual(['a'])
    queue.done('a')
    await clock.advance(HOUR)
    expect(queue.depth).toBe(0)
  })

  it('asked for while the key runs is kept', async () => {
    const { clock, queue, take } = setup()
    queue.add('a')
    await take()
    queue.add('a', { notBefore: clock.now() + 10 * SECOND })
    queue.done('a')
    await clock.advance(9 * SECOND)
    expect(queue.depth).toBe(0)
    await clock.advance(SECOND)
    expect(queue.depth).toBe(1)
  })

  it('asked for while the key runs is the sooner of two', async () => {
    const { clock, queue, take } = setup()
    queue.add('a')
    await take()
    queue.add('a', { notBefore: clock.now() + 10 * SECOND })
    queue.add('a', { notBefore: clock.now() + 20 * SECOND })
    queue.done('a')
    await clock.advance(10 * SECOND)
    expect(queue.depth).toBe(1)
  })

  it('asked for while the key runs holds when that pass fails and would wait longer', async () => {
    const { clock, queue, take } = setup()
    queue.add('a')
    await take()
    queue.add('a', { notBefore: clock.now() + 10 * SECOND })
    queue.failed('a', HOUR)
    await clock.advance(10 * SECOND)
    expect(queue.depth).toBe(1)
  })

  it('of infinity never comes and of no number is refused', async () => {
    const { clock, queue } = setup()
    queue.add('a', { notBefore: Number.POSITIVE_INFINITY })
    expect(clock.pending).toBe(0)
    expect(() => queue.add('a', { notBefore: Number.NaN })).toThrow(RangeError)
  })

  it('beyond the range of timers comes in its time', async () => {
    const { clock, queue } = setup()
    queue.add('a', { notBefore: clock.now() + 40 * 24 * HOUR })
    await clock.advance(40 * 24 * HOUR - 1)
    expect(queue.depth).toBe(0)
    await clock.advance(1)
    expect(queue.depth).toBe(1)
  })
})

describe('the wall clock', () => {
  it('that jumps forward is noticed within a minute', async () => {
    const { clock, queue } = setup()
    queue.add('a', { notBefore: clock.now() + 5 * HOUR })
    await clock.advance(MINUTE)
    clock.shiftWall(6 * HOUR)
    await clock.advance(MINUTE)
    expect(queue.depth).toBe(1)
  })

  it('that goes back makes nothing early', async () => {
    const { clock, queue } = setup()
    queue.add('a', { notBefore: clock.now() + 10 * SECOND })
    clock.shiftWall(-HOUR)
    await clock.advance(HOUR + 9 * SECOND)
    expect(queue.depth).toBe(0)
    await clock.advance(MINUTE)
    expect(queue.depth).toBe(1)
  })

  it.each([-HOUR, HOUR])('that jumps by %d ms does not touch backoff', async (jump) => {
    const { clock, queue, take } = setup()
    queue.add('a')
    await take()
    queue.failed('a', 10 * SECOND)
    clock.shiftWall(jump)
    await clock.advance(10 * SECOND)
    expect(queue.depth).toBe(0)
    await clock.advance(2 * SECOND)
    expect(queue.depth).toBe(1)
  })
})

describe('a failure', () => {
  it('is followed by longer and longer waits, up to five minutes', async () => {
    const { clock, queue, take } = setup()
    queue.add('a')
    const waits: number[] = []
    for (let i = 0; i < 13; i++) {
      await take()
      queue.failed('a')
      const failedAt = clock.monotonic()
      while (queue.depth === 0) await clock.advance(100)
      waits.push((clock.monotonic() - failedAt) / SECOND)
    }
    expect(waits).toEqual([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 300, 300])
  })

  it('returns how often in a row, and success makes that none', async () => {
    const { clock, queue, take } = setup()
    queue.add('a')
    await take()
    expect([queue.failed('a'), queue.failuresOf('a'), queue.failing]).toEqual([1, 1, 1])
    await clock.advance(SECOND)
    await take()
    expect(queue.failed('a')).toBe(2)
    await clock.advance(SECOND)
    await take()
    queue.done('a')
    expect([queue.failuresOf('a'), queue.failing]).toEqual([0, 0])
  })

  it('waits at least as long as it was told to', async () => {
    const { clock, queue, take } = setup()
    queue.add('a')
    await take()
    queue.failed('a', 30 * SECOND)
    await clock.advance(30 * SECOND)
    expect(queue.depth).toBe(0)
    await clock.advance(4 * SECOND)
    expect(queue.depth).toBe(1)
  })

  it('does not hold up an event by more than a second', async () => {
    const { clock, queue, take } = setup()
    queue.add('a')
    await take()
    queue.failed('a', HOUR)
    queue.add('a')
    expect(queue.depth).toBe(0)
    await clock.advance(SECOND)
    expect(queue.depth).toBe(1)
    await take()
    queue.done('a')
    await clock.advance(2 * HOUR)
    expect(queue.depth).toBe(0)
  })

  it('is tried again within a second after what others changed while it ran', async () => {
    const { clock, queue, take } = setup()
    queue.add('a')
    await take()
    queue.add('a')
    queue.failed('a', HOUR)
    await clock.advance(SECOND)
    expect(queue.depth).toBe(1)
  })

  it('is not tried again sooner because of what it wrote itself', async () => {
    const { clock, queue, take } = setup()
    queue.add('a')
    await take()
    queue.add('a', { own: true })
    queue.failed('a', HOUR)
    await clock.advance(HOUR)
    expect(queue.depth).toBe(0)
    await clock.advance(HOUR)
    expect(queue.depth).toBe(1)
  })

  it('of a key that does not run is refused', () => {
    const { queue } = setup()
    expect(() => queue.failed('a')).toThrow('a is not running')
    expect(() => queue.done('a')).toThrow('a is not running')
  })
})

describe('among many keys', () => {
  const crowd = Array.from({ length: 5000 }, (_, index) => `crowd/${index}`)

  it('the first of another namespace waits for one of a crowd, not for all', async () => {
    const { queue, never } = setup()
    for (const key of crowd) queue.add(key)
    queue.add('quiet/one')
    expect([await queue.next(never), await queue.next(never)]).toEqual(['crowd/0', 'quiet/one'])
  })

  it('those whose time has come take turns with those that are woken, the nearest deadline first', async () => {
    const { clock, queue, take } = setup()
    for (const [key, hours] of [
      ['x/late', 9],
      ['x/soon', 3],
    ] as const)
      queue.add(key, { notBefore: clock.now() + MINUTE, deadline: clock.now() + hours * HOUR })
    await clock.advance(MINUTE)
    for (const key of ['y/1', 'y/2', 'y/3']) queue.add(key)
    const order = await take()
    expect(order.filter((key) => key.startsWith('x'))).toEqual(['x/soon', 'x/late'])
    expect(order.slice(0, 4).filter((key) => key.startsWith('x'))).toHaveLength(2)
  })

  it('a deadline within ten minutes goes before everything', async () => {
    const { clock, queue, take } = setup()
    for (const key of crowd.slice(0, 10)) queue.add(key)
    queue.add('x/dying', { deadline: clock.now() + 5 * MINUTE })
    queue.add('x/dead', { deadline: clock.now() - MINUTE })
    queue.add('x/well', { deadline: clock.now() + HOUR })
    expect((await take()).slice(0, 3)).toEqual(['x/dead', 'x/dying', 'crowd/0'])
  })

  it('one that is to come sooner, without a deadline, is served in its turn when it comes', async () => {
    const { clock, queue, take } = setup()
    queue.add('x/churning', { notBefore: clock.now() + MINUTE, deadline: clock.now() + 2 * MINUTE })
    queue.add('x/churning', { notBefore: clock.now() + 5 * SECOND })
    queue.add('x/late', { notBefore: clock.now() + MINUTE, deadline: clock.now() + 2 * MINUTE })
    queue.add('x/late', { notBefore: clock.now() + 2 * MINUTE })
    await clock.advance(4 * SECOND)
    queue.add('y/before')
    await clock.advance(SECOND)
    expect(await take()).toEqual(['y/before', 'x/churning'])
    queue.add('y/ready')
    await clock.advance(MINUTE)
    expect(await take()).toEqual(['x/late', 'y/ready'])
  })

  it('one that is woken before its time has no deadline, and keeps its turn', async () => {
    const { clock, queue, take } = setup()
    queue.add('x/one', { notBefore: clock.now() + HOUR, deadline: clock.now() + 2 * HOUR })
    for (const key of ['y/1', 'y/2']) queue.add(key)
    queue.add('x/one')
    expect(await take()).toEqual(['y/1', 'x/one', 'y/2'])
  })
})

describe('waiting for a key', () => {
  it('ends when the signal aborts, and the key goes to the next', async () => {
    const { queue, never } = setup()
    const stop = new AbortController()
    const first = queue.next(stop.signal)
    const second = queue.next(never)
    stop.abort()
    queue.add('a')
    expect([await first, await second]).toEqual([undefined, 'a'])
    expect(await queue.next(stop.signal)).toBeUndefined()
  })

  it('ends when the queue is closed, which leaves no timer', async () => {
    const { clock, queue, never } = setup()
    queue.add('a', { notBefore: clock.now() + HOUR })
    const waiting = queue.next(never)
    queue.close()
    expect(await waiting).toBeUndefined()
    queue.add('b')
    queue.add('c', { notBefore: clock.now() + HOUR })
    expect([clock.pending, queue.depth]).toEqual([0, 0])
  })

  it('is over for keys that are ready when the queue is closed, and they count no more', async () => {
    const { queue, never } = setup()
    queue.add('a')
    expect(queue.depth).toBe(1)
    queue.close()
    expect([queue.depth, await queue.next(never)]).toEqual([0, undefined])
  })
})

describe('the queue', () => {
  it('needs one timer for ten thousand instants and none for nothing', async () => {
    const { clock, queue } = setup()
    expect(clock.pending).toBe(0)
    for (let i = 0; i < 10_000; i++) queue.add(`key-${i}`, { notBefore: clock.now() + HOUR + i })
    expect(clock.pending).toBe(1)
  })

  it('sleeps where nothing is scheduled, and looks once a minute where something is', async () => {
    const { clock, queue } = setup()
    let wakes = 0
    const after = clock.after
    clock.after = (ms, run) =>
      after(ms, () => {
        wakes++
        run()
      })
    await clock.advance(24 * HOUR)
    expect(wakes).toBe(0)
    queue.add('a', { notBefore: clock.now() + HOUR })
    await clock.advance(HOUR)
    expect(wakes).toBe(60)
  })

  it('knows how long the first ready key has waited', async () => {
    const { clock, queue, never } = setup()
    queue.add('a')
    await clock.advance(300)
    queue.add('b')
    await clock.advance(200)
    expect(queue.oldestWaitMs).toBe(500)
    await queue.next(never)
    expect(queue.oldestWaitMs).toBe(200)
  })
})
