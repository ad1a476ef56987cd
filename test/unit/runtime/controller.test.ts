// The controller: what follows from how a pass ends, what is logged, how it stops.

import { describe, expect, it } from '@jest/globals'
import { OperatorError } from '../../../src/base/errors.ts'
import type { Log, LogFields } from '../../../src/base/log.ts'
import type { Random } from '../../../src/base/random.ts'
import { ConcurrencyLimit } from '../../../src/runtime/concurrency-limit.ts'
import { Controller, type ControllerOptions, type Next, type Pass, type PassSample } from '../../../src/runtime/controller.ts'
import { settled, virtualClock } from '../../support/virtual-clock.ts'

const middle: Random = { uniform: () => 0.5, bytes: (count) => new Uint8Array(count) }
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const idle: Next = { at: undefined }

interface Line extends LogFields {
  readonly level: string
  readonly message: string
}

function listeningLog(lines: Line[], bound: LogFields = {}): Log {
  const at = (level: string) => (message: string, fields?: LogFields) => void lines.push({ level, message, ...bound, ...fields })
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => listeningLog(lines, { ...bound, ...fields }),
  }
}

async function started(reconcile: (pass: Pass) => Promise<Next>, more: Partial<ControllerOptions> = {}) {
  const clock = virtualClock()
  const lines: Line[] = []
  const passes: string[] = []
  const samples: PassSample[] = []
  const controller = new Controller({
    name: 'identity',
    concurrency: 2,
    clock,
    random: middle,
    log: listeningLog(lines),
    observe: (sample) => samples.push(sample),
    ...more,
    reconcile(pass) {
      passes.push(pass.key)
      return reconcile(pass)
    },
  })
  await controller.start()
  /** The lines of that level and above. */
  const loud = (...levels: string[]): string[] =>
    lines.filter((line) => levels.includes(line.level)).map((line) => `${line.level}: ${line.message}`)
  return { clock, controller, lines, passes, samples, loud }
}

/** A promise that a test resolves when it likes. */
const gate = () => Promise.withResolvers<Next>()

describe('a pass', () => {
  it('is told its key, and logs under it', async () => {
    const { clock, controller, lines } = await started(async (pass) => {
      pass.log.info('issued')
      return idle
    })
    controller.enqueue('shop/web')
    controller.enqueue('node-1')
    await clock.advance(0)
    expect(lines).toEqual([
      { level: 'info', message: 'issued', controller: 'identity', namespace: 'shop', name: 'web' },
      { level: 'info', message: 'issued', controller: 'identity', name: 'node-1' },
    ])
  })

  it('that may come later comes once for all that ask meanwhile, no later than the first of them wants it', async () => {
    const { clock, controller, passes } = await started(async () => idle)
    controller.enqueueWithin('a', 5 * SECOND)
    await clock.advance(4 * SECOND)
    controller.enqueueWithin('a', 5 * SECOND)
    const early = [...passes]
    await clock.advance(SECOND)
    expect([early, passes]).toEqual([[], ['a']])
    await clock.advance(HOUR)
    expect(passes).toEqual(['a'])
  })

  it('that is quiet logs nothing and counts as ok', async () => {
    const { clock, controller, lines, samples } = await started(async () => idle)
    controller.enqueue('a')
    await clock.advance(HOUR)
    expect(lines).toEqual([])
    expect(samples).toEqual([{ controller: 'identity', outcome: 'ok', durationMs: 0 }])
  })

  it('runs beside passes of other keys, up to the concurrency', async () => {
    const gates = [gate(), gate(), gate()]
    let begun = 0
    const { clock, controller } = await started(() => (gates[begun++] as ReturnType<typeof gate>).promise)
    for (const key of ['a', 'b', 'c']) controller.enqueue(key)
    await clock.advance(0)
    expect([begun, controller.figures.running, controller.figures.depth]).toEqual([2, 2, 1])
    gates[0]?.resolve(idle)
    await clock.advance(0)
    expect(begun).toBe(3)
  })

  it('runs beside as many others as the API server takes, more of them as soon as it takes more', async () => {
    const concurrency = new ConcurrencyLimit({ clock: virtualClock(), most: 9 })
    const gates = Array.from({ length: 12 }, gate)
    let begun = 0
    const { clock, controller } = await started(() => (gates[begun++] as ReturnType<typeof gate>).promise, { concurrency })
    for (let key = 0; key < 12; key++) controller.enqueue(`key-${key}`)
    await clock.advance(0)
    expect(begun).toBe(8)
    const answers = (): void => {
      for (let answer = 0; answer < 16; answer++)
        concurrency.observe({ verb: 'create', resource: 'secrets', code: 201, durationMs: 5, throttled: false })
    }
    answers() // of the round that all others are compared with
    gates[0]?.resolve(idle)
    await clock.advance(0)
    expect([begun, controller.figures.running]).toEqual([9, 8])
    answers()
    gates[1]?.resolve(idle)
    await clock.advance(0)
    expect([begun, controller.figures.running]).toEqual([11, 9])
  })

  it('says when to look again', async () => {
    const { clock, controller, passes } = await started(async () => ({ at: clock.now() + HOUR }))
    controller.enqueue('a')
    await clock.advance(HOUR - 1)
    expect(passes.length).toBe(1)
    await clock.advance(1)
    expect(passes.length).toBe(2)
    await clock.advance(HOUR)
    expect(passes.length).toBe(3)
  })

  it('follows at once when something changed while one ran', async () => {
    const { clock, controller, passes } = await started(async () => {
      if (passes.length === 1) controller.enqueue('a', { own: true })
      return idle
    })
    controller.enqueue('a')
    await clock.advance(0)
    expect(passes).toEqual(['a', 'a'])
  })

  it('that does not end is told of once, after five minutes', async () => {
    const { clock, controller, loud } = await started(() => gate().promise)
    controller.enqueue('a')
    await clock.advance(5 * MINUTE - 1)
    expect(loud('warn')).toEqual([])
    expect(controller.figures.oldestPassMs).toBe(5 * MINUTE - 1)
    await clock.advance(HOUR)
    expect(loud('warn')).toEqual(['warn: a pass does not end'])
  })
})

