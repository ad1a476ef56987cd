// One run of the command: picks the verb from the table, reads its flags, runs it, and turns errors into words and an exit code.
// Used by the entry and by tests; knows the process by the Session alone.

import { complaint } from './complaint.ts'
import type { ExitCode } from './exit-code.ts'
import { EXIT } from './exit-code.ts'
import { checkNamespace, readFlags, readFormat } from './flags.ts'
import { helpOf } from './help-text.ts'
import { painter } from './output/colour.ts'
import { guess, isUsageError, usageError } from './usage-error.ts'
import type { Session, Verb } from './verb.ts'
import { VERBS } from './verbs.ts'

/** Resolves with the exit code; never rejects. */
export async function runCommand(args: readonly string[], session: Session): Promise<ExitCode> {
  try {
    return await runVerb(args, session)
  } catch (error) {
    session.complain(complaint(error))
    if (!isUsageError(error)) return EXIT.noAnswer
    session.complain(`See ${helpHint(args)}\n`)
    return EXIT.usage
  }
}

async function runVerb(args: readonly string[], session: Session): Promise<ExitCode> {
  const [first = 'help', ...rest] = args
  const verb = verbOf(rest.length === 0 ? (ALONE[first] ?? first) : first, args)
  const given = verb.rawWords ? { positionals: rest, values: {}, switches: new Set<string>() } : readFlags(rest, verb.flags)
  if (given.switches.has('help')) {
    session.write(helpOf(verb))
    return EXIT.good
  }
  if (verb.formats.length > 0) readFormat(given.values['output'], verb.formats)
  else if (given.values['output'] !== undefined) throw usageError(`${verb.name} has one form of answer only: leave --output out`)
  const { terminal, environment } = session
  return await verb.run({
    given,
    session,
    paint: painter({ terminal, noColor: given.switches.has('no-color'), environment }),
    operatorNamespace: checkNamespace(given.values['operator-namespace'] ?? 'mutual-identity-system', '--operator-namespace'),
    clusterDomain: given.values['cluster-domain'] ?? 'cluster.local',
  })
}

/** Flags that are a verb, where they are all there is. */
const ALONE: Readonly<Record<string, string>> = { '-h': 'help', '--help': 'help', '--version': 'version' }

/** Flags before the verb would have to be known before it is. */
function verbOf(word: string, args: readonly string[]): Verb {
  const verb = VERBS.find(({ name }) => name === word)
  if (verb) return verb
  if (word.startsWith('-')) throw usageError(`flags come after the verb: kubectl mutual VERB ${args.join(' ')}`)
  throw usageError(`there is no verb ${JSON.stringify(word)}${guess(word, listed())}`)
}

const listed = (): string[] => VERBS.filter(({ summary }) => summary !== '').map(({ name }) => name)

function helpHint([word]: readonly string[]): string {
  const verb = VERBS.find(({ name }) => name === word)
  return verb ? `kubectl mutual ${verb.name} --help` : 'kubectl mutual help'
}
