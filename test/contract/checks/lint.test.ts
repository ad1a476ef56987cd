// Shows that each lint rule of ours fails on a violation and names the file, and that the one place where a thing is allowed passes.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type CheckedTree, checkedTree, type Verdict } from '../../support/checked-tree.ts'

/** What the tool must say, the file that breaks the rule, and its text. */
const VIOLATIONS: readonly (readonly [saying: string, file: string, text: string])[] = [
  ['lint/style/noProcessEnv', 'src/base/env.ts', 'export const home = process.env.HOME'],
  ['lint/nursery/noProcessExit', 'src/operator.ts', 'export const leave = () => process.exit(1)'],
  ['lint/suspicious/noConsole', 'src/runtime/says.ts', "console.log('hello')"],
  ['only-base-clock', 'src/runtime/now.ts', 'export const now = Date.now()'],
  ['only-base-clock', 'src/runtime/now-handed.ts', 'export const now = [Date.now]'],
  ['only-base-clock', 'src/runtime/today.ts', 'export const today = new Date()'],
  ['only-base-clock', 'src/runtime/today-text.ts', 'export const today = Date()'],
  ['only-base-clock', 'src/runtime/deadline.ts', 'export const deadline = AbortSignal.timeout(5)'],
  ['only-base-clock', 'src/runtime/uptime.ts', 'export const uptime = process.uptime()'],
  ['only-base-clock', 'src/controllers/identity/plan.ts', 'export const plan = Date.now()'],
  ['lint/style/noRestrictedGlobals', 'src/runtime/waits.ts', 'export const wait = setTimeout(() => {}, 5)'],
  ['lint/style/noRestrictedGlobals', 'src/runtime/waits-handed.ts', 'export const wait = [setTimeout]'],
  ['lint/style/noRestrictedGlobals', 'src/runtime/repeats.ts', 'export const repeat = setInterval(() => {}, 5)'],
  ['lint/style/noRestrictedGlobals', 'src/runtime/yields.ts', 'export const soon = setImmediate(() => {})'],
  ['lint/style/noRestrictedGlobals', 'src/runtime/measures.ts', 'export const from = performance.now()'],
  ['lint/style/noRestrictedGlobals', 'src/runtime/hides.ts', 'export const wait = globalThis.setTimeout'],
  ['lint/style/noRestrictedGlobals', 'src/k8s/asks.ts', "export const reply = fetch('https://localhost')"],
  ['lint/style/noRestrictedGlobals', 'src/k8s/listens.ts', "export const socket = new WebSocket('wss://localhost')"],
  ['lint/style/noRestrictedGlobals', 'src/base/clock.ts', "export const reply = fetch('https://localhost')"],
  ['lint/style/noRestrictedGlobals', 'src/pki/global.ts', 'export const subtle = crypto.subtle'],
  ['lint/style/noRestrictedImports', 'src/k8s/connects.ts', "import { connect } from 'node:net'\n\nexport const dial = connect"],
  ['only-base-random', 'src/runtime/jitter.ts', 'export const jitter = Math.random()'],
  ['only-base-random', 'src/runtime/draws.ts', "import { randomBytes } from 'node:crypto'\n\nexport const draw = randomBytes"],
  ['only-base-random', 'src/runtime/renames.ts', "import { randomUUID as uuid } from 'node:crypto'\n\nexport const draw = uuid"],
  ['only-base-random', 'src/runtime/all.ts', "import * as library from 'node:crypto'\n\nexport const id = library.randomUUID()"],
  ['only-base-random', 'src/runtime/web.ts', "import { webcrypto } from 'node:crypto'\n\nexport const fill = webcrypto.getRandomValues"],
  ['only-base-random', 'src/pki/sign.ts', "import { generateKeyPairSync } from 'node:crypto'\n\nexport const make = generateKeyPairSync"],
  ['only-base-random', 'src/pki/p256-key.ts', "import { createECDH } from 'node:crypto'\n\nexport const make = createECDH"],
  ['only-base-random', 'src/base/clock-dice.ts', 'export const dice = Math.random()'],
  ['lint/nursery/noFloatingPromises', 'src/runtime/floats.ts', 'const later = async () => {}\nexport const start = () => {\n  later()\n}'],
  ['lint/nursery/noMisusedPromises', 'src/runtime/asks.ts', 'const later = async () => true\nexport const start = () => (later() ? 1 : 2)'],
  ['lint/suspicious/noExplicitAny', 'src/base/any.ts', 'export type Whatever = any'],
  ['lint/style/noNonNullAssertion', 'src/base/sure.ts', 'export const first = (list: number[]) => list[0]!'],
  ['lint/style/useImportType', 'src/base/typed.ts', "import { Clock } from './words.ts'\n\nexport type Timer = Clock"],
  ['lint/style/noEnum', 'src/base/enum.ts', 'export enum Colour {\n  Red,\n}'],
  ['lint/style/noNamespace', 'src/base/space.ts', 'export namespace Space {\n  export const x = 1\n}'],
  ['lint/style/noDefaultExport', 'src/base/default.ts', 'export default 1'],
  ['lint/style/useFilenamingConvention', 'src/base/camelCase.ts', 'export const camel = 1'],
  ['lint/style/useNodejsImportProtocol', 'src/base/bare.ts', "import { inspect } from 'util'\n\nexport const show = inspect"],
  ['lint/style/useThrowOnlyError', 'src/base/throws.ts', "export const fail = () => {\n  throw 'no'\n}"],
  ['lint/performance/noReExportAll', 'src/base/barrel.ts', "export * from './words.ts'"],
  [
    'lint/complexity/noExcessiveLinesPerFunction',
    'src/base/long.ts',
    `export function long(): number {\n${'  Math.abs(1)\n'.repeat(90)}  return 1\n}`,
  ],
  [
    'lint/style/noExcessiveLinesPerFile',
    'src/base/longer.ts',
    Array.from({ length: 410 }, (_, i) => `export const n${i} = ${i}`).join('\n'),
  ],
  ['lint/correctness/noUnusedImports', 'src/base/idle.ts', "import { inspect } from 'node:util'\n\nexport const idle = 1"],
  ['lint/suspicious/noFocusedTests', 'test/unit/only.test.ts', "import { test } from '@jest/globals'\n\ntest.only('x', () => {})"],
  ['lint/suspicious/noSkippedTests', 'test/unit/skip.test.ts', "import { test } from '@jest/globals'\n\ntest.skip('x', () => {})"],
  ['format', 'src/base/semicolons.ts', 'export const text = "text";'],
]

