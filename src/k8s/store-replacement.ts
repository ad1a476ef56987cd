// A list on its way into a store: taken in page by page, projected at once, shown only when it is whole; and what we wrote meanwhile.
// Used by the store only; see the diagram there.

import { equalData } from './equality.ts'
import { keyOf } from './object-key.ts'
import type { RawObject } from './resource.ts'
import { compareVersions, versionOf } from './resource-version.ts'
import type { Contents } from './store-contents.ts'
import { Graves } from './store-graves.ts'

interface Versioned {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
}

/** What we did to one object since the list began: the state that we wrote, or the uid that we deleted. */
type Raced<T> = { readonly object: T; readonly terminating: boolean } | { readonly uid: string }

export interface ReplacementOptions<T extends Versioned> {
  readonly project: (raw: RawObject) => T | undefined
  /** What the store holds at present. */
  readonly present: (key: string) => T | undefined
  /** Empty; what the store will hold. */
  readonly contents: Contents<T>
  readonly done: (replacement: Replacement<T>, version: string) => void
}

export class Replacement<T extends Versioned> {
  /** What the store will hold. */
  readonly contents: Contents<T>
  /** Keys of objects that exist but could not be projected. */
  readonly refused = new Set<string>()
  readonly graves = new Graves()
  /** Uids of those that are being deleted. */
  readonly terminating = new Set<string>()
  readonly #project: (raw: RawObject) => T | undefined
  readonly #present: (key: string) => T | undefined
  readonly #done: (replacement: Replacement<T>, version: string) => void
  readonly #raced = new Map<string, Raced<T>>()

  constructor({ project, present, contents, done }: ReplacementOptions<T>) {
    this.#project = project
    this.#present = present
    this.contents = contents
    this.#done = done
  }

  /**
   * Takes one item of the list. All the work on it is done here, between two of which others have their turn: what is the same as before stays the very
   * object that the store has, so that nothing but the few others is left to compare in the end, all at once.
   */
  add(raw: RawObject): void {
    const { metadata } = raw
    const key = keyOf(metadata.namespace, metadata.name)
    const object = this.#project(raw)
    if (object === undefined) {
      this.refused.add(key)
      this.graves.bury(key, { version: versionOf(metadata) })
      return
    }
    const present = this.#present(key)
    this.contents.put(key, present !== undefined && equalData(present, object) ? present : object)
    if (metadata.deletionTimestamp !== undefined) this.terminating.add(object.uid)
  }

  /** The list is whole and shows the collection at `version`: puts it into the store, unless another list was begun since. */
  finish(version: string): void {
    for (const [key, raced] of this.#raced) {
      if ('object' in raced) this.#keepWritten(key, raced, version)
      else this.#keepRemoved(key, raced.uid)
    }
    this.#done(this, version)
  }

  /** One of our writes was answered while the list was on its way. Returns its projection. */
  wrote(raw: RawObject): T | undefined {
    const { metadata } = raw
    const key = keyOf(metadata.namespace, metadata.name)
    const object = this.#project(raw)
    const raced = this.#raced.get(key)
    const terminating = metadata.deletionTimestamp !== undefined
    if (object === undefined || this.#isOlder(object, terminating, raced)) return object
    this.#raced.set(key, { object, terminating })
    return object
  }

  /** One of our deletes was accepted while the list was on its way. */
  removed(key: string, uid: string): void {
    this.#raced.set(key, { uid })
  }

  #isOlder(object: T, terminating: boolean, raced: Raced<T> | undefined): boolean {
    if (raced === undefined) return false
    if ('object' in raced) return compareVersions(object.resourceVersion, raced.object.resourceVersion) < 0
    return object.uid === raced.uid && !terminating
  }

  /** What is not newer than the list is in the list, or was gone again by then. */
  #keepWritten(key: string, { object, terminating }: { object: T; terminating: boolean }, version: string): void {
    if (compareVersions(object.resourceVersion, version) <= 0) return
    this.contents.put(key, object)
    this.refused.delete(key)
    if (terminating) this.terminating.add(object.uid)
  }

  #keepRemoved(key: string, uid: string): void {
    if (this.terminating.has(uid)) return
    if (this.contents.get(key)?.uid === uid) this.contents.put(key, undefined)
    this.graves.bury(key, { uid })
  }
}