describe('a pass that throws', () => {
  const refused = new OperatorError('retry', 'ConnectionLost', 'the connection broke')

  it('does not disturb other keys', async () => {
    const { clock, controller, passes } = await started(async ({ key }) => {
      if (key === 'bad') throw new Error('oops')
      return idle
    })
    for (const key of ['bad', 'a', 'bad', 'b']) controller.enqueue(key)
    await clock.advance(0)
    expect(passes).toEqual(['bad', 'a', 'b'])
  })

  it.each<[string, () => Promise<Next>]>([
    [
      'before it returns a promise',
      () => {
        throw new Error('oops')
      },
    ],
    ['nothing at all', () => Promise.reject(undefined)],
    ['because it returned nothing', async () => undefined as unknown as Next],
    ['because it wants to be repeated at no time', async () => ({ at: Number.NaN })],
  ])('%s is a bug like any other', async (_, reconcile) => {
    const { clock, controller, samples, passes } = await started(reconcile)
    controller.enqueue('a')
    await clock.advance(199)
    expect(samples.map((sample) => sample.outcome)).toEqual(['bug'])
    await clock.advance(1)
    expect(passes.length).toBe(2)
  })

  it('to retry is repeated by backoff and told how often it failed', async () => {
    const attempts: number[] = []
    const { clock, controller } = await started(async (pass) => {
      attempts.push(pass.attempts)
      throw refused
    })
    controller.enqueue('a')
    await clock.advance(200 + 400 + 800)
    expect(attempts).toEqual([0, 1, 2, 3])
  })

  it('to retry after a while is not repeated before', async () => {
    const { clock, controller, passes } = await started(async () => {
      throw new OperatorError('retry', 'Throttled', 'too many', { after: 30 * SECOND })
    })
    controller.enqueue('a')
    await clock.advance(30 * SECOND)
    expect(passes.length).toBe(1)
    await clock.advance(8 * SECOND)
    expect(passes.length).toBe(2)
  })

  it('because it is blocked is seldom repeated by itself, and soon after an event', async () => {
    const { clock, controller, passes } = await started(async () => {
      throw new OperatorError('blocked', 'AuthorityNotFound', 'there is no authority main')
    })
    controller.enqueue('a')
    await clock.advance(59 * SECOND)
    expect(passes.length).toBe(1)
    await clock.advance(10 * SECOND)
    expect(passes.length).toBe(2)
    await clock.advance(2 * HOUR)
    expect(passes.length).toBeLessThan(45)
    passes.length = 2
    controller.enqueue('a')
    await clock.advance(SECOND)
    expect(passes.length).toBe(3)
  })

  it('is not repeated in a loop by its own status write', async () => {
    const { clock, controller, passes } = await started(async () => {
      controller.enqueue('a', { own: true })
      throw refused
    })
    controller.enqueue('a')
    await clock.advance(HOUR)
    expect(passes.length).toBeLessThan(25)
  })
})

