// The queue against a naive model of who may run when: never two runners of a key, nothing before its time, nothing twice, nothing lost.

import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Queue } from '../../../src/runtime/queue.ts'
import { virtualClock } from '../../support/virtual-clock.ts'

/** All that was asked for a key since its last pass began. Times: `at` of the wall clock, `retry` and `floor` of the monotonic clock. */
interface Wish {
  running: boolean
  now: boolean
  urgent: boolean
  at: number
  retry: number
  floor: number
  failures: number
  /** A time for it has come at some moment since. */
  due: boolean
}

const KEYS = ['a', 'b', 'c', 'd']
const NEVER = Number.POSITIVE_INFINITY

type Command =
  | { readonly what: 'add'; readonly key: string; readonly in: number | undefined; readonly own: boolean }
  | { readonly what: 'take' }
  | { readonly what: 'done'; readonly pick: number }
  | { readonly what: 'failed'; readonly pick: number; readonly after: number }
  | { readonly what: 'advance'; readonly ms: number }
  | { readonly what: 'shift'; readonly ms: number }

const key = fc.constantFrom(...KEYS)
const pick = fc.nat(3)
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant('add' as const),
      key,
      in: fc.option(fc.integer({ min: -5000, max: 600_000 }), { nil: undefined }),
      own: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('take' as const) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('done' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('failed' as const), pick, after: fc.constantFrom(0, 0, 5000, 400_000) }) },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('advance' as const), ms: fc.constantFrom(1, 100, 250, 1000, 7000, 60_000, 700_000) }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('shift' as const), ms: fc.constantFrom(-3_600_000, -1000, 1000, 3_600_000) }) },
)

class Model {
  readonly clock = virtualClock()
  readonly queue = new Queue({ clock: this.clock, random: { uniform: () => 0.5, bytes: (count) => new Uint8Array(count) } })
  readonly wishes = new Map(
    KEYS.map((each) => [each, { running: false, now: false, urgent: false, at: NEVER, retry: NEVER, floor: -1, failures: 0, due: false }]),
  )
  readonly never = new AbortController().signal

  wish(each: string): Wish {
    return this.wishes.get(each) as Wish
  }

  get runners(): string[] {
    return KEYS.filter((each) => this.wish(each).running)
  }

  async run(command: Command): Promise<void> {
    const { clock, queue } = this
    switch (command.what) {
      case 'add': {
        const notBefore = command.in === undefined ? undefined : clock.now() + command.in
        queue.add(command.key, { ...(notBefore === undefined ? {} : { notBefore }), own: command.own })
        const wish = this.wish(command.key)
        if (notBefore === undefined || notBefore <= clock.now()) {
          wish.now = true
          wish.urgent ||= !command.own
        } else wish.at = Math.min(wish.at, notBefore)
        break
      }
      case 'take':
        if (queue.depth > 0) await this.take()
        break
      case 'done':
      case 'failed': {
        const running = this.runners[command.pick]
        if (running !== undefined) this.end(running, command)
        break
      }
      case 'advance':
        await clock.advance(command.ms)
        break
      case 'shift':
        clock.shiftWall(command.ms)
        break
    }
    for (const each of KEYS) {
      const wish = this.wish(each)
      if (wish.running) continue
      const mono = clock.monotonic()
      wish.due ||= (wish.now && wish.floor <= mono) || wish.at <= clock.now() || wish.retry <= mono
    }
  }

  async take(): Promise<string> {
    const taken = (await this.queue.next(this.never)) as string
    const wish = this.wish(taken)
    if (wish.running) throw new Error(`${taken} has two runners`)
    if (!wish.due) throw new Error(`${taken} is given out before its time, or twice`)
    this.wishes.set(taken, { ...wish, running: true, now: false, urgent: false, at: NEVER, retry: NEVER, due: false })
    return taken
  }

  end(running: string, command: { what: 'done' } | { what: 'failed'; after: number }): void {
    const wish = this.wish(running)
    wish.running = false
    if (command.what === 'done') {
      this.queue.done(running)
      wish.failures = 0
      wish.floor = -1
      return
    }
    wish.failures++
    expect(this.queue.failed(running, command.after)).toBe(wish.failures)
    const wait = Math.max(Math.min(200 * 2 ** (wish.failures - 1), 300_000), command.after * 1.125)
    wish.floor = this.clock.monotonic() + Math.min(wait, 1000)
    wish.retry = this.clock.monotonic() + wait
    // What it wrote itself does not bring the retry forward.
    wish.now = wish.urgent
  }
}

describe('whatever is asked for', () => {
  it('runs in its time, once, by one runner, and nothing is lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60, size: 'max' }), async (commands) => {
        const model = new Model()
        for (const each of commands) await model.run(each)
        for (const each of model.runners) model.end(each, { what: 'done' })
        // Later than any instant, whatever was shifted.
        await model.run({ what: 'advance', ms: 100_000_000 })
        await model.run({ what: 'shift', ms: 100_000_000 })
        await model.run({ what: 'advance', ms: 60_001 })
        const wanted = KEYS.filter((each) => model.wish(each).due)
        expect(wanted).toEqual(KEYS.filter((each) => model.wish(each).now || model.wish(each).at < NEVER || model.wish(each).retry < NEVER))
        const given: string[] = []
        while (model.queue.depth > 0) given.push(await model.take())
        expect(given.sort()).toEqual(wanted)
        for (const each of given) model.end(each, { what: 'done' })
        expect([model.queue.depth, model.queue.running, model.queue.failing, model.clock.pending]).toEqual([0, 0, 0, 0])
      }),
      { numRuns: 500 },
    )
  })
})
