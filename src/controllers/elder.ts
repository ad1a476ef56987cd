// Which of several that claim the same comes first. Pure.

import type { Instant } from '../base/instant.ts'

interface Aged {
  readonly createdAt: Instant
  readonly uid: string
}

/** Whether `a` is older than `b`, or as old and has the smaller UID: the same answer on every replica. */
export function isElder(a: Aged, b: Aged): boolean {
  return a.createdAt === b.createdAt ? a.uid < b.uid : a.createdAt < b.createdAt
}
