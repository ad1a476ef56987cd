// `completion` prints the script of a shell; `__complete` answers it, and kubectl, in the form that cobra programs have.

import { candidatesFor, SHELLS } from '../completion/candidates.ts'
import { COMPLETION_SCRIPTS } from '../completion/scripts.ts'
import { EXIT } from '../exit-code.ts'
import { printable } from '../output/printable.ts'
import { guess, usageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

export const completion: Verb = {
  name: 'completion',
  summary: 'The script that completes the words of this command in a shell',
  usage: SHELLS.join('|'),
  details: [
    'Completes kubectl-mutual. For `kubectl mutual` kubectl’s own completion asks a program kubectl_complete-mutual on the PATH: a link to',
    'kubectl-mutual under that name is all it takes.',
  ],
  examples: ['source <(kubectl-mutual completion bash)', 'kubectl-mutual completion fish | source'],
  flags: {},
  formats: [],
  words: 'shells',
  async run({ given, session }) {
    const [word = '', ...more] = given.positionals
    const shell = SHELLS.find((one) => one === word)
    if (shell === undefined || more.length > 0) {
      throw usageError(
        `completion takes one of ${SHELLS.join(', ')}${word === '' ? '' : `, not ${JSON.stringify(word)}${guess(word, SHELLS)}`}`,
      )
    }
    session.write(COMPLETION_SCRIPTS[shell])
    return EXIT.good
  },
}

/** cobra's ShellCompDirectiveNoFileComp: files are no answer. */
const NO_FILES = 4

/** For shells, so without a summary. */
export function completer(verbs: () => readonly Verb[]): Verb {
  return {
    name: '__complete',
    summary: '',
    usage: 'WORD...',
    details: [],
    examples: [],
    flags: {},
    formats: [],
    rawWords: true,
    async run({ given, session }) {
      const found = await candidatesFor(given.positionals, verbs(), session)
      const lines = found.map(({ word, about }) => `${printable(word)}${about === undefined ? '' : `\t${about}`}\n`)
      session.write(`${lines.join('')}:${NO_FILES}\n`)
      return EXIT.good
    },
  }
}
