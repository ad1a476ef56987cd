// The cache of a collection that is watched in some namespaces only: a store for each of them, read and written as one.
// Each store keeps its own horizon, because each is listed and watched by itself.

import type { Lookup, Stored } from './lookup.ts'
import type { RawObject } from './resource.ts'
import type { Change, Store } from './store.ts'

/** What readers and writers of a cache need of it, however it is filled. */
export type Collection<T extends Stored> = Lookup<T> &
  Pick<Store<T>, 'resource' | 'count' | 'subscribe' | 'wrote' | 'hold' | 'removed' | 'markUnreadable'>

export class StoreGroup<T extends Stored> implements Collection<T> {
  /** By namespace; of the namespaces themselves: by name. Sorted. */
  readonly parts: ReadonlyMap<string, Store<T>>
  readonly #first: Store<T>

  /** Throws a RangeError without parts. */
  constructor(parts: Readonly<Record<string, Store<T>>>) {
    this.parts = new Map(Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1)))
    const [first] = this.parts.values()
    if (!first) throw new RangeError('a group of no stores')
    this.#first = first
  }

  get resource() {
    return this.#first.resource
  }

  get readable(): boolean {
    return this.#all(({ readable }) => [readable]).every(Boolean)
  }

  get size(): number {
    return this.#all(({ size }) => [size]).reduce((sum, size) => sum + size, 0)
  }

  get(namespace: string, name: string): T | undefined {
    return this.#partOf({ namespace, name })?.get(namespace, name)
  }

  by(index: string, value: string): readonly T[] {
    return this.#all((store) => store.by(index, value))
  }

  count(index: string, value: string): number {
    return this.#all((store) => [store.count(index, value)]).reduce((sum, count) => sum + count, 0)
  }

  inNamespace(namespace: string): readonly T[] {
    return this.#all((store) => store.inNamespace(namespace))
  }

  *all(): Iterable<T> {
    for (const store of this.parts.values()) yield* store.all()
  }

  markUnreadable(): void {
    for (const store of this.parts.values()) store.markUnreadable()
  }

  subscribe(listener: (change: Change<T>) => void): () => void {
    const ends = this.#all((store) => [store.subscribe(listener)])
    return () => {
      for (const end of ends) end()
    }
  }

  /** What lies outside the namespaces is not kept: no watch would tell how it goes on. */
  wrote(raw: RawObject, project?: (raw: RawObject) => T): void {
    this.#partOf({ namespace: raw.metadata.namespace ?? '', name: raw.metadata.name })?.wrote(raw, project)
  }

  hold(ref: { readonly namespace: string; readonly name: string }): () => void {
    return this.#partOf(ref)?.hold(ref) ?? (() => {})
  }

  removed(ref: { readonly namespace: string; readonly name: string }, uid: string): void {
    this.#partOf(ref)?.removed(ref, uid)
  }

  #partOf({ namespace, name }: { readonly namespace: string; readonly name: string }): Store<T> | undefined {
    return this.parts.get(this.resource.namespaced ? namespace : name)
  }

  #all<R>(of: (store: Store<T>) => readonly R[]): R[] {
    return [...this.parts.values()].flatMap(of)
  }
}
