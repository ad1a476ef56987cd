// Waiting is told only once it has lasted: pods that are applied together with their identity, or an authority that is just being made, come within
// a moment, and each status costs the API server more than a Secret. Holds instants in memory only; forgetting them costs two seconds.

/** Long enough for a deployment's first pods; short enough for a person who looks. */
const PATIENCE_MS = 2_000

export class Patience {
  readonly #since = new Map<string, number>()
  readonly #patienceMs: number

  constructor(patienceMs = PATIENCE_MS) {
    this.#patienceMs = patienceMs
  }

  /** Milliseconds until the waiting of this key may be told; 0: now. `now` is a monotonic clock's. */
  left(key: string, now: number): number {
    const since = this.#since.get(key) ?? now
    this.#since.set(key, since)
    return Math.max(0, since + this.#patienceMs - now)
  }

  /** The key waits no longer, or is gone. */
  forget(key: string): void {
    this.#since.delete(key)
  }
}
