#!/usr/bin/env node
// The entry of the kubectl plugin: hands the process to the command as a Session and sets the exit code. Nothing else touches the process.

import { basename } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { processEnvironment } from '../base/environment.ts'
import { systemRandom } from '../base/random.ts'
import { connector } from './cluster.ts'
import { runCommand } from './command.ts'

/** kubectl asks a program of this name what may come next (a link to this one). */
const COMPLETER = 'kubectl_complete-mutual'

const environment = processEnvironment()
const ended = new AbortController()
// Whoever reads may have had enough (`| head`): what is left to say is for nobody.
process.stdout.on('error', () => process.exit())

/** Only for verbs that go on until they are ended: Ctrl-C ends all others as it ends any program, also while the API server keeps silent. */
function listening(): AbortSignal {
  process.once('SIGINT', () => ended.abort())
  process.once('SIGTERM', () => ended.abort())
  return ended.signal
}

const args = process.argv.slice(2)
process.exitCode = await runCommand(basename(process.argv[1] ?? '').startsWith(COMPLETER) ? ['__complete', ...args] : args, {
  clock: systemClock,
  random: systemRandom,
  environment,
  connect: connector({ clock: systemClock, random: systemRandom, environment }),
  write: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
  terminal: process.stdout.isTTY === true,
  get signal() {
    return listening()
  },
})
