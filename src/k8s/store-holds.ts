// The events of objects that we write at the moment, until the answer to the write is there. Used by the store alone.

import { keyOf } from './object-key.ts'
import type { RawMeta, RawObject } from './resource.ts'
import { compareVersions, NO_VERSION, versionOf } from './resource-version.ts'

/** What a watch says about one object. */
export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: RawObject
}

/** What waits of one object. Of a Secret that is its key too, as it came, for as long as one write takes. */
interface Held {
  versions: string[]
  newest: StoreEvent | undefined
  holders: number
}

export class Holds {
  readonly #held = new Map<string, Held>()
  readonly #onRelease: (event: StoreEvent) => void

  /** `onRelease` gets the newest event of an object that is held no longer, where one came. */
  constructor(onRelease: (event: StoreEvent) => void) {
    this.#onRelease = onRelease
  }

  /** Holds the events of the object until the function that it returns is called, once; of several holders the last one decides. */
  hold(key: string): () => void {
    const held = this.#held.get(key) ?? { versions: [], newest: undefined, holders: 0 }
    held.holders++
    this.#held.set(key, held)
    return () => {
      held.holders--
      if (held.holders > 0) return
      this.#held.delete(key)
      if (held.newest !== undefined) this.#onRelease(held.newest)
    }
  }

  /**
   * Whether the event waits now. The newest is all that is kept: a tenant may rewrite an object of a megabyte again and again while our write waits for
   * its answer.
   */
  takes(event: StoreEvent): boolean {
    const { metadata } = event.object
    const held = this.#held.get(keyOf(metadata.namespace, metadata.name))
    if (held === undefined) return false
    const version = versionOf(metadata)
    held.versions.push(version)
    if (compareVersions(version, held.newest === undefined ? NO_VERSION : versionOf(held.newest.object.metadata)) > 0) held.newest = event
    return true
  }

  /** Whether the event of this very version of the object has come and waits. */
  has(metadata: RawMeta): boolean {
    return this.#held.get(keyOf(metadata.namespace, metadata.name))?.versions.includes(versionOf(metadata)) ?? false
  }

  /** Drops what waits; what comes from now on waits as before. */
  clear(): void {
    for (const held of this.#held.values()) Object.assign(held, { versions: [], newest: undefined })
  }
}
