// The cache of one collection: projected objects, indexes kept as they change, our own writes visible at once, and who wants to hear of changes.
// Filled by a Watcher, read by observe() through Lookup, told of our writes by those who write. Never waits, never talks to the API server.

import type { Lookup, Stored } from './lookup.ts'
import { keyOf } from './object-key.ts'
import type { RawMeta, RawObject, Resource } from './resource.ts'
import { compareVersions, isVersion, NO_VERSION, newerVersion, versionOf } from './resource-version.ts'
import { type Change, type Difference, differenceOf, differences } from './store-change.ts'
import { Contents } from './store-contents.ts'
import { Graves } from './store-graves.ts'
import { Holds, type StoreEvent } from './store-holds.ts'
import type { IndexFunction } from './store-index.ts'
import { Replacement } from './store-replacement.ts'

export { type Lookup, type Stored, storedMeta } from './lookup.ts'
export type { Change } from './store-change.ts'
export type { StoreEvent } from './store-holds.ts'

/** A projection, index function or listener that threw. */
export interface StoreProblem {
  readonly namespace: string
  readonly name: string
  readonly resourceVersion: string
  readonly part: 'projection' | 'index' | 'listener'
  readonly error: unknown
}

export interface StoreOptions<T extends Stored> {
  readonly resource: Resource
  /** Takes what is needed out of an object, which is dropped right after; a pure function. When it throws, the object is kept out of the store. */
  readonly project: (raw: RawObject) => T
  /** Pure functions of the projected object, by the names that by() is called with. */
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>
  /** Hears of a failing projection once for each version of an object. */
  readonly onProblem?: (problem: StoreProblem) => void
}

/**
 * A collection as it was at some resourceVersion, plus what we wrote since.
 *
 *                        list, complete (version L)
 *            +------------------------------------------------+
 *            |                                                v
 *      +-----------+   beginReplace()   +-----------+    +-----------+
 *      |   empty   |------------------->|  listing  |--->| following |--- event: newer than what is stored or buried? take it
 *      +-----------+                    +-----------+    +-----------+     else it is late or a duplicate: ignore it
 *                                         ^       |            |
 *                                         +-------+------------+  beginReplace() again
 *
 * - The horizon is the newest version that list, events and bookmarks have brought: all that happened up to it is known here.
 * - wrote(): a version up to the horizon is old news (the object may be gone again since); a newer one is taken, and late events lose against it.
 * - removed(): the uid is buried; late events of it are ignored, unless they show the object terminating (finalizers hold it): then it lives.
 * - A complete list replaces everything, horizon, versions and graves too, so that a server restored from an older backup is followed.
 *   Two things survive it: a write reported after that list began that is newer than the list, and a removal reported after it began.
 *   (A consistent list that began after a write was answered contains that write.)
 */
export class Store<T extends Stored> implements Lookup<T> {
  readonly resource: Resource
  readonly #options: StoreOptions<T>
  #contents: Contents<T>
  readonly #listeners = new Set<(change: Change<T>) => void>()
  /** By key, the version whose projection failed. */
  readonly #refused = new Map<string, string>()
  #graves = new Graves()
  /** Uids of stored objects that are being deleted and that finalizers hold. */
  #terminating: Set<string> = new Set()
  readonly #holds = new Holds((event) => this.#carryOut(event))
  #horizon = NO_VERSION
  #replacement: Replacement<T> | undefined
  #readable = true
  #synced = false

  constructor(options: StoreOptions<T>) {
    this.resource = options.resource
    this.#options = options
    this.#contents = this.#nothing()
  }

  get readable(): boolean {
    return this.#readable
  }

  /** Whether a complete list was ever there. */
  get synced(): boolean {
    return this.#synced
  }

  get size(): number {
    return this.#contents.size
  }

  /** How many objects are kept out because their projection throws. */
  get refused(): number {
    return this.#refused.size
  }

  get(namespace: string, name: string): T | undefined {
    return this.#contents.get(keyOf(namespace, name))
  }

  by(index: string, value: string): readonly T[] {
    return this.#contents.by(index, value) ?? this.#noIndex(index)
  }

  /** How many objects by() would give, without a copy of the list. */
  count(index: string, value: string): number {
    return this.#contents.count(index, value) ?? this.#noIndex(index)
  }

  inNamespace(namespace: string): readonly T[] {
    return this.#contents.inNamespace(namespace)
  }

  all(): Iterable<T> {
    return this.#contents.all()
  }

  /** Says that this account may not read the collection; a complete list says the opposite. */
  markUnreadable(): void {
    this.#readable = false
  }

