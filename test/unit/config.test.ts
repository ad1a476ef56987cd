import { describe, expect, it } from '@jest/globals'
import { type Config, changedConfig, helpText, parseConfig } from '../../src/config.ts'

function configOf(args: readonly string[] = [], environment: Record<string, string> = {}, terminal = false): Config {
  const parsed = parseConfig(args, environment, terminal)
  if (parsed.kind !== 'run') throw new Error(parsed.text)
  return parsed.config
}
const refusal = (...args: string[]) => {
  const parsed = parseConfig(args, {}, false)
  return parsed.kind === 'say' ? parsed : { text: 'accepted', exitCode: 0 }
}

const domains = (byNamespace: Record<string, string[]>) =>
  ({ namespacedTrustDomains: byNamespace }) as unknown as Pick<Config, 'namespacedTrustDomains'>

describe('without flags', () => {
  it('the defaults are those of the documentation', () => {
    expect(configOf([], { POD_NAME: 'pod-1' })).toMatchObject({
      kubeconfig: undefined,
      namespace: 'mutual-identity-system',
      trustDomain: 'cluster.local',
      namespacedTrustDomains: {},
      clusterDomain: 'cluster.local',
      defaultAuthority: true,
      leaderElection: true,
      restartWorkloads: false,
      httpPort: 8080,
      concurrency: 32,
      resyncMinutes: 60,
      logLevel: 'info',
      logFormat: 'json',
      instance: 'pod-1',
    })
  })

  it('the namespace is that of the pod', () => {
    expect(configOf([], { POD_NAMESPACE: 'security' }).namespace).toBe('security')
  })

  it('an empty variable is as good as none', () => {
    expect(configOf([], { POD_NAMESPACE: '' }).namespace).toBe('mutual-identity-system')
  })

  it('the log is text on a terminal', () => {
    expect([configOf([], {}, true).logFormat, configOf(['--log-format', 'json'], {}, true).logFormat]).toEqual(['text', 'json'])
  })

  it('the configuration cannot be changed afterwards', () => {
    expect(Object.isFrozen(configOf())).toBe(true)
  })
})

describe('a flag', () => {
  it('comes before the environment', () => {
    expect(configOf(['--namespace', 'mine'], { POD_NAMESPACE: 'security' }).namespace).toBe('mine')
  })

  it.each<[string, string, Partial<Config>]>([
    ['--http-address', '127.0.0.1:0', { httpAddress: '127.0.0.1', httpPort: 0 }],
    ['--http-address', ':9090', { httpAddress: '0.0.0.0', httpPort: 9090 }],
    ['--http-address', '[::1]:9090', { httpAddress: '::1', httpPort: 9090 }],
    ['--leader-election', 'false', { leaderElection: false }],
    ['--default-authority', 'false', { defaultAuthority: false }],
    ['--restart-workloads', 'true', { restartWorkloads: true }],
    ['--concurrency', '256', { concurrency: 256 }],
    ['--trust-domain', 'example.org', { trustDomain: 'example.org' as Config['trustDomain'] }],
    ['--kubeconfig', '/a/b', { kubeconfig: '/a/b' }],
    ['--namespaced-trust-domains', 'shop=pay.example.org', domains({ shop: ['pay.example.org'] })],
    ['--namespaced-trust-domains', 'a=one.org,b=two.org,a=three.org', domains({ a: ['one.org', 'three.org'], b: ['two.org'] })],
    ['--namespaced-trust-domains', 'constructor=one.org,constructor=two.org', domains({ constructor: ['one.org', 'two.org'] })],
    ['--namespaced-trust-domains', '', domains({})],
  ])('%s %s is taken', (flag, value, expected) => {
    expect(configOf([flag, value])).toMatchObject(expected)
  })

  it.each<[string, string, RegExp]>([
    ['--namespace', 'Shop', /--namespace "Shop": must be the name of a namespace/],
    ['--namespace', 'a'.repeat(64), /at most 63/],
    ['--namespace', 'a.b', /must be the name of a namespace/],
    ['--trust-domain', 'spiffe://x', /--trust-domain: .*"spiffe:\/\/x" holds a scheme/],
    ['--trust-domain', '', /--trust-domain: .*is empty/],
    ['--trust-domain', 'a'.repeat(256), /longer than 255/],
    [
      '--namespaced-trust-domains',
      'shop',
      /--namespaced-trust-domains "shop": must be NAMESPACE=TRUST-DOMAIN, with commas between several/,
    ],
    ['--namespaced-trust-domains', 'shop=a.org=b.org', /"shop=a\.org=b\.org": must be NAMESPACE=TRUST-DOMAIN/],
    ['--namespaced-trust-domains', '=a.org', /"=a\.org": must be NAMESPACE=TRUST-DOMAIN/],
    ['--namespaced-trust-domains', 'Shop=a.org', /"Shop=a\.org": must be NAMESPACE=TRUST-DOMAIN/],
    ['--namespaced-trust-domains', '*=a.org', /must be NAMESPACE=TRUST-DOMAIN/],
    ['--namespaced-trust-domains', '__proto__=a.org', /must be NAMESPACE=TRUST-DOMAIN/],
    ['--namespaced-trust-domains', 'shop=a.org,', /"": must be NAMESPACE=TRUST-DOMAIN/],
    ['--namespaced-trust-domains', 'shop=a.org, bank=b.org', /" bank=b\.org": must be NAMESPACE=TRUST-DOMAIN/],
    ['--namespaced-trust-domains', 'shop=', /--namespaced-trust-domains: .*is empty/],
    ['--namespaced-trust-domains', 'shop=spiffe://a.org', /--namespaced-trust-domains: .*holds a scheme/],
    ['--namespaced-trust-domains', 'shop=*', /--namespaced-trust-domains: /],
    ['--cluster-domain', 'cluster.local.', /--cluster-domain: .*ends with a dot/],
    ['--concurrency', '0', /--concurrency "0": must be a whole number from 1 to 256/],
    ['--concurrency', '257', /1 to 256/],
    ['--concurrency', '1e2', /1 to 256/],
    ['--concurrency', '-1', /concurrency/],
    ['--resync-minutes', '10081', /1 to 10080/],
    ['--http-address', '8080', /must be HOST:PORT/],
    ['--http-address', 'x:65536', /must be HOST:PORT/],
    ['--log-level', 'trace', /must be one of debug, info, warn, error/],
    ['--log-format', 'xml', /must be one of json, text, auto/],
    ['--leader-election', 'yes', /must be one of true, false/],
    ['--unknown', 'x', /--unknown/],
  ])('%s %s is refused with its name and the rule', (flag, value, message) => {
    expect(refusal(flag, value)).toMatchObject({ exitCode: 2, text: expect.stringMatching(message) })
  })

  it('without its value, or a word that is no flag, is refused', () => {
    expect([refusal('--namespace').exitCode, refusal('word').exitCode]).toEqual([2, 2])
  })

  it('that is wrong points to the help', () => {
    expect(refusal('--log-level', 'x').text).toMatch(/See --help\.\n$/)
  })
})

