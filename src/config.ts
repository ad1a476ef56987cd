// Flags and environment become one validated, frozen Config, here and nowhere else. A bad value is refused with its name, the rule and the remedy.

import { hostname } from 'node:os'
import { parseArgs } from 'node:util'
import { messageOf } from './base/errors.ts'
import type { LogLevel } from './base/log.ts'
import { parseDnsName } from './pki/dns-name.ts'
import { parseTrustDomain, type TrustDomain } from './pki/trust-domain.ts'

export interface Config {
  readonly kubeconfig: string | undefined
  readonly context: string | undefined
  /** Where the operator lives: CA Secrets, published bundles, the Lease. */
  readonly namespace: string
  /** Of cluster authorities that name none. */
  readonly trustDomain: TrustDomain
  /** Of namespaced authorities besides `<namespace>.<trust domain of the operator>`, by namespace. */
  readonly namespacedTrustDomains: Readonly<Record<string, readonly TrustDomain[]>>
  readonly clusterDomain: string
  /** Sorted; empty: all of them. */
  readonly watchNamespaces: readonly string[]
  readonly defaultAuthority: boolean
  readonly leaderElection: boolean
  /** Whether identities may have their workloads restarted; takes rights of its own. */
  readonly restartWorkloads: boolean
  /** Of metrics and health; `0` takes a free port. */
  readonly httpAddress: string
  readonly httpPort: number
  readonly concurrency: number
  readonly connections: number
  readonly resyncMinutes: number
  readonly logLevel: LogLevel
  readonly logFormat: 'json' | 'text'
  /** This replica among its like. */
  readonly instance: string
  readonly environment: Environment
}

/** The variables that are read, for whoever finds the way to the cluster. */
export interface Environment {
  readonly KUBECONFIG?: string | undefined
  readonly KUBERNETES_SERVICE_HOST?: string | undefined
  readonly KUBERNETES_SERVICE_PORT?: string | undefined
}

/** A flag: how it is spelled, what stands in for it, what it does. */
interface Flag {
  readonly value: string
  readonly environment?: string
  readonly fallback: string
  readonly help: string
}

const FLAGS = {
  kubeconfig: {
    value: 'FILE',
    fallback: '',
    help: 'kubeconfig to use; without it the service account of the pod, KUBECONFIG, or ~/.kube/config',
  },
  context: { value: 'NAME', fallback: '', help: 'context of the kubeconfig instead of its current one' },
  namespace: {
    value: 'NS',
    environment: 'POD_NAMESPACE',
    fallback: 'mutual-identity-system',
    help: 'the operator’s own namespace: CA Secrets, published bundles and the Lease are there',
  },
  'trust-domain': {
    value: 'NAME',
    fallback: 'cluster.local',
    help: 'trust domain of cluster authorities that name none; recorded in the first CA',
  },
  'namespaced-trust-domains': {
    value: 'NS=NAME,...',
    fallback: '',
    help: 'trust domains that MutualAuthorities of these namespaces may name besides NS.<trust domain>',
  },
  'watch-namespaces': {
    value: 'NS,...',
    fallback: '',
    help: 'serve identities of these namespaces only, and read nothing elsewhere; empty: all namespaces',
  },
  'cluster-domain': { value: 'NAME', fallback: 'cluster.local', help: 'DNS domain of the cluster, for the names of Services' },
  'default-authority': {
    value: 'true|false',
    fallback: 'true',
    help: 'make ClusterMutualAuthority default where there is no cluster authority at the start',
  },
  'leader-election': { value: 'true|false', fallback: 'true', help: 'work only while holding the Lease mutual-identity' },
  'restart-workloads': {
    value: 'true|false',
    fallback: 'false',
    help: 'restart workloads that opt in when a certificate of theirs was renewed; needs the rights of charts/mutual-identity/files/rights/restart.yaml',
  },
  'http-address': {
    value: 'HOST:PORT',
    fallback: '0.0.0.0:8080',
    help: 'where /metrics, /healthz and /readyz are served; port 0 takes a free one',
  },
  concurrency: {
    value: 'N',
    fallback: '32',
    help: 'identities worked on at once at most (1 to 256); fewer while the API server answers slowly',
  },
  connections: { value: 'N', fallback: '32', help: 'connections to the API server at most (1 to 256)' },
  'resync-minutes': { value: 'N', fallback: '60', help: 'every object is looked at again after so many minutes (1 to 10080)' },
  'log-level': { value: 'LEVEL', fallback: 'info', help: 'debug, info, warn or error' },
  'log-format': { value: 'FORMAT', fallback: 'auto', help: 'json, text, or auto: text on a terminal, else json' },
} as const satisfies Record<string, Flag>

