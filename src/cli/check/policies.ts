// The admission policies of the chart: is each there, and does a binding make it refuse, everywhere. The operator works without them: what is missing or
// weaker is a warning.

import { MANAGER } from '../../api/names.ts'
import type { Client } from '../../k8s/client.ts'
import type { RawObject } from '../../k8s/resource.ts'
import { type CheckFinding, good, lookAt, unknown, warning } from './finding.ts'
import { byMakingAgain, byUpgrade } from './remedies.ts'
import { admissionBindings, admissionPolicies } from './resources.ts'

/** By their names without that of the operator: the value of the chart that switches each off. */
export const POLICY_VALUES: Readonly<Record<string, string>> = {
  identities: 'policies.identities.enabled',
  'own-authorities': 'policies.ownAccount.enabled',
  'own-configmaps': 'policies.ownAccount.enabled',
  'own-leases': 'policies.ownAccount.enabled',
  'own-secrets': 'policies.ownAccount.enabled',
  restarts: 'policies.restarts.enabled',
}

export async function policyFindings(client: Client): Promise<readonly CheckFinding[]> {
  const policies = await lookAt(() => listed(client, admissionPolicies))
  const bindings = await lookAt(() => listed(client, admissionBindings))
  if (policies === 'unknown' || bindings === 'unknown') return [unknown('admission policies')]
  const there = new Set((policies ?? []).map(({ metadata }) => metadata.name))
  const wanted = Object.entries(POLICY_VALUES).map(([suffix, value]) => ({ name: `${MANAGER}-${suffix}`, value }))
  if (!wanted.some(({ name }) => there.has(name))) {
    return [
      warning(
        'admission policies: none of Mutual Identity is installed',
        'where tenants must not edit Secrets that they may write: install the Helm chart, or apply what helm template makes of its policies',
      ),
    ]
  }
  return wanted.map(({ name, value }) => (there.has(name) ? boundFinding(name, bindings ?? []) : missing(name, value)))
}

const missing = (name: string, value: string): CheckFinding =>
  warning(
    `admission policy ${name} is not there: what it refuses is let through`,
    `is that meant (value ${value})? Else ${byUpgrade('apply it with its binding')}`,
  )

/** One binding that refuses everywhere is enough. */
function boundFinding(name: string, bindings: readonly RawObject[]): CheckFinding {
  const own = (bindings as readonly Binding[]).filter(({ spec }) => spec?.policyName === name)
  const [first] = own
  if (!first) return warning(`admission policy ${name} has no binding`, `without a binding it does nothing: ${byUpgrade(BY_HAND)}`)
  const weaknesses = own.map(weakness)
  const [found] = weaknesses
  if (found === undefined || weaknesses.includes(undefined)) return good(`admission policy ${name} is there and bound`)
  const binding = first.metadata.name
  return warning(
    `admission policy ${name}: its binding ${binding} ${found}`,
    byMakingAgain(`validatingadmissionpolicybinding ${binding}`, BY_HAND),
  )
}

const BY_HAND = 'apply the bindings of the policies'

/** Why it refuses less than its policy says; undefined where it does not. */
function weakness({ spec: { validationActions = [], matchResources = {} } = {} }: Binding): string | undefined {
  if (!validationActions.includes('Deny')) return `refuses nothing: its validationActions are ${validationActions.join(', ') || 'none'}`
  // The API server adds empty selectors, which match all.
  const narrowing = NARROWING.find((field) => Object.values(matchResources[field] ?? {}).flat().length > 0)
  return narrowing && `applies to some objects only, by its matchResources.${narrowing}`
}

const NARROWING = ['namespaceSelector', 'objectSelector', 'resourceRules', 'excludeResourceRules'] as const

interface Binding extends RawObject {
  readonly spec?: {
    readonly policyName?: string
    readonly validationActions?: readonly string[]
    readonly matchResources?: Partial<Record<(typeof NARROWING)[number], object>>
  }
}

async function listed(client: Client, resource: typeof admissionPolicies): Promise<RawObject[]> {
  const all: RawObject[] = []
  for await (const page of client.listPages(resource)) all.push(...page.items)
  return all
}
