// How projections read an object whose fields are not yet known to be right: never a throw, a problem text instead.
// Used by the projections of this folder only. An absent field takes its default without a problem: it was stored before the default was.

import { type Duration, parseDuration } from '../base/duration.ts'
import { type Instant, parseInstant } from '../base/instant.ts'

/** What could not be read, in words that name the field, the value and what is expected. */
export type Problems = string[]

/** An object of ours as it comes from JSON, as far as projections look at it. */
export interface RawKind {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly resourceVersion?: string
    readonly generation?: number
    readonly creationTimestamp?: string
    readonly deletionTimestamp?: string
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

/** What every object of ours has besides spec and status. `namespace` is empty for cluster-scoped ones. */
export interface KindMeta {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  readonly generation: number
  readonly createdAt: Instant
  readonly deleting: boolean
}

/** The metadata of an object of ours. */
export function kindMeta({ metadata }: RawKind): KindMeta {
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    generation: metadata.generation ?? 0,
    createdAt: parseInstant(metadata.creationTimestamp ?? '') ?? 0,
    deleting: metadata.deletionTimestamp !== undefined,
  }
}

/** An object whose fields are not yet known to be right. */
export type Fields = Readonly<Record<string, unknown>>

/** The value if it is an object with fields. */
export function asRecord(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}

/** The value if it is a list. */
export function asList(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** The object at `path`, without fields where there is none. */
export function readRecord(problems: Problems, value: unknown, path: string): Fields {
  return read(problems, value, path, 'an object', asRecord) ?? {}
}

export function readText(problems: Problems, value: unknown, path: string): string | undefined {
  return read(problems, value, path, 'a text', (given) => asText(given) || undefined)
}

export function readDuration(problems: Problems, value: unknown, path: string): Duration | undefined {
  return read(problems, value, path, 'a duration such as 24h', (given) => (typeof given === 'string' ? parseDuration(given) : undefined))
}

export function readFlag(problems: Problems, value: unknown, path: string): boolean | undefined {
  return read(problems, value, path, 'true or false', (given) => (typeof given === 'boolean' ? given : undefined))
}

/** One of a closed list. */
export function readChoice<T extends string>(problems: Problems, value: unknown, path: string, choices: readonly T[]): T | undefined {
  return read(problems, value, path, `one of ${choices.join(', ')}`, (given) => choices.find((choice) => choice === given))
}

/** A list whose items `item` reads. Empty where one of them cannot be read, so that a limit never becomes wider than it was meant. */
export function readList<T>(
  problems: Problems,
  value: unknown,
  path: string,
  item: (problems: Problems, value: unknown, path: string) => T | undefined,
): readonly T[] | undefined {
  const items = read(problems, value, path, 'a list', asList)
  if (items === undefined) return absent(value) ? undefined : []
  const values = items.map((given, index) => item(problems, given, `${path}[${index}]`))
  return values.every((given) => given !== undefined) ? values : []
}

/** Texts by name; empty where one of them cannot be read. */
export function readTexts(problems: Problems, value: unknown, path: string): Readonly<Record<string, string>> {
  const texts = read(problems, value, path, 'an object of texts', (given) => {
    const entries = Object.entries(asRecord(given) ?? { '': undefined })
    return entries.every((entry): entry is [string, string] => typeof entry[1] === 'string') ? Object.fromEntries(entries) : undefined
  })
  return texts ?? {}
}

const absent = (value: unknown): boolean => value === undefined || value === null

function read<T>(
  problems: Problems,
  value: unknown,
  path: string,
  expected: string,
  parse: (value: unknown) => T | undefined,
): T | undefined {
  if (absent(value)) return undefined
  const parsed = parse(value)
  if (parsed === undefined) problems.push(`${path} ${(JSON.stringify(value) ?? '').slice(0, 60)} is not ${expected}`)
  return parsed
}
