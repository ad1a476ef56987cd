// The command line of the demo, parsed into one record. Used by main.ts. Must not read or change anything.

import { parseArgs } from 'node:util'

export interface Options {
  /** A cluster that the person has; undefined: a control plane on this machine. */
  readonly kubeconfig: string | undefined
  /** Leave all running after the show, until Ctrl-C. */
  readonly keep: boolean
  /** Kill the controller in the middle of its first issuance. */
  readonly crash: boolean
}

/** What a person typed wrongly. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const usage = `Two services talk in mutual TLS, three intruders fail, a certificate is renewed while they talk: npm run demo [-- OPTIONS]

  --keep             leave all running at the end, to try things by hand; Ctrl-C ends it
  --kubeconfig FILE  use this cluster (kind, minikube) instead of a control plane built and run on this machine. The demo says what it makes
                     there, refuses where an operator is installed or its namespaces exist, and removes at the end what it made (not with --keep)
  --crash            also kill -9 the controller in the middle of the first issuance, and start it again
  --help             this text
`

/** Undefined: help was asked for. Throws a UsageError. */
export function parseOptions(words: readonly string[]): Options | undefined {
  const { kubeconfig, keep = false, crash = false, help } = parse(words)
  if (kubeconfig === '') throw new UsageError('--kubeconfig needs a file')
  return help ? undefined : { kubeconfig, keep, crash }
}

function parse(words: readonly string[]) {
  const options = {
    kubeconfig: { type: 'string' },
    keep: { type: 'boolean' },
    crash: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const
  try {
    return parseArgs({ args: [...words], options, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}
