// Lets the event loop have its turn when a loop has computed for long: timers that are due (the renewal of a lease) and sockets go first.
// Used by loops over many objects or keys. A turn is no wait: in virtual time, where computing takes none, there is nothing to give.

import type { Clock } from '../base/clock.ts'

/** Computing for longer without a turn delays timers and sockets noticeably. */
const TURN_MS = 5

/** Returns a function to await between two pieces of work: at most once in 5 ms it lets everything else run first. */
export function turns(clock: Clock): () => Promise<void> | undefined {
  let lastAt = clock.monotonic()
  return () => {
    if (clock.monotonic() - lastAt < TURN_MS) return undefined
    return new Promise((resolve) => {
      setImmediate(() => {
        lastAt = clock.monotonic()
        resolve()
      })
    })
  }
}
