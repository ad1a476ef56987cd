// Leader election on a coordination.k8s.io Lease: at most one candidate leads, as far as clocks that run alike can tell.
// Used by the composition root, which starts the controllers when elected. An election is no fence: writes carry resourceVersions all the same.
//
//   candidate --free, or unchanged for its duration--> leader --renewed every 2 s--> leader
//       ^------ another's name in it, or not renewed for 10 s (onLost) ------|--stop()--> released

import { type Clock, sleep } from '../base/clock.ts'
import { consequenceOf, messageOf, OperatorError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Client } from './client.ts'
import { isAlreadyExists, isCancelled, isConflict, isConnectionLost, isNotFound } from './errors.ts'
import { firstSpec, heldSpec, type LeaseSpec, releasedSpec, type Sighting, sight, specOf } from './lease-record.ts'
import { leases, type ObjectRef, type RawObject } from './resource.ts'

export interface ElectionOptions {
  readonly client: Pick<Client, 'get' | 'create' | 'mergePatch'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly lease: ObjectRef
  /** This candidate's name, unlike any other's, also after a restart (pod name and something random). */
  readonly identity: string
  /** Called when this candidate starts to lead; `signal` aborts when it ends, for whatever reason. Must not throw. */
  readonly onAcquired: (signal: AbortSignal) => void
  /** Called when the lease was lost (not after stop). What the leader does must end here, or the process. Must not throw. */
  readonly onLost: () => void
  /** How long others wait for a silent holder; ms. */
  readonly durationMs?: number
  /** A holder that could not renew for so long stops leading; ms. */
  readonly renewDeadlineMs?: number
  /** Between tries; ms. */
  readonly retryMs?: number
}

/** The figures of client-go's leader election, as kube-controller-manager uses it. */
const DURATION_MS = 15_000
const RENEW_DEADLINE_MS = 10_000
const RETRY_MS = 2_000
/** A pod that ends has little time. */
const RELEASE_MS = 3_000
const REMIND_MS = 60_000

interface Term {
  /** Monotonic milliseconds. */
  endsAt: number
  readonly end: AbortController
  /** Takes back the deadline. */
  cancelDeadline: () => void
}

/** A candidate from start() to stop(). After a loss it stands again, unless it is stopped. */
export class Election {
  readonly #options: Required<ElectionOptions>
  readonly #stopped = new AbortController()
  #running: Promise<void> | undefined
  #term: Term | undefined
  /** The last Lease this candidate read or wrote. */
  #lease: RawObject | undefined
  #sighting: Sighting | undefined
  /** Whom it said that it stands by for. */
  #stoodByFor: string | undefined
  /** What was warned of and has not changed since. */
  #complaint: { readonly text: string; readonly at: number } | undefined

  constructor(options: ElectionOptions) {
    this.#options = { durationMs: DURATION_MS, renewDeadlineMs: RENEW_DEADLINE_MS, retryMs: RETRY_MS, ...options }
  }

  get leading(): boolean {
    return this.#term !== undefined
  }

  /** The identity in the Lease as last seen; undefined when free or not seen. */
  get holder(): string | undefined {
    return (this.#lease && specOf(this.#lease).holderIdentity) || undefined
  }

  /**
   * Ends a term whose time is over though its timer has not had its turn: a process that stood still goes on with what was under way before it comes
   * to its timers. To be called before each write.
   */
  check(): void {
    const term = this.#term
    if (term !== undefined && this.#options.clock.monotonic() >= term.endsAt) this.#lose(term, 'this process stood still')
  }

  /** Stands for election; returns at once. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** Ends the term and gives the lease back, so that the next leader need not wait. Stop the controllers first. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#endTerm()
    if (this.#running === undefined) return
    await this.#running
    await this.#release()
  }

  async #run(): Promise<void> {
    const { clock, random, retryMs } = this.#options
    while (!this.#stopped.signal.aborted) {
      await this.#round()
      await sleep(clock, retryMs * (1 + random.uniform() / 10), this.#stopped.signal)
    }
  }

  /** One try to acquire or renew. Errors are passing: the next round tries again, and the deadline decides. */
  async #round(): Promise<void> {
    const { clock, log, lease } = this.#options
    try {
      await (this.#term === undefined ? this.#acquire() : this.#renew(this.#term))
      if (this.#complaint !== undefined) log.info('lease reached again', { lease: lease.name })
      this.#complaint = undefined
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error) || isCancelled(error)) return
      // A round comes every two seconds: what stays as it was is said once, and what waits for a person again each minute.
      const text = messageOf(error)
      const now = clock.monotonic()
      const said = this.#complaint?.text === text ? this.#complaint : undefined
      const isNews = said === undefined || (consequenceOf(error) === 'blocked' && now - said.at >= REMIND_MS)
      log[isNews ? 'warn' : 'debug']('lease not reached', { lease: lease.name, error: text })
      if (isNews) this.#complaint = { text, at: now }
    }
  }

  async #acquire(): Promise<void> {
    const { clock, identity, durationMs } = this.#options
    const found = await this.#read()
    const startedAt = clock.monotonic()
    if (found === undefined) {
      await this.#create()
      return this.#lead(startedAt)
    }
    this.#sighting = sight(this.#sighting, found, startedAt, durationMs)
    const spec = specOf(found)
    // Our own name is from a write whose answer was lost.
    if (spec.holderIdentity && spec.holderIdentity !== identity && startedAt < this.#sighting.freeAt)
      return this.#standBy(spec.holderIdentity)
    await this.#write(found, heldSpec(spec, identity, durationMs, clock.now(), true))
    this.#lead(startedAt)
  }

  async #renew(term: Term): Promise<void> {
    const { clock, identity, durationMs } = this.#options
    const startedAt = clock.monotonic()
    const held = this.#lease
    try {
      // None: it was deleted, and could not be made again the last time.
      if (held === undefined) await this.#regain(term)
      else await this.#write(held, heldSpec(specOf(held), identity, durationMs, clock.now(), false), term)
    } catch (error) {
      if (held === undefined || (!isConflict(error) && !isNotFound(error))) throw error
      await this.#regain(term)
    }
    this.#extend(term, startedAt)
  }

