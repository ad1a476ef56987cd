// Shows that each rule about imports fails on a violation and names the file, and that code which keeps the rules passes.
// The violations stand in one tree, so that the tool runs once; each is one file that breaks one rule.

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type CheckedTree, checkedTree, type Verdict } from '../../support/checked-tree.ts'

/** Rule, the file that breaks it, and its text. */
const VIOLATIONS: readonly (readonly [rule: string, file: string, text: string])[] = [
  ['base-imports-nothing', 'src/base/bad.ts', "export * from '../pki/pem.ts'"],
  ['api-layer', 'src/api/bad.ts', "export type { Client } from '../k8s/client.ts'"],
  ['api-layer', 'src/api/worse.ts', "export * from '../runtime/queue.ts'"],
  ['api-only-pki-parsers', 'src/api/signs.ts', "export * from '../pki/sign.ts'"],
  ['api-no-io', 'src/api/reads.ts', "export { readFileSync } from 'node:fs'"],
  ['pki-layer', 'src/pki/bad.ts', "export * from '../api/names.ts'"],
  ['pki-layer', 'src/pki/worse.ts', "export * from '../issuers/issuer.ts'"],
  ['pki-no-clock', 'src/pki/late.ts', "export { systemClock } from '../base/clock.ts'"],
  ['pki-no-io', 'src/pki/reads.ts', "export { readFile } from 'node:fs/promises'"],
  ['k8s-layer', 'src/k8s/bad.ts', "export * from '../pki/pem.ts'"],
  ['k8s-layer', 'src/k8s/worse.ts', "export type { Name } from '../api/names.ts'"],
  ['runtime-layer', 'src/runtime/bad.ts', "export * from '../controllers/identity/plan.ts'"],
  ['runtime-layer', 'src/runtime/worse.ts', "export * from '../telemetry/http.ts'"],
  ['issuers-layer', 'src/issuers/bad.ts', "export * from '../runtime/queue.ts'"],
  ['issuers-apart', 'src/issuers/vault.ts', "export * from './self-managed.ts'"],
  ['issuers-apart', 'src/issuers/acme/sign.ts', "export * from '../self-managed.ts'"],
  ['plan-layer', 'src/controllers/identity/plan-now.ts', "export { systemClock } from '../../base/clock.ts'"],
  ['plan-layer', 'src/controllers/identity/plan-dice.ts', "export { systemRandom } from '../../base/random.ts'"],
  ['plan-layer', 'src/controllers/identity/plan-keys.ts', "export { generate } from '../../pki/keys.ts'"],
  ['plan-layer', 'src/controllers/identity/plan-does.ts', "export { perform } from './perform.ts'"],
  ['plan-layer', 'src/controllers/identity/trust/trust.ts', "export { perform } from '../perform.ts'"],
  ['plan-layer', 'src/controllers/identity/plan-looks.ts', "export { look } from './trust/observe-trust.ts'"],
  ['plan-layer', 'src/controllers/identity/checks.ts', "export { get } from '../../k8s/client.ts'"],
  ['shared-plan-layer', 'src/controllers/readiness.ts', "export { get } from '../k8s/client.ts'"],
  ['plan-layer-types', 'src/controllers/identity/plan-other.ts', "export type { Plan } from '../authority/plan.ts'"],
  ['plan-no-io', 'src/controllers/identity/plan-reads.ts', "export { readFileSync } from 'node:fs'"],
  ['plan-no-packages', 'src/controllers/identity/plan-logs.ts', "export { pino } from 'pino'"],
  ['controllers-layer', 'src/controllers/identity/observe-other.ts', "export * from '../authority/plan.ts'"],
  ['controllers-layer', 'src/controllers/identity/perform-one.ts', "export * from '../../issuers/self-managed.ts'"],
  ['controllers-layer', 'src/controllers/identity/report-metric.ts', "export * from '../../telemetry/http.ts'"],
  ['webhook-pure', 'src/webhook/admit-asks.ts', "export { get } from '../k8s/client.ts'"],
  ['webhook-layer', 'src/webhook/bad.ts', "export * from '../pki/pem.ts'"],
  ['webhook-no-io', 'src/webhook/inject-reads.ts', "export { readFileSync } from 'node:fs'"],
  ['telemetry-layer', 'src/telemetry/asks.ts', "export * from '../runtime/queue.ts'"],
  ['telemetry-layer-types', 'src/telemetry/knows.ts', "export type { Pem } from '../pki/pem.ts'"],
  ['cli-layer', 'src/cli/runs.ts', "export * from '../runtime/queue.ts'"],
  ['cli-layer', 'src/cli/does.ts', "export * from '../controllers/identity/perform.ts'"],
  ['config-layer', 'src/config.ts', "export * from './runtime/queue.ts'"],
  ['operator-only-from-main', 'src/runtime/wires.ts', "export * from '../operator.ts'"],
  ['stores-only-at-the-top', 'src/controllers/identity/observe-all.ts', "export * from '../../stores.ts'"],
  ['stores-layer', 'src/stores.ts', "export * from './runtime/queue.ts'"],
  ['every-file-has-a-layer', 'src/utils/text.ts', "export * from '../base/egg.ts'"],
  ['config-only-at-the-top', 'src/k8s/configures.ts', "export * from '../config.ts'"],
  ['entries-are-not-imported', 'src/cli/starts.ts', "import './main.ts'"],
  ['src-not-from-tests', 'src/base/tested.ts', "export * from '../../test/support/fake.ts'"],
  ['only-transport-speaks-http', 'src/k8s/asks.ts', "export { fetch } from 'undici'"],
  ['only-transport-speaks-http', 'src/issuers/http.ts', "export { request } from 'node:https'"],
  ['only-transport-speaks-http', 'src/runtime/connects.ts', "export { connect } from 'node:tls'"],
  ['servers-only-serve', 'src/telemetry/http-client.ts', "export { fetch } from 'undici'"],
  ['only-pki-knows-x509', 'src/k8s/x509.ts', "export * from '@peculiar/x509'"],
  ['only-k8s-knows-its-client', 'src/controllers/identity/perform-client.ts', "export { KubeConfig } from '@kubernetes/client-node'"],
  ['only-telemetry-knows-metrics', 'src/runtime/counts.ts', "export { Counter } from '@prometheus-io/client'"],
  ['only-base-clock-has-timers', 'src/runtime/waits.ts', "export { setTimeout } from 'node:timers/promises'"],
  ['process-is-a-global', 'src/k8s/leaves.ts', "export { exit } from 'node:process'"],
  ['src-not-from-dev-packages', 'src/base/parses.ts', "export { parse } from 'fast-check'"],
  ['no-cycles', 'src/base/chick.ts', "export { chicken as egg } from './chicken.ts'"],
  ['no-unresolvable', 'src/base/lost.ts', "export * from './not-there.ts'"],
  ['no-orphans', 'src/base/alone.ts', 'export const alone = 1'],
]

