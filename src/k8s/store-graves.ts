// What a store remembers of objects that are gone, so that late news of them does not bring them back.
// Used by the store and its replacements. Bounded: what is forgotten costs a wrong look until the next event of that object, no more.

import type { RawMeta } from './resource.ts'
import { compareVersions, NO_VERSION, newerVersion, versionOf } from './resource-version.ts'

/** How many graves are kept: events lag behind deletes by seconds, and nobody deletes more than this in seconds. About 0.7 MB when full. */
const MAX_GRAVES = 5000

interface Grave {
  /** The uid that we deleted ourselves; no event need have told so yet. */
  readonly uid: string | undefined
  /** The newest version known to be gone. */
  readonly version: string
}

export class Graves {
  readonly #graves = new Map<string, Grave>()

  /** The object of this key with that uid, or all its versions up to that one, are gone. */
  bury(key: string, gone: { readonly uid?: string; readonly version?: string }): void {
    const known = this.#graves.get(key)
    this.#graves.delete(key)
    this.#graves.set(key, {
      uid: gone.uid ?? known?.uid,
      version: newerVersion(known?.version ?? NO_VERSION, gone.version ?? NO_VERSION),
    })
    if (this.#graves.size > MAX_GRAVES) this.#graves.delete(this.#graves.keys().next().value as string)
  }

  /**
   * Whether this state of an object is from before its end. We know no version of a delete of our own, only the uid: an object of that uid that is
   * shown terminating is held by finalizers and alive; one that is not was seen before the delete.
   */
  isLate(key: string, metadata: RawMeta): boolean {
    const grave = this.#graves.get(key)
    if (grave === undefined) return false
    if (compareVersions(versionOf(metadata), grave.version) <= 0) return true
    return grave.uid !== undefined && grave.uid === metadata.uid && metadata.deletionTimestamp === undefined
  }
}
