// A binary heap of keys by due time, in which a key can be moved and taken out. Used by the queue for keys that wait.
// Knows no clock: what the numbers mean is the caller's business.

interface Entry {
  readonly key: string
  due: number
  place: number
}

/** Each key is in it once. Every change costs O(log n), the nearest is free. */
export class Heap {
  readonly #entries: Entry[] = []
  readonly #byKey = new Map<string, Entry>()

  get size(): number {
    return this.#entries.length
  }

  /** The earliest due time; undefined when empty. */
  get nearest(): number | undefined {
    return this.#entries[0]?.due
  }

  /** Puts the key in, or moves it. */
  set(key: string, due: number): void {
    const known = this.#byKey.get(key)
    if (known === undefined) {
      const entry = { key, due, place: this.#entries.length }
      this.#byKey.set(key, entry)
      this.#entries.push(entry)
      this.#rise(entry)
    } else {
      known.due = due
      this.#rise(known)
      this.#sink(known)
    }
  }

  dueOf(key: string): number | undefined {
    return this.#byKey.get(key)?.due
  }

  delete(key: string): void {
    const entry = this.#byKey.get(key)
    if (entry === undefined) return
    this.#byKey.delete(key)
    const last = this.#entries.pop() as Entry
    if (last === entry) return
    this.#put(last, entry.place)
    this.#rise(last)
    this.#sink(last)
  }

  /** Takes out the key that is due first, if it is due at `now`. */
  takeDue(now: number): string | undefined {
    const first = this.#entries[0]
    if (first === undefined || first.due > now) return undefined
    this.delete(first.key)
    return first.key
  }

  #put(entry: Entry, place: number): void {
    this.#entries[place] = entry
    entry.place = place
  }

  #rise(entry: Entry): void {
    let place = entry.place
    while (place > 0) {
      const parent = this.#entries[(place - 1) >> 1] as Entry
      if (parent.due <= entry.due) break
      const above = parent.place
      this.#put(parent, place)
      place = above
    }
    this.#put(entry, place)
  }

  #sink(entry: Entry): void {
    let place = entry.place
    for (;;) {
      const left = this.#entries[2 * place + 1]
      const right = this.#entries[2 * place + 2]
      const child = right !== undefined && right.due < (left as Entry).due ? right : left
      if (child === undefined || child.due >= entry.due) break
      const below = child.place
      this.#put(child, place)
      place = below
    }
    this.#put(entry, place)
  }
}
