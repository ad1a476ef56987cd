// The entry of the demo (`npm run demo`): options, signals, exit codes, and what is said when something goes wrong. The sequence is in show.ts.
// Exit code 0: everything was shown; 1: something was not as it should be; 2: wrong usage; 130: ended by the person.

import { consequenceOf, messageOf } from '../../src/base/errors.ts'
import { parseOptions, UsageError, usage } from './arguments.ts'
import { DemoFailure, Interrupted } from './failure.ts'
import { createScreen, style } from './screen.ts'
import { createShow, STEPS } from './show.ts'
import { Stage } from './stage.ts'

process.exitCode = await main()
process.exit()

async function main(): Promise<number> {
  try {
    const options = parseOptions(process.argv.slice(2))
    if (options !== undefined) return await perform(options)
    process.stdout.write(usage)
    return 0
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${error.message}\n\n${usage}`)
    return 2
  }
}

async function perform(options: NonNullable<ReturnType<typeof parseOptions>>): Promise<number> {
  const stage = new Stage(createScreen(STEPS))
  const show = createShow(stage, options)
  breakOffOnSignals(stage)
  let code = 0
  try {
    await stage.run(show.perform)
  } catch (error) {
    if (error instanceof Interrupted) {
      code = show.isOver() ? 0 : 130
      stage.screen.say()
      stage.screen.say(`${error.message}; ending what was started ...`)
    } else {
      code = 1
      tell(error, show.lastWords())
    }
  }
  try {
    await stage.end()
  } catch (error) {
    code = Math.max(code, 1)
    tell(error, [])
  }
  stage.screen.say(code === 1 ? style('red', 'The demo FAILED. Nothing of it runs any more.') : 'Nothing of the demo runs any more.')
  return code
}

function breakOffOnSignals(stage: Stage): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // Who asks twice is in a hurry: the wardens clean up.
      if (stage.signal.aborted) process.exit(130)
      stage.breakOff(new Interrupted(signal))
    })
  }
  // The reader of our output went away (`| head`).
  process.stdout.on('error', () => stage.breakOff(new Interrupted('the end of the output')))
}

function tell(error: unknown, lastWords: readonly string[]): void {
  const lines = [style('red', `✗ ${forPeople(error)}`), ...lastWords]
  process.stdout.write(`\n${lines.join('\n')}\n`)
}

/** A stack only where it helps: for what nobody foresaw. */
function forPeople(error: unknown): string {
  if (error instanceof DemoFailure || consequenceOf(error) !== 'bug') return messageOf(error)
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
