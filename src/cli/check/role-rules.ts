// What of the wanted rights no rule of a role gives. Pure.

import { type PolicyRule, type Right, ruleOf } from '../../api/rights.ts'
import type { RawObject } from '../../k8s/resource.ts'

export interface Wanted {
  readonly rights: readonly Right[]
  /** Rights on objects of these names alone. */
  readonly named?: { readonly rights: readonly Right[]; readonly names: readonly string[] }
}

/** `update mutualidentities/status`: the first right that no rule of the role gives. */
export function firstLacking({ rules }: RawObject, { rights, named }: Wanted): string | undefined {
  const given = (rules ?? []) as readonly PolicyRule[]
  const whole = given.filter(({ resourceNames = [] }) => resourceNames.length === 0)
  const lacking = lackingOf(whole, rights)
  if (lacking !== undefined || !named) return lacking
  for (const name of named.names) {
    const here = lackingOf(
      given.filter(({ resourceNames = [] }) => resourceNames.length === 0 || resourceNames.includes(name)),
      named.rights,
    )
    if (here !== undefined) return `${here} for ${name}`
  }
  return undefined
}

function lackingOf(given: readonly PolicyRule[], rights: readonly Right[]): string | undefined {
  for (const right of rights) {
    const { apiGroups, resources, verbs } = ruleOf(right)
    for (const resource of resources) {
      const lacking = verbs.filter((verb) => !given.some((rule) => gives(rule, apiGroups[0] ?? '', resource, verb)))
      if (lacking.length > 0) return `${lacking.join(', ')} ${resource}`
    }
  }
  return undefined
}

function gives({ apiGroups = [], resources = [], verbs = [] }: PolicyRule, group: string, resource: string, verb: string): boolean {
  const holds = (list: readonly string[], value: string): boolean => list.includes(value) || list.includes('*')
  return holds(apiGroups, group) && holds(resources, resource) && holds(verbs, verb)
}
