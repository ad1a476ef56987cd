// The machine's randomness: in range, of the length asked for, and not the same twice.

import { expect, test } from '@jest/globals'
import { systemRandom } from '../../../src/base/random.ts'

test('uniform numbers lie in [0, 1)', () => {
  for (let i = 0; i < 1000; i++) {
    const drawn: number = systemRandom.uniform()
    expect(drawn).toBeGreaterThanOrEqual(0)
    expect(drawn).toBeLessThan(1)
  }
})

test('bytes come in the number asked for, and differ from draw to draw', () => {
  const [first, second] = [systemRandom.bytes(20), systemRandom.bytes(20)]
  expect(first).toHaveLength(20)
  expect(first).not.toEqual(second)
})
