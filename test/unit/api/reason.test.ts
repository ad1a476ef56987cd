// The closed list of reasons: complete, well-formed, and the only words there are.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { eventType, isReason, REASONS, type Reason } from '../../../src/api/reason.ts'
import { attemptReasons } from '../../../src/api/reasons/attempts.ts'
import { authorityReasons } from '../../../src/api/reasons/authority.ts'
import { identityReasons } from '../../../src/api/reasons/identity.ts'

const SOURCE = join(import.meta.dirname, '..', '..', '..', 'src')

/** Reasons of errors that end the start or the stop of the process: nobody has an object to show them on. */
const OF_THE_PROCESS = new Set(['NoClusterAccess', 'NamespaceMissing', 'Stopped', 'Usage'])

/** The reasons of all errors that are made in src, by the text of the source: lower layers do not know the table. */
function thrownReasons(): Map<string, string> {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
  const found = files.flatMap((path) => {
    const text = readFileSync(join(SOURCE, path), 'utf8')
    const thrown = text.matchAll(/new OperatorError\(\s*'\w+',\s*'(\w+)'/g)
    const refused = path.startsWith('pki') ? text.matchAll(/reason: '(\w+)'/g) : []
    return [...thrown, ...refused].map(([, reason = '']) => [reason, path] as const)
  })
  return new Map(found)
}

/** The reasons of ApiError, from the table of their consequences. */
function apiReasons(): string[] {
  const text = readFileSync(join(SOURCE, 'k8s', 'errors.ts'), 'utf8')
  const [, table = ''] = /const CONSEQUENCES[^{]*\{([^}]*)\}/.exec(text) ?? []
  return [...table.matchAll(/^\s*(\w+): '/gm)].map(([, reason = '']) => reason)
}

describe('reasons', () => {
  it('are words that Kubernetes takes as the reason of a condition', () => {
    expect(Object.keys(REASONS).filter((reason) => !/^[A-Z][A-Za-z]{0,127}$/.test(reason))).toEqual([])
  })

  it('stand in one table each', () => {
    const tables = [identityReasons, authorityReasons, attemptReasons].map((table) => Object.keys(table))
    expect(Object.keys(REASONS)).toHaveLength(tables.flat().length)
  })

  it('say what they mean and what to do, in whole sentences', () => {
    const entries = Object.entries(REASONS)
    expect(
      entries.filter(([, { summary, remedy }]) => ![summary, remedy].every((text) => /^[A-Z].*\.$/.test(text))).map(([reason]) => reason),
    ).toEqual([])
  })

  it('that need a person say what the person does', () => {
    const refused = Object.entries(REASONS).filter(([, { kind }]) => kind === 'refused')
    expect(refused.length).toBeGreaterThan(5)
    expect(refused.filter(([, { remedy }]) => remedy === 'Nothing.')).toEqual([])
  })

  it('hold every reason that an error is made with', () => {
    const unknown = [...thrownReasons()].filter(([reason]) => !isReason(reason) && !OF_THE_PROCESS.has(reason))
    expect(unknown).toEqual([])
  })

  it('hold every reason that the API server gives', () => {
    const reasons = apiReasons()
    expect(reasons).toContain('Forbidden')
    expect(reasons.filter((reason) => !isReason(reason))).toEqual([])
  })

  it('do not hold what every object inherits', () => {
    expect(isReason('constructor')).toBe(false)
  })

  it.each<[Reason, 'Normal' | 'Warning']>([
    ['Issued', 'Normal'],
    ['RenewalDue', 'Normal'],
    ['SecretNotOwned', 'Warning'],
    ['Forbidden', 'Warning'],
  ])('%s makes events of type %s', (reason, type) => {
    expect(eventType(reason)).toBe(type)
  })
})
