// A process of its own beside the demo: when the demo dies without having cleaned up (SIGKILL too), it kills the demo's children and removes the
// folder with the private keys. It learns that from the end of its standard input. Started by warden-side.ts.
// Must not act once it has read `release`.

import { rmSync } from 'node:fs'
import { argv, stdin } from 'node:process'

const folder = argv[2]
if (folder === undefined) throw new Error('usage: warden.ts FOLDER')

let received = ''
for await (const chunk of stdin.setEncoding('utf8')) received += chunk
const words = received.split('\n')
if (!words.includes('release')) {
  const gone = new Set(words.filter((word) => word.startsWith('-')).map((word) => word.slice(1)))
  for (const word of words) if (word.startsWith('+') && !gone.has(word.slice(1))) kill(Number(word.slice(1)))
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // ESRCH: gone already
  }
}
