// The flags of the command line: those that every verb has, how a verb declares its own, and how they are read. Pure.
// A flag that is not known, lacks its value or has a wrong one is refused with the flag, the rule and the nearest guess.

import { parseArgs } from 'node:util'
import { parseDuration } from '../base/duration.ts'
import { guess, usageError } from './usage-error.ts'

/** A flag with `value` takes one, of this name in the help; one without is on or off. */
export interface Flag {
  readonly short?: string
  readonly value?: string
  readonly help: string
}

export type Flags = Readonly<Record<string, Flag>>

export const GLOBAL_FLAGS = {
  kubeconfig: { value: 'FILE', help: 'kubeconfig to use; without it KUBECONFIG, or ~/.kube/config' },
  context: { value: 'NAME', help: 'context of the kubeconfig instead of its current one' },
  namespace: { short: 'n', value: 'NS', help: 'namespace; without it the one of the context, or default' },
  'operator-namespace': { value: 'NS', help: 'where the operator lives [mutual-identity-system]' },
  'cluster-domain': { value: 'NAME', help: 'DNS domain of the cluster, as the operator has it [cluster.local]' },
  output: { short: 'o', value: 'FORMAT', help: 'form of the answer' },
  'no-color': { help: 'no colours; so does NO_COLOR, and output that is no terminal' },
  help: { short: 'h', help: 'what the verb does, and its flags' },
} as const satisfies Flags

/** What was given, by the long names; only what was given. */
export interface Given {
  readonly positionals: readonly string[]
  readonly values: Readonly<Record<string, string>>
  readonly switches: ReadonlySet<string>
}

/** Reads the words after the verb. */
export function readFlags(args: readonly string[], own: Flags): Given {
  const flags: Flags = { ...own, ...GLOBAL_FLAGS }
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { short, value }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), ...(short === undefined ? {} : { short }) },
    ]),
  )
  const { tokens, positionals } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true })
  const values: Record<string, string> = {}
  const switches = new Set<string>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const flag = flags[token.name]
    if (!flag || !Object.hasOwn(flags, token.name)) {
      throw usageError(`there is no flag ${token.rawName}${guess(token.name, Object.keys(flags), (name) => `--${name}`)}`)
    }
    if (flag.value === undefined && token.value !== undefined) throw usageError(`${token.rawName} is on or off and takes no value`)
    if (flag.value === undefined) switches.add(token.name)
    // An empty namespace would be the whole cluster, an empty context another one.
    // What looks like the next flag is one: its value would be missed.
    else if (!token.value || (!token.inlineValue && token.value.startsWith('-')))
      throw usageError(`${token.rawName} needs a value: ${token.rawName} ${flag.value}`)
    else values[token.name] = token.value
  }
  return { positionals, values, switches }
}

/** The form of the answer that was asked for, of those that the verb has; the first one is the default. */
export function readFormat<T extends string>(value: string | undefined, formats: readonly T[]): T {
  const found = value === undefined ? formats[0] : formats.find((format) => format === value)
  if (found !== undefined) return found
  throw usageError(`--output is ${JSON.stringify(value)}, but must be one of ${formats.join(', ')}${guess(value ?? '', formats)}`)
}

/** A duration flag, in milliseconds. */
export function readDurationFlag(given: Given, name: string, standard: string): number {
  const text = given.values[name] ?? standard
  const found = parseDuration(text)
  if (found === undefined || found === 0) throw usageError(`--${name} is ${JSON.stringify(text)}, but must be a duration such as 90s or 5m`)
  return found
}

/** DNS labels are all that a namespace can be called: a slash or `..` would change the path of the request. */
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

export function checkNamespace(name: string, flag: string): string {
  if (NAMESPACE.test(name)) return name
  throw usageError(
    `${flag} is ${JSON.stringify(name)}, but a namespace has at most 63 lower case letters, digits and hyphens, with a letter or digit at both ends`,
  )
}
