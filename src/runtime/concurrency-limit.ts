// How many passes run at once: as many as the API server takes without its answers taking twice as long. Used by the controller of identities.
// A server that answers late is full: more requests then only wait in it, for us and for everybody else.

import type { Clock } from '../base/clock.ts'
import type { RequestSample } from '../k8s/transport.ts'

export interface ConcurrencyLimitOptions {
  readonly clock: Clock
  /** Passes at once at most. */
  readonly most: number
}

/** Of reads there are few, and their answers take as long as they are large. */
const CHANGES: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete'])
/** Fewer do not keep a server busy that is one round trip away; what answers take with so many at once is what all else is compared with. */
const LEAST = 8
/** Answers may take so many times as long. */
const SLOWER = 2
/** Where answers take less, nothing is slow: a turn of the event loop here takes as long. */
const QUICK_MS = 3
/** No answer counts for more than so many times the usual: a few that something else holds up (a webhook of one namespace) say nothing of the server as a whole. */
const SLOWEST = 8
/** Of a round's answers more than so many must be failures (5xx, or none) to be taken for overload; one 429 is enough. */
const FAILING = 0.1
/** The comparison is made anew so often: servers change. */
const COMPARED_EVERY_MS = 60_000

interface Mean {
  readonly count: number
  readonly ms: number
}

/**
 * Requests of one kind (verb and resource) are compared with each other alone. Looks at rounds of samples, and only
 * of those in which passes had to wait for the limit:
 *
 *   compare (LEAST at once) --> grow by an eighth a round --answers take twice as long--> shrink by a tenth --> grow ...
 *       ^----------------------- a minute later ------------------------------------------------|
 *
 * A server that is overloaded halves it, once a round.
 * What was sent before the number fell tells nothing about it: a comparison begins when all of that is over.
 */
export class ConcurrencyLimit {
  readonly #clock: Clock
  readonly #most: number
  readonly #least: number
  #now: number
  /** Where to go on after the comparison. */
  #resume: number
  #comparing = true
  #comparedAt = Number.NEGATIVE_INFINITY
  #usual = new Map<string, number>()
  #round = new Map<string, Mean>()
  /** Samples until the round is over. */
  #left: number
  #pressed = false
  #halved = false
  #failures = 0
  /** Whether more passes run than are allowed now. */
  #over = false
  /** Samples that are still to be left out, once no more passes run than are allowed. */
  #skip = 0

  constructor({ clock, most }: ConcurrencyLimitOptions) {
    this.#clock = clock
    this.#most = most
    this.#least = Math.min(LEAST, most)
    this.#now = this.#least
    this.#resume = this.#least
    this.#left = this.#length()
  }

  /** Passes at once at present. */
  get now(): number {
    return this.#now
  }

  /** Whether one more may begin beside `running` ones. */
  allows(running: number): boolean {
    this.#over = running > this.#now
    if (running < this.#now) return true
    this.#pressed = true
    return false
  }

  observe({ verb, resource, code, durationMs }: RequestSample): void {
    if (!CHANGES.has(verb)) return
    if (code === 429) this.#halve()
    else if (code === 0 || code >= 500) this.#fail()
    else if (this.#skip === 0) this.#count(`${verb} ${resource}`, durationMs)
    if (this.#skip > 0) {
      if (!this.#over) this.#skip--
      return
    }
    if (--this.#left > 0) return
    if (this.#pressed && !this.#halved) this.#judge(this.#round)
    this.#round = new Map()
    this.#left = this.#length()
    this.#failures = 0
    this.#pressed = false
    this.#halved = false
  }

  #fail(): void {
    // One admission webhook that fails in one namespace says nothing of the server as a whole.
    if (++this.#failures > this.#length() * FAILING) this.#halve()
  }

  #halve(): void {
    if (this.#halved) return
    this.#halved = true
    // What is under way was sent under the old limit: its refusals belong to this round too.
    this.#left = this.#length()
    this.#now = Math.max(this.#least, Math.floor(this.#now / 2))
    this.#resume = Math.min(this.#resume, this.#now)
  }

  /** Two answers for each that may be under way: those still to come from the last round are the smaller part. */
  #length(): number {
    return 2 * this.#now
  }

  #count(kind: string, durationMs: number): void {
    const { count, ms } = this.#round.get(kind) ?? { count: 0, ms: 0 }
    const usual = this.#comparing ? undefined : this.#usual.get(kind)
    const counted = usual === undefined ? durationMs : Math.min(durationMs, SLOWEST * Math.max(usual, QUICK_MS))
    this.#round.set(kind, { count: count + 1, ms: ms + (counted - ms) / (count + 1) })
  }

  #judge(round: ReadonlyMap<string, Mean>): void {
    if (this.#comparing) {
      this.#usual = new Map([...round].map(([kind, { ms }]) => [kind, ms]))
      this.#comparing = false
      this.#comparedAt = this.#clock.monotonic()
      this.#now = this.#resume
    } else if (this.#clock.monotonic() - this.#comparedAt >= COMPARED_EVERY_MS) {
      this.#comparing = true
      this.#resume = this.#now
      this.#now = this.#least
      // Until the passes of the old limit have ended, and their answers with them, the server is as full as before.
      this.#over = true
      this.#skip = 2 * this.#least
    } else if (this.#slowdown(round) > SLOWER) this.#now = Math.max(this.#least, Math.floor(this.#now * 0.9))
    else this.#now = Math.min(this.#most, this.#now + Math.ceil(this.#now / 8))
  }

  /** How many times as long as usual the answers took; what is not known yet is as usual. */
  #slowdown(round: ReadonlyMap<string, Mean>): number {
    let took = 0
    let usually = 0
    for (const [kind, { count, ms }] of round) {
      took += count * Math.max(ms, QUICK_MS)
      usually += count * Math.max(this.#usual.get(kind) ?? ms, QUICK_MS)
    }
    return took / usually
  }
}
