// The order of resourceVersions.

import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { compareVersions, isVersion, NO_VERSION, newerVersion } from '../../../src/k8s/resource-version.ts'

const version = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n })

describe('resourceVersions', () => {
  it('are ordered as 64-bit numbers', () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(Math.sign(compareVersions(String(a), String(b)))).toBe(a < b ? -1 : a > b ? 1 : 0)
        const newest = [a, b].toSorted((x, y) => (x < y ? -1 : 1)).at(-1)
        expect(newerVersion(String(a), String(b))).toBe(String(newest))
      }),
    )
  })

  it('differ where floating point numbers do not', () => {
    expect(compareVersions('9007199254740993', '9007199254740992')).toBeGreaterThan(0)
  })

  it('are all newer than none', () => {
    expect(compareVersions('1', NO_VERSION)).toBeGreaterThan(0)
  })

  it.each(['', '0', '012', '-1', '1.0', 'abc', '123456789012345678901', undefined, 12])('%s is none', (text) => {
    expect(isVersion(text)).toBe(false)
  })
})
