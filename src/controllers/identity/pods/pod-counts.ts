// Counts of pods are told at most twice a minute: during a rollout they change with every pod, and each status costs the API server more than
// a Secret. Holds instants in memory only; forgetting them costs one status.

/** Half a minute, so that people who look see what is nearly true. */
const REFRESH_MS = 30_000

export class PodCounts {
  readonly #toldAt = new Map<string, number>()

  /** Milliseconds until the counts of this key may be told again; 0: now. `now` is a monotonic clock's. */
  left(key: string, now: number): number {
    const toldAt = this.#toldAt.get(key)
    return toldAt === undefined ? 0 : Math.max(0, toldAt + REFRESH_MS - now)
  }

  told(key: string, now: number): void {
    this.#toldAt.set(key, now)
  }

  /** The key is gone. */
  forget(key: string): void {
    this.#toldAt.delete(key)
  }
}