/** Each thing in the one place where it is allowed. */
const SOUND: Readonly<Record<string, string>> = {
  'src/base/environment.ts': 'export const home = process.env.HOME\n',
  'src/main.ts': 'process.exit(1)\n',
  'src/cli/main.ts': "console.log('hello')\nprocess.exit(1)\n",
  'src/base/clock.ts':
    'export const now = Date.now()\nexport const today = new Date()\nexport const wait = setTimeout(() => {}, performance.now())\n',
  'src/base/words.ts': 'export interface Clock {\n  now(): number\n}\n\nexport const text = (at: number) => new Date(at).toISOString()\n',
  'src/base/random.ts': "import { randomBytes } from 'node:crypto'\n\nexport const draw = [Math.random, randomBytes]\n",
  'src/pki/keys.ts': "import { generateKeyPairSync } from 'node:crypto'\n\nexport const make = generateKeyPairSync\n",
  'src/pki/address.ts': "import { isIP } from 'node:net'\n\nexport const isAddress = isIP\n",
  'src/k8s/transport.ts': "import { connect } from 'node:net'\n\nexport const dial = connect\n",
  'scripts/build.ts': "import process from 'node:process'\n\nconsole.log(process.env.HOME, Date.now())\nprocess.exit(1)\n",
  'test/unit/fine.test.ts':
    "import { expect, test } from '@jest/globals'\n\ntest('time is not over', () => {\n  expect(Date.now()).toBeGreaterThan(0)\n})\n",
}

/** What was found, a text a finding: its file and rule, and for a plugin its message. */
function found({ output }: Verdict): string[] {
  const findings = output.matchAll(/^(\S+?\.ts)(?::\d+:\d+)? (\S+) [^\n]*━\n\n([^\n]*)/gm)
  return [...findings].map(([, file, rule, message]) => `${file} ${rule} ${message}`)
}

describe('code that breaks the rules', () => {
  let tree: CheckedTree
  let findings: string[]
  let code: number
  beforeAll(async () => {
    const broken = Object.fromEntries(VIOLATIONS.map(([, file, text]) => [file, `${text}\n`]))
    tree = checkedTree({ 'src/base/words.ts': SOUND['src/base/words.ts'] ?? '', ...broken })
    const verdict = await tree.check('lint')
    findings = found(verdict)
    code = verdict.code
  })
  afterAll(() => tree[Symbol.dispose]())

  test('makes the check fail', () => {
    expect(code).toBe(1)
  })

  test.each(VIOLATIONS)('%s is said of %s', (saying, file) => {
    const said = findings.filter((finding) => finding.startsWith(`${file} `))
    expect(said).toEqual(expect.arrayContaining([expect.stringContaining(saying)]))
  })

  test('no plugin speaks where it has nothing to say', () => {
    const words = findings.filter((finding) => finding.startsWith('src/base/words.ts'))
    expect(words).toEqual([])
  })
})

test('each thing is allowed in its own place', async () => {
  using tree = checkedTree(SOUND)
  const verdict = await tree.check('lint')
  expect(found(verdict)).toEqual([])
  expect(verdict.code).toBe(0)
})
