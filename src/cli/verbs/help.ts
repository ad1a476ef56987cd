// `help`: which verbs there are, and what one of them does.

import { EXIT } from '../exit-code.ts'
import { helpOf, overview } from '../help-text.ts'
import { guess, usageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

/** `verbs`: all there are, itself among them. */
export function helpVerb(verbs: () => readonly Verb[]): Verb {
  return {
    name: 'help',
    summary: 'This list, or what one verb does',
    usage: '[VERB]',
    details: [],
    examples: [],
    flags: {},
    formats: [],
    words: 'verbs',
    async run({ given, session }) {
      const [word, ...more] = given.positionals
      if (more.length > 0) throw usageError('help takes one verb at most')
      if (word === undefined) session.write(overview(verbs()))
      else session.write(helpOf(find(verbs(), word)))
      return EXIT.good
    },
  }
}

function find(verbs: readonly Verb[], word: string): Verb {
  const listed = verbs.filter(({ summary }) => summary !== '')
  const verb = listed.find(({ name }) => name === word)
  if (verb) return verb
  const names = listed.map(({ name }) => name)
  throw usageError(`there is no verb ${JSON.stringify(word)}${guess(word, names)}`)
}
