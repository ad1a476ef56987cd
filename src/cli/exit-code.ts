// What the exit code of the command says to scripts. Documented in docs/kubectl-mutual.md; a code never changes its meaning.

export const EXIT = {
  /** All is well, or what was asked for was done. */
  good: 0,
  /** It could not answer: no cluster, no such object, no rights. */
  noAnswer: 1,
  /** The command line is wrong. */
  usage: 2,
  /** Something waits, is still to be done, or is unknown to this account; it needs nobody. */
  waiting: 3,
  /** Refused or unhealthy: a person is needed. */
  refused: 4,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** The one that needs people most. */
export function worst(codes: Iterable<ExitCode>): ExitCode {
  return Math.max(EXIT.good, ...codes) as ExitCode
}