/** A small program that keeps every rule, with each thing that is allowed in one place only. */
const SOUND: Readonly<Record<string, string>> = {
  'src/main.ts': "import { operate } from './operator.ts'\nimport { config } from './config.ts'\noperate(config)",
  'src/operator.ts':
    "import type { config as Config } from './config.ts'\nimport './issuers/self-managed.ts'\nimport './telemetry/http.ts'\nimport './controllers/identity/controller.ts'\nimport './controllers/authority/plan.ts'\nimport './webhook/server.ts'\nexport const operate = (config: typeof Config) => config",
  'src/config.ts': "import { trust } from './pki/pem.ts'\nexport const config = { trust }",
  'src/base/clock.ts': 'export interface Clock { now(): number }\nexport const systemClock: Clock = { now: () => Date.now() }',
  'src/base/random.ts': "import { randomBytes } from 'node:crypto'\nexport const systemRandom = randomBytes",
  'src/base/egg.ts': "export { hen as egg } from './words.ts'",
  'src/base/words.ts': "import { pino } from 'pino'\nexport const hen = pino",
  'src/api/names.ts': "import { trust } from '../pki/pem.ts'\nexport type Name = string\nexport const names = trust",
  'src/pki/pem.ts':
    "import type { Clock } from '../base/clock.ts'\nimport { isIP } from 'node:net'\nexport type Pem = Clock\nexport const trust = isIP",
  'src/pki/keys.ts': "import { generateKeyPairSync } from 'node:crypto'\nexport const generate = generateKeyPairSync",
  'src/pki/sign.ts': "import '@peculiar/x509'\nexport { generate } from './keys.ts'",
  'src/k8s/client.ts':
    "import { send } from './transport.ts'\nimport { KubeConfig } from '@kubernetes/client-node'\nexport type Client = KubeConfig\nexport const get = send",
  'src/k8s/transport.ts': "import { fetch } from 'undici'\nexport const send = fetch",
  'src/runtime/queue.ts': "export type { Client } from '../k8s/client.ts'\nexport { egg as queue } from '../base/egg.ts'",
  'src/issuers/issuer.ts': "export type { Pem as Issuer } from '../pki/pem.ts'",
  'src/issuers/self-managed.ts': "export type { Issuer } from './issuer.ts'\nexport * from '../pki/sign.ts'",
  'src/controllers/caches.ts': "export type { Client as Cache } from '../k8s/client.ts'",
  'src/controllers/identity/controller.ts':
    "export * from '../../runtime/queue.ts'\nexport * from './observe.ts'\nexport * from './perform.ts'",
  'src/controllers/identity/observe.ts':
    "export * from '../caches.ts'\nexport { plan } from './plan.ts'\nexport { look } from './trust/observe-trust.ts'",
  'src/controllers/identity/trust/observe-trust.ts': "export { get as look } from '../../../k8s/client.ts'",
  'src/controllers/identity/plan.ts':
    "import type { Clock } from '../../base/clock.ts'\nimport type { Issuer } from '../../issuers/issuer.ts'\nimport type { Cache } from '../caches.ts'\nimport { rule } from './rules.ts'\nexport type Seen = [Clock, Issuer, Cache]\nexport const plan = rule",
  'src/controllers/identity/rules.ts': "import { names } from '../../api/names.ts'\nexport const rule = names",
  'src/controllers/identity/perform.ts':
    "import type { Issuer } from '../../issuers/issuer.ts'\nimport { get } from '../../k8s/client.ts'\nexport const perform = (issuer: Issuer) => [issuer, get]",
  'src/controllers/authority/plan.ts': "import { names } from '../../api/names.ts'\nexport type Plan = string\nexport const plan = names",
  'src/webhook/server.ts':
    "import { createServer } from 'node:https'\nimport { admit } from './admit.ts'\nexport const serve = [createServer, admit]",
  'src/webhook/admit.ts':
    "import type { Client } from '../k8s/client.ts'\nimport { names } from '../api/names.ts'\nexport const admit = (client: Client) => [client, names]",
  'src/telemetry/http.ts':
    "import { createServer } from 'node:http'\nimport type { queue } from '../runtime/queue.ts'\nexport const serve = (of: typeof queue) => [of, createServer]",
  'src/cli/main.ts': "import '../controllers/identity/observe.ts'\nimport '../k8s/client.ts'",
  'test/support/fake.ts': "export * from '../../src/runtime/queue.ts'",
}

