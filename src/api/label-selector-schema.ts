// The schema of a label selector: what the API server demands of NetworkPolicy's, which our own kinds get only by saying so.
// Used by the schema of MutualIdentity.

import { OPERATORS } from './label-selector.ts'
import { choice, DNS_SUBDOMAIN, fits, list, map, object, type Rule, type Schema, text } from './schema.ts'

const MAX_LABELS = 32
const MAX_EXPRESSIONS = 16
const MAX_VALUES = 64
/** prefix, slash, name */
const MAX_KEY = 253 + 1 + 63

const NAME = '[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?'
const KEY = `(${DNS_SUBDOMAIN}/)?${NAME}`
const VALUE = `(${NAME})?`

/** CEL: the expression is a label key. */
export const isLabelKey = (expression: string): string =>
  `${expression}.size() <= ${MAX_KEY} && ${expression}.indexOf('/') <= 253 && ${fits(expression, KEY)}`
export const LABEL_KEY_MUST =
  'must be a label key: letters, digits, hyphens, underscores and dots, at most 63, a letter or digit at both ends, optionally after a DNS name and a slash'
const VALUE_MUST =
  'must be a label value: empty, or at most 63 letters, digits, hyphens, underscores and dots, a letter or digit at both ends'

/** A label's value. */
export const labelValue = (description: string): Schema =>
  text(description, { maxLength: 63, rules: [{ rule: fits('self', VALUE), message: VALUE_MUST }] })

const keysAreLabels: Rule = {
  rule: `self.all(key, ${isLabelKey('key')})`,
  messageExpression: `"key '" + self.filter(key, !(${isLabelKey('key')}))[0] + "' ${LABEL_KEY_MUST}"`,
  message: `each key ${LABEL_KEY_MUST}`,
}

const valuesAsTheOperatorTakes: Rule = {
  rule: "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)",
  messageExpression:
    "'operator ' + self.operator + (self.operator in ['In', 'NotIn'] ? ' needs at least one value in values' : ' takes no values: leave values out')",
  message: 'In and NotIn need values, Exists and DoesNotExist take none',
}

const requirement = object(
  'One requirement on a label.',
  {
    key: text('The label.', { maxLength: MAX_KEY, rules: [{ rule: isLabelKey('self'), message: LABEL_KEY_MUST }] }),
    operator: choice('How the value of the label relates to values. NotIn and DoesNotExist are met where the label is absent.', OPERATORS),
    values: list('The values for In and NotIn; the other operators take none.', labelValue('A label value.'), {
      maxItems: MAX_VALUES,
      atomic: true,
    }),
  },
  { required: ['key', 'operator'], rules: [valuesAsTheOperatorTakes] },
)

/** A whole selector; `description` says what it selects. */
export function labelSelector(description: string): Schema {
  return object(
    description,
    {
      matchLabels: map('Labels that must all be there with these values.', labelValue('The value the label must have.'), {
        maxProperties: MAX_LABELS,
        rules: [keysAreLabels],
      }),
      matchExpressions: list('Requirements that must all be met.', requirement, { maxItems: MAX_EXPRESSIONS, atomic: true }),
    },
    { atomic: true },
  )
}