type FlagName = keyof typeof FLAGS

/** What the command line asked for. */
export type Parsed =
  | { readonly kind: 'run'; readonly config: Config }
  | { readonly kind: 'say'; readonly text: string; readonly exitCode: number }

/** The text of --help. */
export function helpText(): string {
  const rows = Object.entries(FLAGS as Record<string, Flag>).map(([name, flag]): [string, string] => {
    const source = flag.environment === undefined ? '' : `$${flag.environment}, else `
    const standing = flag.fallback === '' ? '' : ` [${source}${flag.fallback}]`
    return [`  --${name} ${flag.value}`, flag.help + standing]
  })
  rows.push(['  --help', 'this text'])
  const width = Math.max(...rows.map(([spelled]) => spelled.length)) + 2
  return [
    'Usage: mutual-identity [flags]',
    '',
    'Runs the controllers until SIGTERM or SIGINT.',
    '',
    'Flags:',
    ...rows.map(([spelled, help]) => spelled.padEnd(width) + help),
    '',
  ].join('\n')
}

/** Reads flags (without node and script) and environment. `terminal`: standard output is one. */
export function parseConfig(args: readonly string[], environment: Readonly<Record<string, string | undefined>>, terminal: boolean): Parsed {
  try {
    const options = Object.fromEntries(Object.keys(FLAGS).map((name) => [name, { type: 'string' as const }]))
    const { values } = parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean' } },
      strict: true,
      allowPositionals: false,
    })
    if (values['help']) return { kind: 'say', text: helpText(), exitCode: 0 }
    const given = values as Readonly<Record<string, string | undefined>>
    return { kind: 'run', config: Object.freeze(configFrom((name) => givenValue(name, given, environment), environment, terminal)) }
  } catch (error) {
    return { kind: 'say', text: `${messageOf(error)}${hintOf(error)}\nSee --help.\n`, exitCode: 2 }
  }
}

/** npm keeps flags for itself and passes their values on. */
function hintOf(error: unknown): string {
  const isPositional = (error as { code?: unknown } | null)?.code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL'
  return isPositional ? ' (with npm, flags come after `--`: npm start -- --flag value)' : ''
}

/** What of a config differs from what stands without any flag, for people at a terminal. */
export function changedConfig(config: Config): Partial<Config> {
  const standard: Config = configFrom((name) => FLAGS[name].fallback, {}, config.logFormat === 'text')
  const isChanged = (key: string): boolean => JSON.stringify(config[key as keyof Config]) !== JSON.stringify(standard[key as keyof Config])
  return Object.fromEntries(Object.entries(config).filter(([key]) => key !== 'environment' && isChanged(key)))
}

function givenValue(
  name: FlagName,
  given: Readonly<Record<string, string | undefined>>,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const flag: Flag = FLAGS[name]
  return given[name] ?? (flag.environment === undefined ? undefined : environment[flag.environment] || undefined) ?? flag.fallback
}

