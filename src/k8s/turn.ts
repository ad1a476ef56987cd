// Lets the event loop have its turn when a loop has computed for long: timers that are due (the renewal of a lease) and sockets go first.
// Used by loops over many objects or keys. A turn is no wait: it takes no time, so nothing changes in virtual time.

import type { Clock } from '../base/clock.ts'

/** Computing for longer without a turn delays timers and sockets noticeably. */
const TURN_MS = 5

interface Marker {
  readonly sentAt: number
  readonly back: Promise<void>
}

/**
 * Returns a function to ask right before each piece of work: a promise to await before asking again, or undefined: go on. It is cheap: a marker goes
 * round the event loop, and only when it has not come back for 5 ms, so that nothing else can have run either, the work waits for it. Ask again after
 * waiting, since many may wait for one marker, and those that go on first use up the next 5 ms.
 */
export function turns(clock: Clock): () => Promise<void> | undefined {
  let marker: Marker | undefined
  const send = (): Marker => {
    const back = new Promise<void>((resolve) => {
      // biome-ignore lint/style/noRestrictedGlobals: no timer, it waits for no time to pass; virtual time needs a real turn of the loop too
      setImmediate(() => {
        marker = undefined
        resolve()
      })
    })
    return { sentAt: clock.monotonic(), back }
  }
  return () => {
    marker ??= send()
    return clock.monotonic() - marker.sentAt >= TURN_MS ? marker.back : undefined
  }
}
