// Deep equality of plain data: decides whether subscribers of a store hear of a change.
// Used by the store. What it does not understand counts as different: a needless pass is cheap, a missed one is not.

/**
 * Whether two values say the same: primitives (NaN equals itself), arrays, bytes, dates and plain records, nested.
 * A field that is undefined equals one that is missing. Anything else (maps, instances of classes, functions) is the same only if it is the same one.
 */
export function equalData(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) return Array.isArray(b) && equalArrays(a, b)
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (a instanceof Date) return b instanceof Date && Object.is(a.getTime(), b.getTime())
  return isPlain(a) && isPlain(b) && equalRecords(a, b, undefined)
}

/** As equalData for two records, but for one field of the outermost level. */
export function equalDataBut(field: string, a: object, b: object): boolean {
  return a === b || (isPlain(a) && isPlain(b) && equalRecords(a, b, field))
}

type Fields = Readonly<Record<string, unknown>>

function equalArrays(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!equalData(a[i], b[i])) return false
  return true
}

function equalRecords(a: Fields, b: Fields, except: string | undefined): boolean {
  for (const key in a) if (key !== except && !equalData(a[key], own(b, key))) return false
  for (const key in b) if (key !== except && b[key] !== undefined && !Object.hasOwn(a, key)) return false
  return true
}

/** A label may be called `constructor`: what a record inherits is none of its data. */
function own(record: Fields, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

function isPlain(value: object): value is Fields {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