const named = ({ output }: Verdict): string[] =>
  [...output.matchAll(/^ *error ([\w-]+): (\S+)/gm)].map(([, rule, file]) => `${rule} ${file}`)

describe('code that breaks the rules', () => {
  let tree: CheckedTree
  let verdict: Verdict
  beforeAll(async () => {
    const broken = Object.fromEntries(VIOLATIONS.map(([, file, text]) => [file, text]))
    tree = checkedTree({ ...SOUND, ...broken, 'src/base/chicken.ts': "export { egg as chicken } from './chick.ts'" })
    verdict = await tree.check('layers')
  })
  afterAll(() => tree[Symbol.dispose]())

  test('makes the check fail', () => {
    expect(verdict.code).toBe(1)
  })

  test.each(VIOLATIONS)('%s is named for %s', (rule, file) => {
    expect(named(verdict)).toContain(`${rule} ${file}`)
  })
})

test('code that keeps the rules passes', async () => {
  using tree = checkedTree(SOUND)
  const verdict = await tree.check('layers')
  expect(named(verdict)).toEqual([])
  expect(verdict.code).toBe(0)
})

test('every rule there is has a violation here', async () => {
  const { default: configuration } = await import(join(import.meta.dirname, '..', '..', '..', '.dependency-cruiser.mjs'))
  const rules: string[] = configuration.forbidden.map(({ name }: { name: string }) => name)
  expect([...new Set(VIOLATIONS.map(([rule]) => rule))].sort()).toEqual(rules.sort())
})
