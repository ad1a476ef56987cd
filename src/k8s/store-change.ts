// What is told of a store's changes, and what two states of it differ in. Used by the store alone; pure.

import { equalDataBut } from './equality.ts'
import type { Stored } from './lookup.ts'
import type { Contents } from './store-contents.ts'

/** What happened to one object. An object that was deleted and created again between two looks (another uid) comes as two changes: the delete, then the add. */
export interface Change<T> {
  readonly before: T | undefined
  readonly after: T | undefined
  /** True for what wrote() and removed() brought: our own doing. */
  readonly own: boolean
}

export type Difference<T> = Omit<Change<T>, 'own'>

/** What is worth telling of all that a list brought: first what is gone, then the rest in its order. */
export function differences<T extends Stored>(before: Contents<T>, after: Contents<T>): Difference<T>[] {
  const all: Difference<T>[] = []
  for (const [key, object] of before.entries()) if (!after.has(key)) all.push({ before: object, after: undefined })
  for (const [key, object] of after.entries()) {
    const known = before.get(key)
    if (known !== object) all.push(...differenceOf(known, object))
  }
  return all
}

export function differenceOf<T extends Stored>(before: T | undefined, after: T | undefined): Difference<T>[] {
  if (before === undefined && after === undefined) return []
  if (before === undefined || after === undefined) return [{ before, after }]
  if (before.uid !== after.uid)
    return [
      { before, after: undefined },
      { before: undefined, after },
    ]
  return equalDataBut('resourceVersion', before, after) ? [] : [{ before, after }]
}