describe('the log of failures', () => {
  it('warns of a blocked key once while the message stays', async () => {
    let message = 'there is no authority main'
    const { clock, controller, loud, lines } = await started(async () => {
      throw new OperatorError('blocked', 'AuthorityNotFound', message)
    })
    controller.enqueue('shop/web')
    await clock.advance(20 * MINUTE)
    expect(loud('info', 'warn', 'error')).toEqual(['warn: waits for a change'])
    expect(lines[0]).toMatchObject({ namespace: 'shop', name: 'web', reason: 'AuthorityNotFound', error: message, attempts: 1 })
    message = 'the authority main is not ready'
    await clock.advance(10 * MINUTE)
    expect(loud('warn').length).toBe(2)
  })

  it('repeats an unchanged warning after an hour', async () => {
    const { clock, controller, loud } = await started(async () => {
      throw new OperatorError('blocked', 'AuthorityNotFound', 'none')
    })
    controller.enqueue('a')
    await clock.advance(HOUR + 6 * MINUTE)
    expect(loud('warn').length).toBe(2)
  })

  it('says of passing faults so at first and warns at the third', async () => {
    const { clock, controller, loud } = await started(async () => {
      throw new OperatorError('retry', 'Conflict', 'changed meanwhile')
    })
    controller.enqueue('a')
    await clock.advance(200)
    expect(loud('info', 'warn')).toEqual(['info: failed, will try again'])
    await clock.advance(400)
    expect(loud('info', 'warn')).toEqual(['info: failed, will try again', 'warn: failed, will try again'])
    await clock.advance(10 * MINUTE)
    expect(loud('info', 'warn').length).toBe(2)
  })

  it('gives the stack of a bug', async () => {
    const { clock, controller, lines } = await started(async () => {
      throw new TypeError('x is undefined')
    })
    controller.enqueue('a')
    await clock.advance(0)
    expect(lines[0]).toMatchObject({ level: 'error', error: 'x is undefined', reason: 'InternalError' })
    expect(lines[0]?.stack).toContain('controller.test.ts')
  })

  it('says when a key works again, and warns anew when it fails anew', async () => {
    let works = false
    const { clock, controller, loud } = await started(async () => {
      if (works) return idle
      throw new OperatorError('blocked', 'AuthorityNotFound', 'none')
    })
    controller.enqueue('a')
    await clock.advance(SECOND)
    works = true
    controller.enqueue('a')
    await clock.advance(SECOND)
    works = false
    controller.enqueue('a')
    await clock.advance(SECOND)
    expect(loud('info', 'warn')).toEqual(['warn: waits for a change', 'info: works again', 'warn: waits for a change'])
  })

  it('has a line for an observer that throws, which stops nothing', async () => {
    const { clock, controller, passes, loud } = await started(async () => idle, {
      observe() {
        throw new Error('no')
      },
    })
    for (const key of ['a', 'b', 'c']) controller.enqueue(key)
    await clock.advance(0)
    expect(passes.length).toBe(3)
    expect(loud('error').length).toBe(3)
  })
})

describe('looking again at everything', () => {
  it('wakes each key once in a period, spread over it', async () => {
    const keys = Array.from({ length: 10 }, (_, i) => `k${i}`)
    let dice = 0
    const { clock, passes } = await started(async () => idle, {
      random: { ...middle, uniform: () => (dice++ % 10) / 10 },
      resync: { keys: () => keys, everyMs: 10 * MINUTE },
    })
    await clock.advance(10 * MINUTE)
    expect(passes.length).toBe(1)
    await clock.advance(5 * MINUTE)
    expect(passes.length).toBe(6)
    await clock.advance(5 * MINUTE - 1)
    expect(passes.toSorted()).toEqual(keys)
  })

  it('goes on when the keys cannot be listed once', async () => {
    let calls = 0
    const { clock, passes, loud } = await started(async () => idle, {
      resync: {
        everyMs: MINUTE,
        keys() {
          if (calls++ === 0) throw new Error('no')
          return ['a']
        },
      },
    })
    await clock.advance(3 * MINUTE)
    expect(passes).toEqual(['a'])
    expect(loud('error').length).toBe(1)
  })

  it('at once wakes all', async () => {
    const { clock, controller, passes } = await started(async () => idle)
    controller.resync(['a', 'b'])
    await clock.advance(0)
    expect(passes).toEqual(['a', 'b'])
  })
})

