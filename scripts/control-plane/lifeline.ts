// Ties an instance to the life of this process: a warden (warden.ts) for every way to die, and for an ordinary exit
// a handler, so that nothing is left at the moment it is over. Used by start.ts.
// Must not install signal handlers: what Ctrl-C means is the program's business, not that of what it started.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { killInstance } from './ending.ts'
import { readRecord, recordFile } from './record.ts'

export interface Lifeline {
  /** from now on the instance is on its own */
  release(): void
}

export function tieToThisProcess(instances: string, directory: string): Lifeline {
  const file = recordFile(instances, directory)
  const { NODE_OPTIONS: _, ...environment } = process.env // options of this process are not for the warden
  const warden = spawn(process.execPath, [join(import.meta.dirname, 'warden.ts'), instances, file], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // a session of its own: Ctrl-C in the terminal must not reach it
    env: environment,
  })
  warden.on('error', (error) => process.emitWarning(`no warden for ${directory}: ${error.message}`))
  // It may be gone before us; then the exit handler and the next start's sweep remain.
  warden.stdin.on('error', () => undefined)
  warden.unref()
  if ('unref' in warden.stdin && typeof warden.stdin.unref === 'function') warden.stdin.unref()

  const atExit = () => {
    const record = readRecord(file)
    if (record !== undefined) killInstance(instances, record)
  }
  process.once('exit', atExit)
  return {
    release() {
      process.removeListener('exit', atExit)
      warden.stdin.end('release')
    },
  }
}
