// Label and field selectors as they stand in a query. Used by lists and watches; no state.

import type { RawObject } from '../../../src/k8s/resource.ts'
import { badRequest } from './failure.ts'

export type Predicate = (object: RawObject) => boolean

/** Both selectors as one question. Throws 400 for what the API server does not take. */
export function selectorOf(labelSelector: string | undefined, fieldSelector: string | undefined): Predicate {
  const all = [...splitOutside(labelSelector ?? '').map(labelTerm), ...(fieldSelector ? fieldSelector.split(',') : []).map(fieldTerm)]
  return (object) => all.every((term) => term(object))
}

/** At commas that are not in parentheses. */
function splitOutside(text: string): string[] {
  return text === '' ? [] : text.split(/,(?![^(]*\))/)
}

function labelTerm(text: string): Predicate {
  const labelOf = (object: RawObject, key: string): string | undefined => object.metadata.labels?.[key]
  const set = /^\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*$/.exec(text)
  if (set) {
    const [, key = '', operator, list = ''] = set
    const values = list.split(',').map((value) => value.trim())
    return (object) => {
      const value = labelOf(object, key)
      return operator === 'in' ? value !== undefined && values.includes(value) : value === undefined || !values.includes(value)
    }
  }
  const pair = /^\s*([^=!\s]+)\s*(==|=|!=)\s*([-A-Za-z0-9_.]*)\s*$/.exec(text)
  if (pair) {
    const [, key = '', operator, value] = pair
    return (object) => (labelOf(object, key) === value) !== (operator === '!=')
  }
  const presence = /^\s*(!?)([^=!\s]+)\s*$/.exec(text)
  if (!presence) throw badRequest(`unable to parse requirement: ${text}`)
  const [, not, key = ''] = presence
  return (object) => (labelOf(object, key) === undefined) === (not === '!')
}

const FIELDS: Readonly<Record<string, (object: RawObject) => string>> = {
  'metadata.name': ({ metadata }) => metadata.name,
  'metadata.namespace': ({ metadata }) => metadata.namespace ?? '',
}

function fieldTerm(text: string): Predicate {
  const [, field = '', operator, value] = /^([^=!]+)(==|=|!=)(.*)$/.exec(text) ?? []
  const read = FIELDS[field]
  if (!read) throw badRequest(`field label not supported: ${field}`)
  return (object) => (read(object) === value) !== (operator === '!=')
}
