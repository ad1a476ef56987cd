// Parses the command line of main.ts into one record. Must not read or change anything: it is tested as a function.
import { parseArgs } from 'node:util'
import { reasonOf } from './failure.ts'
import { allParts, isPart, type Part, serverParts } from './parts.ts'

export type Command =
  | { readonly verb: 'up'; readonly name: string; readonly controllerManager: boolean }
  | { readonly verb: 'down'; readonly name: string }
  | { readonly verb: 'down-all' }
  | { readonly verb: 'status' }
  | { readonly verb: 'build'; readonly parts: readonly Part[] }
  | { readonly verb: 'help' }

/** What a person typed wrongly; main.ts prints it with the usage and ends with status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const usage = `A Kubernetes control plane on this machine: etcd, kube-apiserver and kube-controller-manager.

  up [--name NAME] [--no-controller-manager]   start one that keeps running; the last line sets KUBECONFIG
  down [--name NAME | --all]                   end it and remove its folder; --all leaves those
                                               of tests and demos that are running
  status                                       list those that there are
  build [PART ...]                             find or build executables (default: what \`up\` needs); PART is one of
                                               ${allParts.join(', ')}

NAME is "default" where none is given: lower case letters, digits and dashes.
`

export function parseCommand(words: readonly string[]): Command {
  const [verb, ...rest] = words
  if (rest.includes('--help') || rest.includes('-h')) return { verb: 'help' }
  switch (verb) {
    case 'up': {
      const { values } = parse(rest, { name: { type: 'string' }, 'no-controller-manager': { type: 'boolean' } })
      return { verb, name: instanceName(values.name), controllerManager: values['no-controller-manager'] !== true }
    }
    case 'down': {
      const { values } = parse(rest, { name: { type: 'string' }, all: { type: 'boolean' } })
      if (values.all !== true) return { verb, name: instanceName(values.name) }
      if (values.name !== undefined) throw new UsageError('--name and --all exclude each other')
      return { verb: 'down-all' }
    }
    case 'status':
      parse(rest, {})
      return { verb }
    case 'build':
      return { verb, parts: partsOf(parse(rest, {}, true).positionals) }
    case 'help':
    case '--help':
    case '-h':
      return { verb: 'help' }
    case undefined:
      throw new UsageError('a command is missing')
    default:
      throw new UsageError(`unknown command "${verb}"`)
  }
}

type Options = Record<string, { readonly type: 'string' | 'boolean' }>

function parse(args: readonly string[], options: Options, allowPositionals = false) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals, strict: true })
  } catch (error) {
    throw new UsageError(reasonOf(error), { cause: error })
  }
}

function instanceName(value: string | boolean | undefined): string {
  const name = value ?? 'default'
  if (typeof name === 'string' && /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name)) return name
  throw new UsageError(`"${name}" is no name: 1 to 40 lower case letters, digits and dashes, no dash at either end`)
}

function partsOf(words: readonly string[]): readonly Part[] {
  if (words.length === 0) return serverParts
  return words.map((word) => {
    if (isPart(word)) return word
    throw new UsageError(`unknown part "${word}"; there are ${allParts.join(', ')}`)
  })
}
