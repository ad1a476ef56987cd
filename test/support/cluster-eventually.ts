// Waiting for facts in cluster tests: a check is repeated until it holds. Used by test/cluster/operator and the cluster-*.ts beside it.
// It must not hide why a check did not hold: the last failure is what is thrown.

import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_EVERY_MS = 50
/** Long for a slow machine; a fact that is there is seen within 50 ms. */
const WITHIN_MS = 60_000

/** Resolves with what `check` returns once it neither throws nor returns false. */
export async function eventually<T>(check: () => T | Promise<T>, withinMs = WITHIN_MS): Promise<T> {
  const until = performance.now() + withinMs
  for (;;) {
    let failure: unknown = new Error(`did not hold within ${withinMs / 1000} s: ${check}`)
    try {
      const value = await check()
      if (value !== false) return value
    } catch (error) {
      failure = error
    }
    if (performance.now() > until) throw failure
    await sleep(LOOK_EVERY_MS)
  }
}

/** Resolves when `check` has held, again and again, for so long; throws as soon as it does not. For facts that are about time. */
export async function throughout(check: () => void | Promise<void>, forMs: number): Promise<void> {
  const until = performance.now() + forMs
  while (performance.now() < until) {
    await check()
    await sleep(LOOK_EVERY_MS)
  }
}
