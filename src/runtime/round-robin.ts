// First in, first out within a group, and the groups in turn: who asks for thousands of things at once does not keep another from its first.
// Used by the queue for keys that are ready. Every call costs the same, whatever the number of items and groups, but for `heads`.

import { Fifo } from './fifo.ts'

export class RoundRobin<T> {
  readonly #groups = new Map<string, Fifo<T>>()
  /** Names of the groups that have items, in the order of their turns. */
  readonly #turns = new Fifo<string>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The first item of each group. */
  *heads(): Generator<T> {
    for (const { first } of this.#groups.values()) if (first !== undefined) yield first
  }

  push(group: string, item: T): void {
    let items = this.#groups.get(group)
    if (items === undefined) {
      items = new Fifo()
      this.#groups.set(group, items)
      this.#turns.push(group)
    }
    items.push(item)
    this.#size++
  }

  shift(): T | undefined {
    const group = this.#turns.shift()
    if (group === undefined) return undefined
    const items = this.#groups.get(group) as Fifo<T>
    const item = items.shift()
    this.#size--
    if (items.size > 0) this.#turns.push(group)
    else this.#groups.delete(group)
    return item
  }
}
