// Which executable is taken, of several that are there: scripts that print a version stand for the real ones.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { findBinary } from '../../../../scripts/control-plane/binaries.ts'
import { cachedBinary } from '../../../../scripts/control-plane/cache.ts'

const part = 'kube-apiserver'
let folder: string
let said: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'binaries-'))
  said = []
})

afterEach(() => rmSync(folder, { recursive: true }))

function put(path: string, version: string): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `#!/bin/sh\necho Kubernetes ${version}\n`)
  chmodSync(path, 0o755)
  return path
}

const assets = () => join(folder, 'assets')
const cache = () => join(folder, 'cache')
const onPath = () => join(folder, 'path')
const find = () =>
  findBinary(part, { KUBEBUILDER_ASSETS: assets(), PATH: [join(folder, 'absent'), onPath()].join(delimiter) }, cache(), (line) => {
    said.push(line)
  })

describe('an executable', () => {
  it('of KUBEBUILDER_ASSETS comes before one of our cache', async () => {
    const own = put(join(assets(), part), 'v1.37.0')
    put(cachedBinary(part, cache()), 'v1.37.2')
    await expect(find()).resolves.toBe(own)
  })

  it('of our cache comes before one on PATH', async () => {
    const cached = put(cachedBinary(part, cache()), 'v1.37.2')
    put(join(onPath(), part), 'v1.38.0')
    await expect(find()).resolves.toBe(cached)
  })

  it('on PATH is taken when it is new enough', async () => {
    const found = put(join(onPath(), part), 'v1.38.0')
    await expect(find()).resolves.toBe(found)
    expect(said).toEqual([])
  })

  it('that is too old is passed over, with a word on it', async () => {
    const old = put(join(assets(), part), 'v1.31.0')
    const older = put(join(onPath(), part), 'v1.9.11')
    await expect(find()).resolves.toBeUndefined()
    expect(said).toEqual([
      `passing over ${old}: it is version 1.31.0, needed is 1.37 or newer`,
      `passing over ${older}: it is version 1.9.11, needed is 1.37 or newer`,
    ])
  })

  it('that does not run is passed over, with a word on it', async () => {
    const broken = put(join(onPath(), part), 'v1.37.2; exit 1')
    await expect(find()).resolves.toBeUndefined()
    expect(said).toEqual([`passing over ${broken}: it does not tell its version, needed is 1.37 or newer`])
  })

  it('is not a folder, nor a file without the right to run it', async () => {
    mkdirSync(join(assets(), part), { recursive: true })
    chmodSync(put(join(onPath(), part), 'v1.37.2'), 0o644)
    await expect(find()).resolves.toBeUndefined()
  })

  it('is not looked for in relative folders of PATH', async () => {
    await expect(findBinary(part, { PATH: '.:' }, cache(), () => undefined)).resolves.toBeUndefined()
  })
})
