import { describe, expect, it } from '@jest/globals'
import { Pace } from '../../../../src/controllers/restart/pace.ts'

describe('the pace of restarts', () => {
  it('lets the first one go at once, and the next one five seconds later, whatever their keys', () => {
    const pace = new Pace(0)
    expect([pace.turn('a', 100), pace.turn('b', 100), pace.turn('a', 5_099), pace.turn('b', 5_100)]).toEqual([0, 5_000, 5_001, 0])
  })

  it('tells each of those that wait when it is its turn, in the order they came', () => {
    const pace = new Pace(0)
    pace.turn('first', 0)
    expect(['a', 'b', 'c', 'b'].map((key) => pace.turn(key, 1_000))).toEqual([4_000, 9_000, 14_000, 9_000])
  })

  it('forgets one that has nothing to restart any more', () => {
    const pace = new Pace(0)
    pace.turn('first', 0)
    pace.turn('a', 0)
    pace.turn('b', 0)
    pace.leave('a')
    expect(pace.turn('b', 5_000)).toBe(0)
  })

  it('remembers what was done, also when a later try fails', () => {
    const pace = new Pace(0)
    pace.tried('uid', 1, { serialNumber: '0a', at: 7 })
    pace.tried('uid', 2)
    expect(pace.knownOf('uid')).toEqual({ triedAt: 2, done: { serialNumber: '0a', at: 7 } })
  })

  it('remembers no more than some thousand', () => {
    const pace = new Pace(0)
    for (let n = 0; n < 5_000; n++) pace.tried(String(n), n)
    expect([pace.knownOf('0'), pace.knownOf('4999')]).toEqual([undefined, { triedAt: 4_999, done: undefined }])
  })

  it('gives lists half a minute', () => {
    const pace = new Pace(1_000)
    expect([pace.graceLeft(1_000), pace.graceLeft(40_000)]).toEqual([30_000, 0])
  })
})
