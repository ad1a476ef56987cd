// What a verb of the command is, and what it is given. Types only: verbs know neither the process nor each other.

import type { Clock } from '../base/clock.ts'
import type { Environment } from '../base/environment.ts'
import type { Random } from '../base/random.ts'
import type { Cluster, Connect } from './cluster.ts'
import type { ExitCode } from './exit-code.ts'
import type { Flags, Given } from './flags.ts'
import type { Paint } from './output/colour.ts'

/** The process, as arguments. */
export interface Session {
  readonly clock: Clock
  readonly random: Random
  readonly environment: Environment
  readonly connect: Connect
  /** Standard output and error output: text that is printable already, whole lines. */
  readonly write: (text: string) => void
  readonly complain: (text: string) => void
  /** Whether standard output is a terminal. */
  readonly terminal: boolean
  /** The person ended it (Ctrl-C). Whoever reads this field must end in good order when it aborts. */
  readonly signal: AbortSignal
}

/** One call of a verb: what was asked for, and how to answer. */
export interface Call {
  readonly given: Given
  readonly session: Session
  readonly paint: Paint
  /** Of the operator. */
  readonly operatorNamespace: string
  readonly clusterDomain: string
}

/** A verb that needs no cluster leaves `ask` out. */
export interface Verb {
  readonly name: string
  /** One line, for the list of verbs. */
  readonly summary: string
  /** What comes after the name: `[NAME]`. */
  readonly usage: string
  /** For its own help: what it tells and what the exit code says. */
  readonly details: readonly string[]
  readonly examples: readonly string[]
  readonly flags: Flags
  /** Values of -o; none: it has no other forms. */
  readonly formats: readonly string[]
  /** Its words are not a command line of its own, and not read as one. */
  readonly rawWords?: true
  /** What its words are, for completion. */
  readonly words?: 'identities' | 'identities-and-authorities' | 'shells' | 'verbs'
  run(call: Call): Promise<ExitCode>
}

/** A question to the cluster, in a namespace. */
export interface Question extends Call {
  readonly cluster: Cluster
  readonly namespace: string
}
