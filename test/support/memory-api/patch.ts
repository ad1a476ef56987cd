// Merge patches (RFC 7386) on plain JSON. Used by the writes; no state.

import { isFields } from './schema.ts'

type Fields = Record<string, unknown>

/** RFC 7386: null takes away. Returns a new value. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch
  const result: Fields = isFields(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name]
    else result[name] = mergePatch(result[name], value)
  }
  return result
}
