// What the tables of reasons consist of: the shape of a runbook entry. Used by the tables beside it and by ../reason.ts.
// It holds no reason itself.

/** What a reason says of the object: fine or done; becomes right by itself; a person must change something; an attempt failed. */
export type ReasonKind = 'normal' | 'waiting' | 'refused' | 'failed'

/** The runbook entry of a reason. */
export interface ReasonEntry {
  readonly kind: ReasonKind
  /** What it means. */
  readonly summary: string
  /** What a person does. */
  readonly remedy: string
}