describe('stopping', () => {
  it('begins no pass more and waits for the running ones', async () => {
    const running = gate()
    const { clock, controller, passes } = await started(() => running.promise)
    for (const key of ['a', 'b', 'c']) controller.enqueue(key)
    await clock.advance(0)
    let stopped = false
    void controller.stop().then(() => (stopped = true))
    await clock.advance(SECOND)
    expect([stopped, passes.length]).toEqual([false, 2])
    running.resolve({ at: clock.now() + SECOND })
    await clock.advance(0)
    expect([stopped, passes.length, clock.pending]).toEqual([true, 2, 0])
  })

  it('aborts passes after twenty seconds, and their failing then is no news', async () => {
    const { clock, controller, loud } = await started(
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new OperatorError('retry', 'Cancelled', 'aborted')))),
    )
    controller.enqueue('a')
    await clock.advance(0)
    let stopped = false
    void controller.stop().then(() => (stopped = true))
    await clock.advance(20 * SECOND - 1)
    expect(stopped).toBe(false)
    await clock.advance(1)
    expect([stopped, loud('info', 'warn', 'error'), clock.pending]).toEqual([true, ['warn: passes are aborted'], 0])
  })

  it('leaves a pass that does not listen to itself after five more', async () => {
    const { clock, controller, loud } = await started(() => gate().promise)
    controller.enqueue('a')
    await clock.advance(0)
    let stopped = false
    void controller.stop().then(() => (stopped = true))
    await clock.advance(25 * SECOND)
    expect([stopped, loud('error')]).toEqual([true, ['error: passes do not end']])
  })

  it('of one that idles, or never started, is immediate and leaves no timer', async () => {
    const { clock, controller } = await started(async () => ({ at: clock.now() + HOUR }), { resync: { keys: () => [], everyMs: HOUR } })
    controller.enqueue('a')
    await clock.advance(MINUTE)
    await controller.stop()
    expect(clock.pending).toBe(0)
    const unused = new Controller({ name: 'x', concurrency: 1, clock, random: middle, log: listeningLog([]), reconcile: async () => idle })
    await unused.stop()
    await expect(unused.start()).rejects.toThrow('started before')
  })
})

describe('many ready keys', () => {
  it('do not begin after stop(), also where a worker has one in hand and waits for its turn', async () => {
    let computed = 0
    const clock = { ...virtualClock(), monotonic: () => computed }
    const log = listeningLog([])
    const reconcile = async (): Promise<Next> => {
      computed++
      return idle
    }
    const controller = new Controller({ name: 'busy', concurrency: 50, clock, random: middle, log, reconcile })
    for (let i = 0; i < 1000; i++) controller.enqueue(`k${i}`)
    await controller.start()
    await settled()
    const before = computed
    await controller.stop()
    expect([before > 0, computed - before]).toEqual([true, 0])
  })

  it.each([1, 4, 50])('do not hold up timers and sockets while passes compute, with %d workers', async (concurrency) => {
    let computed = 0
    const clock = { ...virtualClock(), monotonic: () => computed }
    let sinceTurn = 0
    let most = 0
    const controller = new Controller({
      name: 'busy',
      concurrency,
      clock,
      random: middle,
      log: listeningLog([]),
      async reconcile() {
        computed++
        sinceTurn++
        return idle
      },
    })
    for (let i = 0; i < 1000; i++) controller.enqueue(`k${i}`)
    await controller.start()
    while (computed < 1000) {
      await settled()
      most = Math.max(most, sinceTurn)
      sinceTurn = 0
    }
    // Five passes of a millisecond each are a turn; the first count may hold those of two.
    expect(most).toBeLessThanOrEqual(10)
    await controller.stop()
  })
})
