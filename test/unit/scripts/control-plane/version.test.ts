// Versions as programs print them.
import { describe, expect, it } from '@jest/globals'
import { formatVersion, isAtLeast, parseVersion } from '../../../../scripts/control-plane/version.ts'

describe('a version', () => {
  it.each([
    ['go1.26.8', 1, 26, 8],
    ['go1.27rc1', 1, 27, 0],
    ['go version go1.26 linux/amd64', 1, 26, 0],
    ['Kubernetes v1.37.2', 1, 37, 2],
    ['Kubernetes v1.38.0-alpha.1+abc', 1, 38, 0],
    ['etcd Version: 3.7.3\nGit SHA: 1234567\nGo Version: go1.26.8', 3, 7, 3],
    ['Client Version: v1.37.2\nKustomize Version: v5.8.1', 1, 37, 2],
  ])('is read from %j', (text, major, minor, patch) => {
    expect(parseVersion(text)).toEqual({ major, minor, patch })
  })

  it.each(['', 'devel', 'go: command not found', '7'])('is not read from %j', (text) => {
    expect(parseVersion(text)).toBeUndefined()
  })

  it('is compared by number, major first', () => {
    const least = { major: 1, minor: 26 }
    expect(isAtLeast({ major: 1, minor: 26, patch: 0 }, least)).toBe(true)
    expect(isAtLeast({ major: 2, minor: 0, patch: 0 }, least)).toBe(true)
    expect(isAtLeast({ major: 1, minor: 9, patch: 9 }, least)).toBe(false)
    expect(isAtLeast({ major: 0, minor: 99, patch: 0 }, least)).toBe(false)
  })

  it('is printed with the patch only where there is one', () => {
    expect(formatVersion({ major: 1, minor: 37 })).toBe('1.37')
    expect(formatVersion({ major: 1, minor: 37, patch: 0 })).toBe('1.37.0')
  })
})