  /**
   * Calls `listener` for every change from now on, synchronously and after the store has it (after a list: all of it). No call when only the
   * resourceVersion moved. A listener that throws is reported and disturbs nobody. Returns a function that ends it.
   */
  subscribe(listener: (change: Change<T>) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Takes what one of our writes returned, so that the next pass reads it. `project` may do what the store's own projection does with less work, since
   * who wrote knows what was written.
   */
  wrote(raw: RawObject, project: (raw: RawObject) => T = this.#options.project): void {
    const version = versionOf(raw.metadata)
    if (!isVersion(version)) return
    const raced = this.#replacement?.wrote(raw)
    // A version whose event waits is not the past, though the horizon says so.
    if (compareVersions(version, this.#horizon) > 0 || this.#holds.has(raw.metadata))
      this.#take(raw, true, () => raced ?? this.#project(raw, project))
  }

  /**
   * Lets the events of one object wait until the function that it returns is called. For the time of a write of ours: its event often comes before its
   * answer, and would be taken for somebody else's change, projected without what we know of it.
   */
  hold(ref: { readonly namespace: string; readonly name: string }): () => void {
    return this.#holds.hold(keyOf(ref.namespace, ref.name))
  }

  /** Takes that the API server accepted our delete of the object with this uid. */
  removed(ref: { readonly namespace: string; readonly name: string }, uid: string): void {
    const key = keyOf(ref.namespace, ref.name)
    this.#replacement?.removed(key, uid)
    // The watch was faster than the answer to the delete: finalizers hold the object, and its end will come as an event.
    if (this.#terminating.has(uid)) return
    this.#graves.bury(key, { uid })
    const before = this.#contents.get(key)
    if (before?.uid === uid) this.#emit(this.#put(key, undefined), true)
  }

  /** Takes an event of the watch. The caller has checked that it has a name and a version. */
  apply(event: StoreEvent): void {
    this.advance(versionOf(event.object.metadata))
    if (!this.#holds.takes(event)) this.#carryOut(event)
  }

  /** All events up to `version` were applied (a bookmark). */
  advance(version: string): void {
    this.#horizon = newerVersion(this.#horizon, version)
  }

  /**
   * Begins to take in a list; call it before the list is asked for. One that had begun before and was not finished is forgotten.
   * The store shows what it had until finish() is called.
   */
  beginReplace(): Pick<Replacement<T>, 'add' | 'finish'> {
    this.#replacement = new Replacement<T>({
      project: (raw) => this.#project(raw),
      present: (key) => this.#contents.get(key),
      contents: this.#nothing(),
      done: (replacement, version) => this.#replace(replacement, version),
    })
    return this.#replacement
  }

  #replace(replacement: Replacement<T>, version: string): void {
    if (this.#replacement !== replacement) return
    this.#replacement = undefined
    this.#horizon = version
    // What they tell is in the list.
    this.#holds.clear()
    this.#graves = replacement.graves
    this.#terminating = replacement.terminating
    this.#readable = true
    this.#synced = true
    for (const key of this.#refused.keys()) if (!replacement.refused.has(key)) this.#refused.delete(key)
    const before = this.#contents
    this.#contents = replacement.contents
    if (this.#listeners.size > 0) this.#emit(differences(before, this.#contents), false)
  }

  #carryOut({ type, object }: StoreEvent): void {
    if (type === 'DELETED') this.#drop(object.metadata)
    else this.#take(object, false)
  }

  #nothing(): Contents<T> {
    const onIndexError = (object: T, error: unknown): void => this.#problem({ ...placeOf(object), part: 'index', error })
    return new Contents({ indexes: this.#options.indexes ?? {}, onIndexError })
  }

  /** An object was created or changed. */
  #take(raw: RawObject, own: boolean, project: () => T | undefined = () => this.#project(raw)): void {
    const { metadata } = raw
    const key = keyOf(metadata.namespace, metadata.name)
    const version = versionOf(metadata)
    if (compareVersions(version, this.#contents.get(key)?.resourceVersion ?? NO_VERSION) <= 0) return
    if (this.#graves.isLate(key, metadata)) return
    const object = project()
    if (object === undefined) this.#graves.bury(key, { version })
    const changes = this.#put(key, object)
    if (object !== undefined && metadata.deletionTimestamp !== undefined) this.#terminating.add(object.uid)
    this.#emit(changes, own)
  }

  #drop(metadata: RawMeta): void {
    const key = keyOf(metadata.namespace, metadata.name)
    const version = versionOf(metadata)
    const before = this.#contents.get(key)
    if (compareVersions(version, before?.resourceVersion ?? NO_VERSION) < 0) return
    this.#graves.bury(key, { version })
    if (compareVersions(version, this.#refused.get(key) ?? NO_VERSION) >= 0) this.#refused.delete(key)
    this.#emit(this.#put(key, undefined), false)
  }

  /** Undefined when the projection throws or is not of that object; reported once for each version. */
  #project(raw: RawObject, project: (raw: RawObject) => T = this.#options.project): T | undefined {
    const { namespace = '', name } = raw.metadata
    const key = keyOf(namespace, name)
    const resourceVersion = versionOf(raw.metadata)
    try {
      const object = project(raw)
      if (object.namespace !== namespace || object.name !== name || object.resourceVersion !== resourceVersion) {
        throw new TypeError('a projection of another namespace, name or resourceVersion than its object has')
      }
      this.#refused.delete(key)
      return Object.freeze(object)
    } catch (error) {
      if (this.#refused.get(key) !== resourceVersion) this.#problem({ namespace, name, resourceVersion, part: 'projection', error })
      this.#refused.set(key, resourceVersion)
      return undefined
    }
  }

  /** Stores one object or its absence and returns what is worth telling. */
  #put(key: string, after: T | undefined): Difference<T>[] {
    const before = this.#contents.put(key, after)
    if (before !== undefined && before.uid !== after?.uid) this.#terminating.delete(before.uid)
    return differenceOf(before, after)
  }

  #emit(changes: readonly Difference<T>[], own: boolean): void {
    for (const { before, after } of changes) {
      for (const listener of [...this.#listeners]) {
        try {
          listener({ before, after, own })
        } catch (error) {
          this.#problem({ ...placeOf((after ?? before) as T), part: 'listener', error })
        }
      }
    }
  }

  #noIndex(index: string): never {
    throw new RangeError(`the store of ${this.resource.plural} has no index ${index}`)
  }

  #problem(problem: StoreProblem): void {
    this.#options.onProblem?.(problem)
  }
}

function placeOf({ namespace, name, resourceVersion }: Stored): Pick<StoreProblem, 'namespace' | 'name' | 'resourceVersion'> {
  return { namespace, name, resourceVersion }
}
