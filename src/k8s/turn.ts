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
 * Returns a function to await between two pieces of work. It is cheap: a marker goes round the event loop, and only when it has not come back for 5 ms,
 * so that nothing else can have run either, the work waits for it.
 */
export function turns(clock: Clock): () => Promise<void> | undefined {
  let sent: Marker | undefined
  const send = (): Marker => {
    const back = new Promise<void>((resolve) => {
      setImmediate(() => {
        sent = undefined
        resolve()
      })
    })
    return { sentAt: clock.monotonic(), back }
  }
  /** The marker to wait for, if it is time. */
  const due = (): Marker | undefined => {
    sent ??= send()
    return clock.monotonic() - sent.sentAt >= TURN_MS ? sent : undefined
  }
  const wait = async (first: Marker): Promise<void> => {
    // Many may wait for one marker, and those that go on first may use up the next 5 ms.
    for (let marker: Marker | undefined = first; marker !== undefined; marker = due()) await marker.back
  }
  return () => {
    const marker = due()
    return marker === undefined ? undefined : wait(marker)
  }
}
