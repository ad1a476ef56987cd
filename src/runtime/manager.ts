// Starts the parts of a process one after the other and stops them in reverse. Used by operator.ts. Knows nothing of what they do.

import { messageOf, OperatorError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'

/** Something with a lifetime. start() resolves when it is of use to the parts after it; stop() resolves when it is at rest, and interrupts a start(). */
export interface Part {
  readonly name: string
  start(): Promise<void>
  stop(): Promise<void>
}

/** Several parts as one, started and stopped side by side (the watchers of all kinds). When one start fails all are stopped. */
export function together(name: string, parts: readonly Part[], log: Log): Part {
  const stop = async (): Promise<void> => void (await Promise.all(parts.map((part) => stopPart(part, log))))
  return {
    name,
    stop,
    async start() {
      try {
        await Promise.all(parts.map((part) => part.start()))
      } catch (error) {
        await stop()
        throw error
      }
    },
  }
}

export class Manager {
  readonly #parts: readonly Part[]
  readonly #log: Log
  /** Those that were begun, in that order. */
  readonly #begun: Part[] = []
  #stopping: Promise<void> | undefined

  constructor(parts: readonly Part[], { log }: { log: Log }) {
    this.#parts = parts
    this.#log = log
  }

  /** Resolves when all parts run. When one fails, those before it are stopped again and its error is thrown; `Stopped` when stop() was called meanwhile. */
  async start(): Promise<void> {
    for (const part of this.#parts) {
      if (this.#stopping !== undefined) break
      this.#begun.push(part)
      try {
        await part.start()
      } catch (error) {
        // Whoever started this says what it means; twice is once too often.
        if (this.#stopping === undefined) this.#log.debug('could not start', { detail: part.name, error: messageOf(error) })
        await this.stop()
        throw error
      }
      this.#log.debug('started', { detail: part.name })
    }
    if (this.#stopping === undefined) return
    await this.#stopping
    throw new OperatorError('retry', 'Stopped', 'was stopped while it started')
  }

  /** Stops what was begun, last first, also when some of it cannot be stopped (that is logged). Never throws; a second call waits for the first. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll()
    return this.#stopping
  }

  async #stopAll(): Promise<void> {
    for (const part of this.#begun.toReversed()) await stopPart(part, this.#log)
  }
}

async function stopPart(part: Part, log: Log): Promise<void> {
  try {
    await part.stop()
    log.debug('stopped', { detail: part.name })
  } catch (error) {
    log.error('could not stop', { detail: part.name, error: messageOf(error) })
  }
}
