import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { VERBS } from '../../../src/cli/verbs.ts'
import { runCli } from '../../support/cli-run.ts'

const nowhere = async (): Promise<never> => {
  throw new Error('it must not connect')
}
const run = (...args: readonly string[]) => runCli(args, { connect: nowhere })
const listed = VERBS.filter(({ summary }) => summary !== '')

describe('verbs', () => {
  it('are all listed by help, by --help and where there are no words', async () => {
    const { out, code } = await run('help')
    for (const { name, summary } of listed)
      expect(out).toMatch(new RegExp(`^ {2}${name} .*${summary.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`, 'm'))
    expect(code).toBe(0)
    expect([(await run('--help')).out, (await run()).out]).toEqual([out, out])
  })

  it.each(listed.map(({ name }) => name))('%s has a page of its own, by --help, -h and help', async (name) => {
    const { out, code } = await run(name, '--help')
    expect([code, out]).toEqual([0, expect.stringMatching(new RegExp(`^Usage: kubectl mutual ${name}( \\S+)*$`, 'm'))])
    expect(out).toContain('Exit codes: 0 good')
    expect([(await run(name, '-h')).out, (await run('help', name)).out]).toEqual([out, out])
  })

  it.each([
    ['stats', 'status'],
    ['statsu', 'status'],
    ['Explain', 'explain'],
    ['ren', 'renew'],
  ])('%s is refused with a guess: %s', async (word, guessed) => {
    const { code, errors, out } = await run(word)
    expect([code, out]).toEqual([2, ''])
    expect(errors).toContain(`there is no verb ${JSON.stringify(word)}; did you mean ${guessed}?`)
  })

  it('that are like no other get no guess, and are printable', async () => {
    const { code, errors } = await run('\x1b[2Jxyzzy')
    expect([code, errors]).toEqual([2, 'error: there is no verb "\\u001b[2Jxyzzy"\nSee kubectl mutual help\n'])
  })

  it('come before flags', async () => {
    expect(await run('-n', 'shop', 'status')).toMatchObject({ code: 2, errors: expect.stringContaining('flags come after the verb') })
  })

  it('have one form of answer, or those that they name', async () => {
    expect(await run('renew', 'a', '-o', 'json')).toMatchObject({ code: 2, errors: expect.stringContaining('one form of answer only') })
    expect(await run('status', '-o', 'jso')).toMatchObject({ code: 2, errors: expect.stringContaining('did you mean json?') })
  })
})

describe('version', () => {
  it('is that of the package, with the API that it speaks', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    const { out } = await run('version', '-o', 'json')
    expect(JSON.parse(out)).toMatchObject({ plugin: version, api: 'mutualidentity.io/v1alpha1' })
    expect((await run('version')).out).toMatch(new RegExp(`^Plugin: +${version}$`, 'm'))
  })
})
