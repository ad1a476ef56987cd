import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { forbidding, runCli, runInWorld } from '../../../support/cli-run.ts'
import { authority, identity, openShop } from '../../../support/scenario/cast.ts'
import { createWorld, type World } from '../../../support/scenario/world.ts'

let world: World
beforeAll(async () => {
  world = createWorld()
  await openShop(world)
  for (const name of ['payments', 'orders', 'parcels']) await identity(world, name)
  await authority(world, 'default')
})

async function complete(...words: readonly string[]): Promise<string[]> {
  const { out, code, errors } = await runInWorld(world, ['__complete', ...words])
  expect([code, errors]).toEqual([0, ''])
  const lines = out.trimEnd().split('\n')
  expect(lines.pop()).toBe(':4')
  return lines.map((line) => line.split('\t')[0] as string)
}

describe('what may come next', () => {
  it.each<[readonly string[], readonly string[]]>([
    [['st'], ['status']],
    [
      ['inspect', 'pa'],
      ['parcels', 'payments'],
    ],
    [['renew', 'payments', 'o'], ['orders']],
    [['explain', 'a'], ['authority']],
    [['explain', 'authority', ''], ['default']],
    [['status', '--al'], ['--all-namespaces']],
    [
      ['status', '-o', ''],
      ['text', 'json', 'yaml'],
    ],
    [['graph', '--output=s'], ['--output=svg']],
    [['status', '-n', 's'], ['shop']],
    [['inspect', '-n', 'default', ''], []],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['help', 'ch'], ['check']],
    [['nothing', ''], []],
    [['status', ''], []],
  ])('after %j is %j', async (words, next) => expect(await complete(...words)).toEqual(next))

  it('at the beginning is every verb with what it does, but none that is for programs', async () => {
    const { out } = await runInWorld(world, ['__complete', ''])
    expect(out).toMatch(/^status\tHow identities and authorities stand/m)
    expect(out).not.toContain('__complete')
  })

  it('is nothing where the cluster may not be asked, without a complaint', async () => {
    const refused = await runInWorld(world, ['__complete', 'inspect', ''], forbidding('mutualidentities'))
    const absent = await runCli(['__complete', 'inspect', '--kubeconfig', '/nowhere', ''])
    for (const ran of [refused, absent]) expect(ran).toEqual({ code: 0, out: ':4\n', errors: '' })
  })
})

describe('the scripts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'completion-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('of bash asks the command and offers its words', async () => {
    writeFileSync(join(folder, 'kubectl-mutual'), '#!/bin/sh\nprintf "%s|" "$@" >&2\nprintf "status\\tabout\\nstart\\n:4\\n"\n')
    chmodSync(join(folder, 'kubectl-mutual'), 0o755)
    const { out } = await runCli(['completion', 'bash'])
    const use = `COMP_WORDS=(kubectl-mutual st); COMP_CWORD=1; _kubectl_mutual; printf "%s\\n" "\${COMPREPLY[@]}"; complete -p kubectl-mutual`
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}` }
    expect(execFileSync('bash', ['-c', `${out}\n${use}`], { env, encoding: 'utf8' })).toBe(
      'status\nstart\ncomplete -F _kubectl_mutual kubectl-mutual\n',
    )
  })

  it('there are for three shells, and others are refused', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) expect((await runCli(['completion', shell])).out).toContain('kubectl-mutual __complete')
    expect(await runCli(['completion', 'fisch'])).toMatchObject({ code: 2, errors: expect.stringContaining('did you mean fish?') })
    expect((await runCli(['completion'])).code).toBe(2)
  })
})
