// Where the control plane keeps what it built, and that the table of parts says what the Go modules pin.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { cacheDirectory, cachedBinary, moduleDirectory } from '../../../../scripts/control-plane/cache.ts'
import { allParts, partSources } from '../../../../scripts/control-plane/parts.ts'

describe('the cache directory', () => {
  it.each([
    ['our own variable wins', { MUTUAL_IDENTITY_CACHE: '/own', XDG_CACHE_HOME: '/xdg' }, 'linux', '/own'],
    ['XDG_CACHE_HOME comes next', { XDG_CACHE_HOME: '/xdg' }, 'linux', '/xdg/mutual-identity'],
    ['a relative XDG_CACHE_HOME is ignored', { XDG_CACHE_HOME: 'xdg' }, 'linux', '/home/me/.cache/mutual-identity'],
    ['an empty variable counts as unset', { MUTUAL_IDENTITY_CACHE: '', XDG_CACHE_HOME: '' }, 'linux', '/home/me/.cache/mutual-identity'],
    ['macOS has a place of its own', {}, 'darwin', '/home/me/Library/Caches/mutual-identity'],
  ] as const)('%s', (_, environment, platform, expected) => {
    expect(cacheDirectory(environment, platform, '/home/me')).toBe(expected)
  })
})

describe('a built executable', () => {
  it.each(allParts)('%s is kept under its version and platform', (part) => {
    const path = cachedBinary(part, '/cache')
    const { module, version } = partSources[part]
    expect(path).toMatch(new RegExp(`^/cache/bin/${module}-${version}-${process.platform}-${process.arch}-[0-9a-f]{12}/${part}$`))
  })

  it('has a folder that changes with what is linked in', () => {
    expect(new Set(allParts.map((part) => cachedBinary(part, '/cache'))).size).toBe(allParts.length)
  })

  it.each(allParts)('%s is built from a module that pins the version of the table', (part) => {
    const pinned = readFileSync(join(moduleDirectory(part), 'go.mod'), 'utf8')
    const { goPackage, version } = partSources[part]
    const pins = [...pinned.matchAll(/^require (\S+) (\S+)$/gm)].map(([, root, pin]) => ({ root, pin }))
    expect(pins).toContainEqual({ root: expect.any(String), pin: version })
    expect(goPackage.startsWith(pins.find(({ pin }) => pin === version)?.root ?? 'none')).toBe(true)
  })

  it.each(allParts)('%s is imported by the file that keeps the module complete', (part) => {
    expect(readFileSync(join(moduleDirectory(part), 'tools.go'), 'utf8')).toContain(`"${partSources[part].goPackage}"`)
  })
})