  /** Somebody edited, deleted or took it: looks, and goes on only while it is still ours. */
  async #regain(term: Term): Promise<void> {
    const { clock, identity, durationMs } = this.#options
    const found = await this.#read(term)
    if (found === undefined) return await this.#create(term)
    const spec = specOf(found)
    if (spec.holderIdentity !== identity) return this.#lose(term, `held by ${spec.holderIdentity || 'nobody'}`)
    await this.#write(found, heldSpec(spec, identity, durationMs, clock.now(), false), term)
  }

  /** Silence would look like a replica that hangs. */
  #standBy(holder: string): void {
    const { log, lease } = this.#options
    if (this.#stoodByFor === holder) return
    this.#stoodByFor = holder
    log.info('standing by', { lease: lease.name, holder })
  }

  #lead(startedAt: number): void {
    const { log, lease, identity, onAcquired } = this.#options
    if (this.#stopped.signal.aborted) return
    this.#stoodByFor = undefined
    const term: Term = { end: new AbortController(), endsAt: startedAt, cancelDeadline: () => {} }
    this.#term = term
    this.#extend(term, startedAt)
    log.info('lease acquired', { lease: lease.name, holder: identity })
    onAcquired(term.end.signal)
  }

  /** The deadline counts from before the write that renewed: others may count from the moment it was carried out. */
  #extend(term: Term, startedAt: number): void {
    if (this.#term !== term) return
    const { clock, renewDeadlineMs } = this.#options
    term.cancelDeadline()
    term.endsAt = startedAt + renewDeadlineMs
    term.cancelDeadline = clock.after(term.endsAt - clock.monotonic(), () =>
      this.#lose(term, `not renewed for ${Math.round(renewDeadlineMs / 1000)} s`),
    )
  }

  #lose(term: Term, detail: string): void {
    if (this.#term !== term) return
    const { log, lease, onLost } = this.#options
    this.#endTerm()
    log.warn('lease lost', { lease: lease.name, detail })
    onLost()
  }

  #endTerm(): void {
    const term = this.#term
    this.#term = undefined
    this.#sighting = undefined
    term?.cancelDeadline()
    term?.end.abort()
  }

  /** Looks first: whether the last write before stop() was carried out may be unknown. */
  async #release(): Promise<void> {
    const { client, clock, log, lease, identity } = this.#options
    try {
      const found = await client.get(leases, lease, { deadlineMs: RELEASE_MS })
      const spec = specOf(found)
      if (spec.holderIdentity !== identity) return
      this.#lease = await client.mergePatch(leases, lease, withVersion(found, releasedSpec(spec, clock.now())), { deadlineMs: RELEASE_MS })
      log.info('lease released', { lease: lease.name })
    } catch (error) {
      if (!isNotFound(error)) log.warn('lease not released', { lease: lease.name, error: messageOf(error) })
    }
  }

  async #read(term?: Term): Promise<RawObject | undefined> {
    const { client, lease } = this.#options
    try {
      this.#lease = await client.get(leases, lease, this.#call(term))
      return this.#lease
    } catch (error) {
      if (!isNotFound(error)) throw error
      this.#lease = undefined
      return undefined
    }
  }

  async #create(term?: Term): Promise<void> {
    const { client, clock, lease, identity, durationMs } = this.#options
    const spec = firstSpec(identity, durationMs, clock.now())
    const metadata = { name: lease.name, namespace: lease.namespace }
    try {
      this.#lease = await client.create(leases, { metadata, spec }, this.#call(term))
    } catch (error) {
      if (!isNotFound(error)) throw error
      // What is not found when something is made is where it would be.
      const remedy = `kubectl create namespace ${lease.namespace}`
      throw new OperatorError('blocked', 'NamespaceMissing', `${messageOf(error)}: ${remedy}`, { cause: error })
    }
  }

  /**
   * A write whose answer was lost may have been carried out, and its repeat is a Conflict: then the Lease itself tells. Else a candidate that hears no
   * answer to any write would never lead, and by what it writes keep all others from leading.
   */
  async #write(seen: RawObject, spec: LeaseSpec, term?: Term): Promise<void> {
    const { client, lease } = this.#options
    try {
      this.#lease = await client.mergePatch(leases, lease, withVersion(seen, spec), this.#call(term))
    } catch (error) {
      // After a time-out there is no time for another look.
      if (!isConflict(error) && !isConnectionLost(error)) throw error
      const found = await this.#read(term).catch(() => undefined)
      if (found === undefined || specOf(found).renewTime !== spec.renewTime || specOf(found).holderIdentity !== spec.holderIdentity)
        throw error
    }
  }

  /** A hanging request ends with the term or the election, and no later than a few rounds. */
  #call(term: Term | undefined): { signal: AbortSignal; deadlineMs: number } {
    const signal = term === undefined ? this.#stopped.signal : AbortSignal.any([this.#stopped.signal, term.end.signal])
    return { signal, deadlineMs: this.#options.renewDeadlineMs / 2 }
  }
}

/** A merge patch that holds only on exactly the version seen. */
function withVersion(seen: RawObject, spec: object): object {
  const { uid, resourceVersion } = seen.metadata
  return { metadata: { uid, resourceVersion }, spec }
}
