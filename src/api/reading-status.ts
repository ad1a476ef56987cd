// Reads the parts of a status that all kinds share. Used by the projections of this folder only.
// A status is a cache that we wrote ourselves: what cannot be read is left out, and the next report writes it again.

import { printable } from '../base/printable.ts'
import { type Condition, type ConditionStatus, isOwnCondition } from './condition.ts'
import { asList, asRecord } from './reading.ts'

/** The last failure, kept until a success: the next plan reads here when it may try again. Instants are RFC 3339 text. */
export interface LastFailure {
  readonly reason: string
  readonly message: string
  readonly at: string
  readonly attempts: number
  readonly nextAttemptAt: string
}

interface Types {
  readonly string: string
  readonly number: number
}

/** The named fields of an object that have the named type. A text that is not printable is none of ours, and the API server would refuse it for ever. */
export function readFields<T extends Readonly<Record<string, keyof Types>>>(
  raw: unknown,
  types: T,
): { readonly [K in keyof T]?: Types[T[K]] } {
  const fields = asRecord(raw) ?? {}
  const known = Object.entries(types).filter(([name, type]) => typeof fields[name] === type && isOurs(fields[name]))
  return Object.fromEntries(known.map(([name]) => [name, fields[name]])) as { [K in keyof T]?: Types[T[K]] }
}

const isOurs = (value: unknown): boolean => typeof value !== 'string' || printable(value) === value

/** The items of a list that `read` can read. */
export function readItems<T>(raw: unknown, read: (item: unknown) => T | undefined): readonly T[] {
  return (asList(raw) ?? []).map(read).filter((item) => item !== undefined)
}

/** Those of others stay as they are, octet by octet: they are written back with ours. */
export function readConditions(raw: unknown): readonly Condition[] {
  return readItems(raw, readCondition)
}

const STATUSES: readonly ConditionStatus[] = ['True', 'False', 'Unknown']

function readCondition(raw: unknown): Condition | undefined {
  const { type: typeGiven } = asRecord(raw) ?? {}
  if (typeof typeGiven === 'string' && !isOwnCondition({ type: typeGiven })) return raw as Condition
  const {
    type,
    reason,
    message,
    lastTransitionTime,
    observedGeneration,
    status: given,
  } = readFields(raw, {
    type: 'string',
    status: 'string',
    reason: 'string',
    message: 'string',
    lastTransitionTime: 'string',
    observedGeneration: 'number',
  })
  const status = STATUSES.find((known) => known === given)
  if (!type || !status) return undefined
  return {
    type,
    status,
    reason: reason ?? '',
    message: message ?? '',
    lastTransitionTime: lastTransitionTime ?? '',
    observedGeneration: observedGeneration ?? 0,
  }
}

export function readLastFailure(raw: unknown): LastFailure | undefined {
  const { reason, message, at, attempts, nextAttemptAt } = readFields(raw, {
    reason: 'string',
    message: 'string',
    at: 'string',
    attempts: 'number',
    nextAttemptAt: 'string',
  })
  if (!reason || !at || !nextAttemptAt) return undefined
  return { reason, message: message ?? '', at, attempts: attempts ?? 1, nextAttemptAt }
}
