// The machine's clock with its timers faked: a real wait beyond 2^31 ms takes 25 days.

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { sleep, systemClock } from '../../../src/base/clock.ts'
import { virtualClock } from '../../support/virtual-clock.ts'

const DAY = 86_400_000

describe('a timer of the machine', () => {
  beforeEach(() => void jest.useFakeTimers())
  afterEach(() => void jest.useRealTimers())
  const started = (ms: number) => {
    const run = jest.fn()
    return { run, cancel: systemClock.after(ms, run) }
  }

  it.each([1, 1000, 24 * DAY, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 90 * DAY])('of %i ms runs then, once, and not before', (ms) => {
    const { run } = started(ms)
    jest.advanceTimersByTime(ms - 1)
    expect(run).not.toHaveBeenCalled()
    jest.advanceTimersByTime(1)
    expect(run).toHaveBeenCalledTimes(1)
    jest.advanceTimersByTime(100 * DAY)
    expect(run).toHaveBeenCalledTimes(1)
  })

  it.each([0, -5])('of %i ms runs at once, but not before it was set', (ms) => {
    const { run } = started(ms)
    expect(run).not.toHaveBeenCalled()
    jest.advanceTimersByTime(1)
    expect(run).toHaveBeenCalledTimes(1)
  })

  it.each([1000, 90 * DAY])('of %i ms can be taken back, also in the middle of a long wait', (ms) => {
    const { run, cancel } = started(ms)
    jest.advanceTimersByTime(ms - 1)
    cancel()
    jest.advanceTimersByTime(100 * DAY)
    expect(run).not.toHaveBeenCalled()
    expect(jest.getTimerCount()).toBe(0)
  })
})

it('the monotonic clock goes on, and the wall clock is that of the machine', () => {
  const before = [systemClock.monotonic(), Date.now()] as const
  expect(systemClock.monotonic()).toBeGreaterThanOrEqual(before[0])
  expect(Math.abs(systemClock.now() - before[1])).toBeLessThan(5000)
})

describe('a sleep', () => {
  it('ends after its time', async () => {
    const clock = virtualClock()
    let awake = false
    const asleep = sleep(clock, 1000).then(() => (awake = true))
    await clock.advance(999)
    expect(awake).toBe(false)
    await clock.advance(1)
    await asleep
    expect(awake).toBe(true)
  })

  it('ends at once when its signal aborts, and leaves no timer', async () => {
    const clock = virtualClock()
    const control = new AbortController()
    const asleep = sleep(clock, 1000, control.signal)
    control.abort()
    await asleep
    expect(clock.pending).toBe(0)
  })

  it('does not begin when its signal has aborted', async () => {
    const clock = virtualClock()
    await sleep(clock, 1000, AbortSignal.abort())
    expect(clock.pending).toBe(0)
  })
})
