// Durations in schemas: what the API server accepts is what src/base/duration.ts reads, within bounds. Used by the *-schema.ts files.
// CEL's duration() and our parser must never disagree about a text that passes.

import { fits, type Schema, text } from './schema.ts'

/**
 * Go's grammar with the units h, m, s, ms and neither sign nor blank. So few digits and characters that no text that fits can overflow
 * duration() (292 years), which would be an error of the rule instead of an answer.
 */
export const DURATION_PATTERN = '([0-9]{1,6}([.][0-9]+)?[hm]|[0-9]{1,9}([.][0-9]+)?m?s)+'
export const MAX_DURATION_LENGTH = 20

/** A duration between two others, both allowed; durations as Go writes them. */
export function duration(description: string, bounds: { atLeast: string; atMost: string; example: string; default?: string }): Schema {
  const { atLeast, atMost, example } = bounds
  const message = `must be a duration from ${atLeast} to ${atMost}, such as ${example}: numbers with the units h, m, s or ms (there are no days)`
  const rule = `${isDuration('self')} && duration(self) >= duration('${atLeast}') && duration(self) <= duration('${atMost}')`
  return text(`${description} A duration such as ${example}, from ${atLeast} to ${atMost}.`, {
    maxLength: MAX_DURATION_LENGTH,
    ...(bounds.default === undefined ? {} : { default: bounds.default }),
    rules: [{ rule, message }],
  })
}

/** CEL: the text can be given to duration(). */
const isDuration = (field: string): string => fits(field, DURATION_PATTERN)

/** CEL: `condition` wherever all of these fields are there and are durations; what is not, another rule has refused already. */
export function whereDurations(fields: readonly string[], condition: string): string {
  const unusable = fields.map((field) => `!has(${field}) || !${isDuration(field)}`)
  return [...unusable, condition].join(' || ')
}