it('a word that is no flag is refused with how npm takes flags', () => {
  expect(parseConfig(['/tmp/kubeconfig'], {}, false)).toMatchObject({
    exitCode: 2,
    text: expect.stringMatching(/'\/tmp\/kubeconfig'.*\(with npm, flags come after `--`: npm start -- --flag value\)\nSee --help/),
  })
  expect(parseConfig(['--kubeconfi', 'x'], {}, false)).toMatchObject({ text: expect.not.stringContaining('npm') })
})

it('what differs from the defaults is all that a person is shown', () => {
  const changed = (...args: string[]) => {
    const parsed = parseConfig(args, { KUBECONFIG: '/tmp/x' }, true)
    return parsed.kind === 'run' ? changedConfig(parsed.config) : parsed.text
  }
  expect(changed()).toEqual({})
  expect(changed('--log-format', 'text', '--concurrency', '32')).toEqual({})
  expect(changed('--watch-namespaces', 'shop', '--http-address', '127.0.0.1:8080')).toEqual({
    watchNamespaces: ['shop'],
    httpAddress: '127.0.0.1',
  })
})

describe('--help', () => {
  it('has one column of flags and one of texts', () => {
    const rows = helpText()
      .split('\n')
      .filter((line) => line.startsWith('  --'))
    const columns = rows.map((row) => /^ {2}--\S+(?: \S+)? {2,}/.exec(row)?.[0].length)
    expect(new Set(columns)).toEqual(new Set([columns[0]]))
    expect(columns[0]).toBeGreaterThan(0)
  })

  it('comes on standard output with success, whatever else is wrong', () => {
    expect(parseConfig(['--help', '--log-level', 'x'], {}, false)).toEqual({ kind: 'say', text: helpText(), exitCode: 0 })
  })

  it('names each flag with its default and its variable', () => {
    expect(helpText()).toMatch(/--namespace NS .*\[\$POD_NAMESPACE, else mutual-identity-system\]/)
    for (const flag of [
      'kubeconfig',
      'context',
      'trust-domain',
      'namespaced-trust-domains',
      'cluster-domain',
      'http-address',
      'resync-minutes',
      'log-format',
    ])
      expect(helpText()).toContain(`--${flag} `)
  })
})
