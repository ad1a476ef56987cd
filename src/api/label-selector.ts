// Label selectors (metav1.LabelSelector) and what they match, as NetworkPolicy means them. Used by identities and their triggers.
// The schema in label-selector-schema.ts refuses invalid ones; here they are only read and matched.

import { asList, asRecord, type Problems } from './reading.ts'

export const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const
export type Operator = (typeof OPERATORS)[number]

export interface LabelRequirement {
  readonly key: string
  readonly operator: Operator
  /** Not empty for In and NotIn, empty for the others. */
  readonly values: readonly string[]
}

/** All of it must hold. */
export interface LabelSelector {
  readonly matchLabels: Readonly<Record<string, string>>
  readonly matchExpressions: readonly LabelRequirement[]
}

type Labels = Readonly<Record<string, string>>

/** Stands for a selector that cannot be read: guessing could give an identity to a stranger's pods. */
export const MATCHES_NOTHING: LabelSelector = { matchLabels: {}, matchExpressions: [{ key: 'none', operator: 'In', values: [] }] }

/** Whether labels satisfy a selector; `{}` is satisfied by all. */
export function matches(selector: LabelSelector, labels: Labels): boolean {
  return (
    contained(selector.matchLabels, labels) &&
    selector.matchExpressions.every((requirement) => satisfies[requirement.operator](labelOf(labels, requirement.key), requirement.values))
  )
}

/** Whether every pair of `wanted` is among `labels`. */
export function contained(wanted: Labels, labels: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => labelOf(labels, key) === value)
}

/** By operator: whether the value of a label, undefined where there is none, is as required. NotIn is satisfied where there is none. */
const satisfies = {
  In: (label, values) => label !== undefined && values.includes(label),
  NotIn: (label, values) => label === undefined || !values.includes(label),
  Exists: (label) => label !== undefined,
  DoesNotExist: (label) => label === undefined,
} as const satisfies Record<Operator, (label: string | undefined, values: readonly string[]) => boolean>

/** A label may be called `constructor`. */
const labelOf = (labels: Labels, key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined)

/** Reads what the API server holds; what cannot be read is a problem, and then nothing is matched. */
export function readLabelSelector(problems: Problems, raw: unknown, path: string): LabelSelector {
  const fields = asRecord(raw)
  const labels = fields && Object.entries(asRecord(fields.matchLabels ?? {}) ?? { '': undefined })
  const requirements = fields && asList(fields.matchExpressions ?? [])?.map(readRequirement)
  if (!labels?.every(isPair) || !requirements?.every((requirement) => requirement !== undefined)) {
    problems.push(`${path} ${(JSON.stringify(raw) ?? '').slice(0, 60)} is not a valid label selector`)
    return MATCHES_NOTHING
  }
  return { matchLabels: Object.fromEntries(labels), matchExpressions: requirements }
}

const isPair = (entry: [string, unknown]): entry is [string, string] => entry[0] !== '' && typeof entry[1] === 'string'

function readRequirement(raw: unknown): LabelRequirement | undefined {
  const fields = asRecord(raw)
  const operator = OPERATORS.find((known) => known === fields?.operator)
  const key = fields?.key
  const values = asList(fields?.values ?? [])
  if (operator === undefined || typeof key !== 'string' || key === '' || !values?.every((value) => typeof value === 'string'))
    return undefined
  const takesValues = operator === 'In' || operator === 'NotIn'
  return takesValues === values.length > 0 ? { key, operator, values } : undefined
}
