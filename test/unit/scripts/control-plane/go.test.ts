// What is said where there is no Go to build with: scripts stand for the go command.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { checkGo } from '../../../../scripts/control-plane/go.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'go-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function check(script?: string): Promise<void> {
  if (script !== undefined) {
    writeFileSync(join(folder, 'go'), `#!/bin/sh\n${script}\n`)
    chmodSync(join(folder, 'go'), 0o755)
  }
  return checkGo(folder, { PATH: folder })
}

describe('the Go toolchain', () => {
  it.each(['echo go1.26.8', 'echo go1.27rc1', 'echo go2.0'])('is good: %s', async (script) => {
    await expect(check(script)).resolves.toBeUndefined()
  })

  it('that is absent is named, with all remedies', async () => {
    const refusal = check()
    await expect(refusal).rejects.toThrow('there is no `go` on PATH')
    await expect(refusal).rejects.toThrow(/install Go 1\.26 .*KUBEBUILDER_ASSETS.*PATH/s)
  })

  it.each([
    ['echo go1.9.7', 'found is go1.9.7'],
    ['echo go1.25.1', 'found is go1.25.1'],
    ['echo devel', 'found is devel'],
    ['echo "go: go.mod requires go >= 1.26.0 (running go 1.24.1; GOTOOLCHAIN=local)" >&2; exit 1', 'running go 1.24.1'],
  ])('that is too old or unknown is named: %s', async (script, words) => {
    await expect(check(script)).rejects.toThrow(words)
  })

  it('is asked with flags that the user cannot change', async () => {
    await expect(check(`[ "$GOFLAGS" = -mod=readonly ] && [ "$CGO_ENABLED" = 0 ] && echo go1.26.0`)).resolves.toBeUndefined()
  })
})
