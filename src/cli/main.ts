// The entry of the command for people (it grows into the kubectl plugin): picks the verb, prints, sets the exit code.

import { processEnvironment } from '../base/environment.ts'
import { messageOf } from '../base/errors.ts'
import { EXPLAIN_USAGE, explain } from './explain.ts'

const USAGE = `Usage: mutual <verb>\n\n  ${EXPLAIN_USAGE}\n`

const [verb, ...args] = process.argv.slice(2)
if (verb === 'explain') {
  try {
    const { text, exitCode } = await explain(args, processEnvironment())
    process.stdout.write(text)
    process.exitCode = exitCode
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`)
    process.exitCode = 1
  }
} else {
  process.stderr.write(verb === undefined || verb === '--help' ? USAGE : `there is no verb ${JSON.stringify(verb)}\n\n${USAGE}`)
  process.exitCode = verb === '--help' ? 0 : 2
}
