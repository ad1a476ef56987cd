// One index of a store: value -> the objects that have it, each list kept sorted by namespace and name as objects come and go.
// Used by the store only. Knows nothing of versions or events.

import type { ObjectRef } from './resource.ts'

/** The values under which an object is found; a pure function of the object. */
export type IndexFunction<T> = (object: T) => readonly string[]

/**
 * A change costs a binary search for each value and a move of what sorts behind it; a look-up copies its result and nothing else.
 */
export class StoreIndex<T extends ObjectRef> {
  readonly #valuesOf: IndexFunction<T>
  readonly #onError: (object: T, error: unknown) => void
  readonly #buckets = new Map<string, T[]>()

  /** `onError` hears of an index function that throws; such an object is not found through this index. */
  constructor(valuesOf: IndexFunction<T>, onError: (object: T, error: unknown) => void) {
    this.#valuesOf = valuesOf
    this.#onError = onError
  }

  /** Puts `after` in the place of `before`; both are of the same namespace and name. */
  replace(before: T | undefined, after: T | undefined): void {
    const values = this.#values(after, this.#onError)
    const old = this.#values(before, () => {})
    if (before !== undefined) for (const value of old) if (!values.includes(value)) this.#take(value, before)
    if (after !== undefined) for (const value of values) this.#put(value, after)
  }

  /** The objects that have `value`, sorted by namespace and name. The caller may keep the array. */
  get(value: string): T[] {
    return this.#buckets.get(value)?.slice() ?? []
  }

  /** How many objects have `value`. */
  count(value: string): number {
    return this.#buckets.get(value)?.length ?? 0
  }

  #values(object: T | undefined, onError: (object: T, error: unknown) => void): readonly string[] {
    if (object === undefined) return []
    try {
      return this.#valuesOf(object)
    } catch (error) {
      onError(object, error)
      return []
    }
  }

  #put(value: string, object: T): void {
    const bucket = this.#buckets.get(value)
    if (bucket === undefined) {
      this.#buckets.set(value, [object])
      return
    }
    const place = placeOf(bucket, object)
    if (isAt(bucket, place, object)) bucket[place] = object
    else bucket.splice(place, 0, object)
  }

  #take(value: string, object: T): void {
    const bucket = this.#buckets.get(value)
    if (bucket === undefined) return
    const place = placeOf(bucket, object)
    if (!isAt(bucket, place, object)) return
    bucket.splice(place, 1)
    if (bucket.length === 0) this.#buckets.delete(value)
  }
}

/** Where in the sorted list the object is, or would be. */
function placeOf<T extends ObjectRef>(bucket: readonly T[], object: T): number {
  let low = 0
  let high = bucket.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(bucket[middle] as T, object)) low = middle + 1
    else high = middle
  }
  return low
}

function isAt<T extends ObjectRef>(bucket: readonly T[], place: number, object: T): boolean {
  const there = bucket[place]
  return there !== undefined && there.name === object.name && there.namespace === object.namespace
}

function isBefore(a: ObjectRef, b: ObjectRef): boolean {
  return a.namespace === b.namespace ? a.name < b.name : a.namespace < b.namespace
}
