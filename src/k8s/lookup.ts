// What readers of a cache see: the least that a projected object carries, and the look-ups.
// Used by observe(), whose tests hand in lookups of their own; implemented by the store.

import type { RawObject } from './resource.ts'
import { isVersion } from './resource-version.ts'

/** What every projection carries; made by storedMeta. */
export interface Stored {
  /** Empty for cluster-scoped objects. */
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
}

/** The part of a store that observe() sees. Lists are sorted by namespace and name and belong to the caller; the objects in them are shared and frozen. */
export interface Lookup<T extends Stored> {
  /** False: this account may not read the collection, so that what is missing here is unknown, not absent. */
  readonly readable: boolean
  readonly size: number
  get(namespace: string, name: string): T | undefined
  /** The objects for which the index function named `index` gives `value`. Throws a RangeError for an index that the store does not have. */
  by(index: string, value: string): readonly T[]
  inNamespace(namespace: string): readonly T[]
  /** In no particular order. */
  all(): Iterable<T>
}

/** The fields of Stored, for projections to spread. Throws a TypeError for an object that has no name, uid or usable resourceVersion. */
export function storedMeta(raw: RawObject): Stored {
  const { namespace = '', name, uid, resourceVersion } = raw.metadata
  if (!name || !uid || !isVersion(resourceVersion)) throw new TypeError('an object without name, uid or numeric resourceVersion')
  return { namespace, name, uid, resourceVersion }
}
