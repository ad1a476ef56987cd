// What a store holds at one time: objects by key, and the indexes over them. Used by the store, and by a list on its way into one.
// Knows nothing of versions, lists or listeners.

import { type IndexFunction, StoreIndex } from './store-index.ts'

export interface Placed {
  readonly namespace: string
  readonly name: string
}

export interface ContentsOptions<T> {
  /** Pure functions of the object, by the names that by() is called with. */
  readonly indexes: Readonly<Record<string, IndexFunction<T>>>
  /** Hears of an index function that throws; such an object is not found through that index. */
  readonly onIndexError: (object: T, error: unknown) => void
}

export class Contents<T extends Placed> {
  readonly #objects = new Map<string, T>()
  readonly #namespaces: StoreIndex<T>
  readonly #indexes: ReadonlyMap<string, StoreIndex<T>>

  constructor({ indexes, onIndexError }: ContentsOptions<T>) {
    this.#namespaces = new StoreIndex((object) => [object.namespace], onIndexError)
    this.#indexes = new Map(Object.entries(indexes).map(([name, valuesOf]) => [name, new StoreIndex(valuesOf, onIndexError)]))
  }

  get size(): number {
    return this.#objects.size
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  has(key: string): boolean {
    return this.#objects.has(key)
  }

  entries(): Iterable<[string, T]> {
    return this.#objects.entries()
  }

  all(): Iterable<T> {
    return this.#objects.values()
  }

  inNamespace(namespace: string): readonly T[] {
    return this.#namespaces.get(namespace)
  }

  /** Undefined: there is no such index. */
  by(index: string, value: string): readonly T[] | undefined {
    return this.#indexes.get(index)?.get(value)
  }

  /** How many by() would give; undefined: there is no such index. */
  count(index: string, value: string): number | undefined {
    return this.#indexes.get(index)?.count(value)
  }

  /** Puts an object, or its absence, in the place of what has the key, and returns that. */
  put(key: string, after: T | undefined): T | undefined {
    const before = this.#objects.get(key)
    if (before === after) return before
    if (after === undefined) this.#objects.delete(key)
    else this.#objects.set(key, after)
    this.#namespaces.replace(before, after)
    for (const index of this.#indexes.values()) index.replace(before, after)
    return before
  }
}
