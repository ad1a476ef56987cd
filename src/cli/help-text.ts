// The texts of help: the list of verbs, and the page of one. Pure.

import { type Flag, type Flags, GLOBAL_FLAGS } from './flags.ts'
import type { Verb } from './verb.ts'

const EXIT_CODES =
  'Exit codes: 0 good, 1 could not answer, 2 the command line is wrong, 3 something waits, is to be done or unknown, 4 refused or unhealthy.'

/** What `help` prints. A verb without a summary is for programs and not listed. */
export function overview(verbs: readonly Verb[]): string {
  const listed = verbs.filter(({ summary }) => summary !== '')
  const width = Math.max(...listed.map(({ name, usage }) => `${name} ${usage}`.length)) + 3
  return [
    'kubectl mutual: what Mutual Identity does in a cluster, and why.',
    '',
    'Usage: kubectl mutual VERB [flags]',
    '',
    ...listed.map(({ name, usage, summary }) => `  ${`${name} ${usage}`.padEnd(width)}${summary}`),
    '',
    'Flags of all verbs:',
    ...flagLines(GLOBAL_FLAGS),
    '',
    EXIT_CODES,
    'kubectl mutual VERB --help says more of one.',
    '',
  ].join('\n')
}

/** The page of one verb. */
export function helpOf(verb: Verb): string {
  const { name, usage, summary, details, examples, flags, formats } = verb
  const { output, ...common } = GLOBAL_FLAGS
  const shown: Flags = {
    ...flags,
    ...(formats.length > 0 ? { output: { ...output, value: formats.join('|'), help: `form of the answer [${formats[0]}]` } } : {}),
    ...common,
  }
  return [
    `${summary}.`,
    '',
    `Usage: ${['kubectl mutual', name, usage, '[flags]'].filter(Boolean).join(' ')}`,
    '',
    ...details,
    ...(details.length > 0 ? [''] : []),
    ...(examples.length > 0 ? ['Examples:', ...examples.map((example) => `  ${example}`), ''] : []),
    'Flags:',
    ...flagLines(shown),
    '',
    EXIT_CODES,
    '',
  ].join('\n')
}

function flagLines(flags: Flags): string[] {
  const left = ([name, { short, value }]: [string, Flag]): string =>
    `  ${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`
  const entries = Object.entries(flags)
  const width = Math.max(...entries.map((entry) => left(entry).length)) + 3
  return entries.map((entry) => left(entry).padEnd(width) + entry[1].help)
}