function configFrom(
  value: (name: FlagName) => string,
  environment: Readonly<Record<string, string | undefined>>,
  terminal: boolean,
): Config {
  const [httpAddress, httpPort] = hostAndPort(value('http-address'))
  const format = oneOf('log-format', value('log-format'), ['json', 'text', 'auto'] as const)
  return {
    kubeconfig: value('kubeconfig') || undefined,
    context: value('context') || undefined,
    namespace: namespaceName('namespace', value('namespace')),
    trustDomain: refusing('trust-domain', () => parseTrustDomain(value('trust-domain'))),
    namespacedTrustDomains: trustDomainsByNamespace(value('namespaced-trust-domains')),
    watchNamespaces: namespaceNames(value('watch-namespaces'), value('namespace')),
    clusterDomain: refusing('cluster-domain', () => parseDnsName(value('cluster-domain'))),
    defaultAuthority: oneOf('default-authority', value('default-authority'), ['true', 'false'] as const) === 'true',
    leaderElection: oneOf('leader-election', value('leader-election'), ['true', 'false'] as const) === 'true',
    restartWorkloads: oneOf('restart-workloads', value('restart-workloads'), ['true', 'false'] as const) === 'true',
    httpAddress,
    httpPort,
    concurrency: wholeNumber('concurrency', value('concurrency'), 1, 256),
    connections: wholeNumber('connections', value('connections'), 1, 256),
    resyncMinutes: wholeNumber('resync-minutes', value('resync-minutes'), 1, 10_080),
    logLevel: oneOf('log-level', value('log-level'), ['debug', 'info', 'warn', 'error'] as const),
    logFormat: format === 'auto' ? (terminal ? 'text' : 'json') : format,
    instance: environment['POD_NAME'] || hostname(),
    environment: {
      KUBECONFIG: environment['KUBECONFIG'],
      KUBERNETES_SERVICE_HOST: environment['KUBERNETES_SERVICE_HOST'],
      KUBERNETES_SERVICE_PORT: environment['KUBERNETES_SERVICE_PORT'],
    },
  }
}

/** `shop=shop.example.org,shop=shop.example.com,bank=bank.example.org` */
function trustDomainsByNamespace(text: string): Record<string, TrustDomain[]> {
  const byNamespace: Record<string, TrustDomain[]> = {}
  for (const entry of text === '' ? [] : text.split(',')) {
    const [namespace = '', name, more] = entry.split('=')
    if (name === undefined || more !== undefined || !NAMESPACE.test(namespace))
      throw new Error(`--namespaced-trust-domains ${JSON.stringify(entry)}: must be NAMESPACE=TRUST-DOMAIN, with commas between several`)
    const trustDomain = refusing('namespaced-trust-domains', () => parseTrustDomain(name))
    byNamespace[namespace] = [...(Object.hasOwn(byNamespace, namespace) ? (byNamespace[namespace] ?? []) : []), trustDomain]
  }
  return byNamespace
}

const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

function oneOf<T extends string>(flag: FlagName, text: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === text)
  if (found === undefined) throw new Error(`--${flag} ${JSON.stringify(text)}: must be one of ${allowed.join(', ')}`)
  return found
}

function wholeNumber(flag: FlagName, text: string, least: number, most: number): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < least || number > most)
    throw new Error(`--${flag} ${JSON.stringify(text)}: must be a whole number from ${least} to ${most}`)
  return number
}

/** `shop,bank` */
function namespaceNames(text: string, own: string): string[] {
  const names = text === '' ? [] : text.split(',').map((name) => namespaceName('watch-namespaces', name.trim()))
  if (names.includes(own))
    throw new Error(`--watch-namespaces ${JSON.stringify(own)}: the operator's own namespace holds CA keys and has no identities`)
  return [...new Set(names)].sort()
}

function namespaceName(flag: FlagName, text: string): string {
  if (!NAMESPACE.test(text)) {
    throw new Error(
      `--${flag} ${JSON.stringify(text)}: must be the name of a namespace (lower-case letters, digits and hyphens, at most 63)`,
    )
  }
  return text
}

function hostAndPort(text: string): [string, number] {
  const [, host, port] = /^(.*):(\d{1,5})$/.exec(text) ?? []
  if (host === undefined || port === undefined || Number(port) > 65_535)
    throw new Error(`--http-address ${JSON.stringify(text)}: must be HOST:PORT, such as 127.0.0.1:8080`)
  return [host.replace(/^\[(.*)\]$/, '$1') || '0.0.0.0', Number(port)]
}

function refusing<T>(flag: FlagName, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new Error(`--${flag}: ${messageOf(error)}`, { cause: error })
  }
}
