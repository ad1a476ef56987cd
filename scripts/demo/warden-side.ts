// The demo's side of its warden (warden.ts): starts it and tells it what to end. Used by stage.ts alone.

import { spawn } from 'node:child_process'
import { join } from 'node:path'

export interface Warden {
  /** Ended when this process dies; the result says that it is gone. */
  track(pid: number): () => void
  /** All is in order: it has nothing to do. */
  release(): void
}

/** `folder` is removed, and the tracked processes are killed, when this process dies without a release. */
export function startWarden(folder: string): Warden {
  const { NODE_OPTIONS: _options, ...env } = process.env
  // A session of its own: Ctrl-C in the terminal must not reach it.
  const child = spawn(process.execPath, [join(import.meta.dirname, 'warden.ts'), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env,
  })
  child.on('error', (error) => process.emitWarning(`no warden for ${folder}: ${error.message}`))
  // It may be gone before us; then only the ordinary end remains.
  child.stdin.on('error', () => undefined)
  child.unref()
  const tell = (word: string): void => void child.stdin.write(`${word}\n`)
  return {
    track(pid) {
      tell(`+${pid}`)
      return () => tell(`-${pid}`)
    },
    release: () => void child.stdin.end('release\n'),
  }
}
