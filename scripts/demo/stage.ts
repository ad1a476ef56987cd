// The lifetime of a show: its folder, its processes, what must be undone at the end, and how it is broken off. Used by main.ts and all steps.
// Everything that outlives a function call is owned here. Must not know what is shown.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DemoFailure } from './failure.ts'
import type { Screen } from './screen.ts'
import { startWarden } from './warden-side.ts'

/** Processes are killed after 10 s by whoever ends them. */
const UNDO_WITHIN_MS = 20_000
const SETTLE_WITHIN_MS = 5_000

export class Stage {
  readonly screen: Screen
  /** Of this show alone, mode 0700; private keys and tokens are in here and nowhere else. Gone at the end. */
  readonly folder: string
  readonly #abort = new AbortController()
  readonly #broken = Promise.withResolvers<never>()
  readonly #owned = new AsyncDisposableStack()
  readonly #warden
  #show: Promise<unknown> = Promise.resolve()

  constructor(screen: Screen) {
    this.screen = screen
    this.folder = mkdtempSync(join(tmpdir(), 'mutual-identity-demo-'))
    this.#warden = startWarden(this.folder)
    this.#broken.promise.catch(() => undefined) // run() hears of it, if it runs
  }

  /** Aborts as soon as the show is over or broken off. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /**
   * Undone at the end, the last first; `what` names it for people. It may take `ms`; then the rest is undone all the same, and the demo fails.
   * When the end has begun already it is undone at once, and this throws.
   */
  async own(what: string, undo: () => Promise<unknown> | unknown, ms: number = UNDO_WITHIN_MS): Promise<void> {
    if (!this.#owned.disposed) {
      this.#owned.defer(() => end(what, undo, ms))
      return
    }
    await end(what, undo, ms)
    this.signal.throwIfAborted()
  }

  /** A process of ours: it ends when this one dies, however that happens. Call the result when it is gone. */
  track(pid: number): () => void {
    return this.#warden.track(pid)
  }

  /** Runs the show until it ends or something breaks it off. */
  async run(show: () => Promise<void>): Promise<void> {
    const shown = show()
    this.#show = shown.catch(() => undefined) // what comes after a break is a consequence of it
    await Promise.race([shown, this.#broken.promise])
  }

  /** The first reason counts. */
  breakOff(reason: Error): void {
    this.#broken.reject(reason)
    this.#abort.abort(reason)
  }

  /** Undoes everything and removes the folder. */
  async end(): Promise<void> {
    this.#abort.abort(new DemoFailure('the show is over'))
    try {
      await this.#owned.disposeAsync()
    } finally {
      await within(this.#show, SETTLE_WITHIN_MS)
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
      this.#warden.release()
    }
  }

  /** `promise`, unless it takes longer than `ms` (then a DemoFailure that says `what` did not come) or the show is broken off. */
  async wait<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
    const { promise: over, reject } = Promise.withResolvers<never>()
    const onAbort = (): void => reject(this.signal.reason)
    const late = setTimeout(() => reject(new DemoFailure(`${what}: not within ${ms / 1000} s`)), ms)
    this.signal.addEventListener('abort', onAbort)
    if (this.signal.aborted) onAbort()
    try {
      return await Promise.race([promise, over])
    } finally {
      clearTimeout(late)
      this.signal.removeEventListener('abort', onAbort)
    }
  }

  async sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    await this.wait(promise, ms + 1000, 'a pause').finally(() => clearTimeout(timer))
  }
}

/** Nothing at the end may keep the rest from ending. */
async function end(what: string, undo: () => Promise<unknown> | unknown, ms: number): Promise<void> {
  const done = Promise.resolve(undo()).then(() => true)
  if (!(await within(done, ms))) throw new DemoFailure(`${what} did not end within ${ms / 1000} s`)
}

/** Undefined: not yet. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, ms, undefined)
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
