// The parts of a status that all kinds share, as schemas. Used by the *-schema.ts files.
// Bounds are generous: a status that the API server refused would hide the very thing it is to tell.

import { choice, list, object, type Schema, text, whole } from './schema.ts'

const MAX_MESSAGE = 4096

const reasonText = (description: string): Schema => text(description, { maxLength: 1024 })
export const instantText = (description: string): Schema => text(`${description} RFC 3339 in UTC.`, { maxLength: 64 })

const observedGeneration = whole('The metadata.generation that this status is about.', 0)

const conditions = list(
  'What holds now: Ready, and Reconciling or Stalled while they are true. `kubectl wait --for=condition=Ready` works. Conditions of others stay; they come by update or patch, since the status is owned as a whole and a forced server-side apply would take its place.',
  object(
    'One condition.',
    {
      type: text(
        'Ready: all is as the spec asks. Reconciling: not yet, and it becomes so by itself. Stalled: a person must change something.',
        {
          maxLength: 316,
          minLength: 1,
        },
      ),
      status: choice('Whether it holds.', ['True', 'False', 'Unknown']),
      reason: reasonText('Why, as one word of a closed list; each has an entry in the runbook.'),
      message: text('Why, in words: what was found, and what to do about it.', { maxLength: MAX_MESSAGE }),
      lastTransitionTime: instantText('Since when status has its value.'),
      observedGeneration: whole('The metadata.generation that was looked at.', 0),
    },
    { required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'] },
  ),
  { maxItems: 32, keys: ['type'] },
)

const lastFailure = object(
  'The last failed attempt; gone after a success.',
  {
    reason: reasonText('Why it failed, as one word of a closed list.'),
    message: text('Why it failed, in words.', { maxLength: MAX_MESSAGE }),
    at: instantText('When it failed.'),
    attempts: whole('How often in a row.', 0),
    nextAttemptAt: instantText('When it is tried again at the latest; a change of the spec brings it forward.'),
  },
  { required: ['reason', 'message', 'at', 'attempts', 'nextAttemptAt'] },
)

/**
 * A status with these parts of its own. Owned as a whole: what the API server keeps of each field's owner is 5 % of what a status has it allocate. Another
 * controller's condition comes by update or patch, and stays. A server-side apply of one conflicts with all of ours, and where it is forced it takes the
 * place of the whole, until the next pass writes that again: docs/api.md says so.
 */
export function statusWith(parts: Readonly<Record<string, Schema>>): Schema {
  return object(
    'What was observed. A cache: it is made again when lost.',
    { observedGeneration, conditions, ...parts, lastFailure },
    { atomic: true },
  )
}
