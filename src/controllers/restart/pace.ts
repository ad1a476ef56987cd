// When the next restart may be: one after the other over the whole process. And what this process did to which workload, so that taking our
// annotation away makes nobody roll again. In memory only, for one term of leadership; forgetting it costs at most one restart too many.

import type { Restarted } from '../../api/stored/workload.ts'

/** A new pod costs a scheduler, an image and a warm cache; an API server that serves hundreds of restarts an hour does not notice one in 5 s. */
const GAP_MS = 5_000
/** Lists of workloads come within a second where the rights are there. Until then nobody is told that they are missing. */
const GRACE_MS = 30_000
/** Of so many workloads is remembered what was done; the one that was tried longest ago is forgotten first. */
const REMEMBERED = 4096

interface Known {
  readonly triedAt: number
  readonly done: Restarted | undefined
}

/** All instants are milliseconds of a clock that never goes back, but for Restarted. */
export class Pace {
  readonly #begunAt: number
  #lastAt = Number.NEGATIVE_INFINITY
  /** Keys in the order they came. */
  readonly #waiting = new Set<string>()
  /** By the UID of the workload. */
  readonly #known = new Map<string, Known>()

  constructor(begunAt: number) {
    this.#begunAt = begunAt
  }

  /** Milliseconds that the key must wait, behind those that came before it; 0: it may restart something now, and then the next one waits. */
  turn(key: string, now: number): number {
    this.#waiting.add(key)
    const before = [...this.#waiting].indexOf(key)
    const wait = Math.max(0, this.#lastAt + GAP_MS * (before + 1) - now)
    if (wait > 0) return wait
    this.#waiting.delete(key)
    this.#lastAt = now
    return 0
  }

  /** The key has nothing to restart just now. */
  leave(key: string): void {
    this.#waiting.delete(key)
  }

  /** Milliseconds until missing rights may be told; 0: now. */
  graceLeft(now: number): number {
    return Math.max(0, this.#begunAt + GRACE_MS - now)
  }

  tried(uid: string, now: number, done: Restarted | undefined = this.#known.get(uid)?.done): void {
    this.#known.delete(uid)
    this.#known.set(uid, { triedAt: now, done })
    if (this.#known.size > REMEMBERED) this.#known.delete(this.#known.keys().next().value as string)
  }

  knownOf(uid: string): Known | undefined {
    return this.#known.get(uid)
  }
}
