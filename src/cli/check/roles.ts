// The roles of the operator's account, held against the table of rights that its manifests are made from, and the bindings that give them to it.
// Which roles there must be says rbacObjects of that table, by the namespaces that the operator watches.

import { MANAGER } from '../../api/names.ts'
import { RIGHTS_PARTS } from '../../api/rights.ts'
import type { Client } from '../../k8s/client.ts'
import { namespaces, type RawObject } from '../../k8s/resource.ts'
import { bindingFinding } from './bindings.ts'
import type { OperatorSettings } from './deployment.ts'
import { bad, type CheckFinding, good, lookAt, unknown, warning } from './finding.ts'
import { byChart, byUpgrade } from './remedies.ts'
import { clusterRoles, roles } from './resources.ts'
import { firstLacking, type Wanted } from './role-rules.ts'

/** The names in the manifests. */
const ROLE = `${MANAGER}-controller`
const RESTART_ROLE = `${MANAGER}-restart`
const EVENTS_ROLE = `${MANAGER}-events`
const BY_HAND = 'apply the roles of the operator’s version'

type Looked = RawObject | 'unknown' | undefined

/** A role that must be there; `namespace` is undefined for a ClusterRole. */
interface Grant {
  readonly role: string
  readonly namespace?: string
  readonly wanted: Wanted
  /** Only judged where it is there. */
  readonly optional?: true
}

/** `leads`: an operator holds the Lease, so that it has rights from somewhere: roles under these names are then not all there is. */
export async function roleFindings(client: Client, settings: OperatorSettings, leads: boolean): Promise<readonly CheckFinding[]> {
  const gone = await goneNamespaces(client, settings)
  const grants = grantsOf(settings).filter(({ namespace }) => namespace === undefined || !gone.includes(namespace))
  const looked = await Promise.all(grants.map((grant) => look(client, grant)))
  // The first two are always asked for. Where one of them is there, the rights come from the manifests, and what is missing of them is missing.
  const elsewhere = leads && !looked.slice(0, 2).some((found) => typeof found === 'object')
  const findings = grants.map(async (grant, index) => {
    const found = looked[index]
    if (grant.optional && typeof found !== 'object') return []
    // Each of the first two may be there alone: an operator that works does not need it under this name.
    const excused = index < 2 ? leads : elsewhere
    return [judge(grant, found, settings, excused), ...(await binding(client, grant, found, settings))]
  })
  return [...gone.map(goneFinding), ...(await Promise.all(findings)).flat()]
}

function grantsOf({ account, watchNamespaces = [], restartWorkloads = false }: OperatorSettings): readonly Grant[] {
  const { namespace } = account
  const parts = RIGHTS_PARTS
  if (watchNamespaces.length === 0) {
    return [
      { role: ROLE, wanted: { rights: parts.cluster } },
      { role: ROLE, namespace, wanted: { rights: parts['operator-namespace'] } },
      { role: RESTART_ROLE, wanted: { rights: parts.restart }, ...(restartWorkloads ? {} : { optional: true }) },
    ]
  }
  return [
    { role: ROLE, wanted: { rights: parts.cluster, named: { rights: parts.namespaces, names: watchNamespaces } } },
    { role: ROLE, namespace, wanted: { rights: [...parts['operator-namespace'], ...parts['operator-namespace-apart']] } },
    { role: EVENTS_ROLE, namespace: 'default', wanted: { rights: parts['default-namespace-apart'] } },
    ...watchNamespaces.flatMap((watched): Grant[] => [
      { role: ROLE, namespace: watched, wanted: { rights: parts.watched } },
      ...(restartWorkloads ? [{ role: RESTART_ROLE, namespace: watched, wanted: { rights: parts.restart } }] : []),
    ]),
  ]
}

/** Namespaces that it is told to watch and that do not exist, in which no Role can be. */
async function goneNamespaces(client: Client, { watchNamespaces = [] }: OperatorSettings): Promise<readonly string[]> {
  const looked = watchNamespaces.map(async (name) => {
    const found = await lookAt(() => client.get(namespaces, { namespace: '', name }))
    return found === undefined ? [name] : []
  })
  return (await Promise.all(looked)).flat()
}

const goneFinding = (name: string): CheckFinding =>
  bad(
    `namespace ${name}, which the operator is to watch, does not exist`,
    `kubectl create namespace ${name}, or take it out of watchNamespaces; helm upgrade --reset-then-reuse-values then makes its Role, and refuses before`,
  )

function look(client: Client, { role, namespace }: Grant): Promise<Looked> {
  return lookAt(() => client.get(namespace === undefined ? clusterRoles : roles, { namespace: namespace ?? '', name: role }))
}

async function binding(
  client: Client,
  { role, namespace }: Grant,
  found: Looked,
  settings: OperatorSettings,
): Promise<readonly CheckFinding[]> {
  return found === undefined ? [] : [await bindingFinding(client, role, namespace, settings)]
}

function judge({ role, namespace, wanted }: Grant, found: Looked, settings: OperatorSettings, excused: boolean): CheckFinding {
  const name = namespace === undefined ? `ClusterRole ${role}` : `Role ${namespace}/${role}`
  if (found === 'unknown') return unknown(name)
  if (!found) return absent(name, settings, excused)
  const lacking = firstLacking(found, wanted)
  if (lacking) return bad(`${name} lacks ${lacking}`, remedyOf(role, namespace))
  return (namespace === undefined && role === ROLE && lackingEverywhere(name, found, settings)) || good(`${name} has all rights`)
}

/** A role lacks what a newer version needs, or what somebody took away, and beside that Helm stops at a conflict. */
function remedyOf(role: string, namespace: string | undefined): string {
  const object = namespace === undefined ? `clusterrole ${role}` : `role ${role} -n ${namespace}`
  return `${byUpgrade(BY_HAND)}; where somebody edited it, kubectl delete ${object} before`
}

/** Where only some namespaces are watched, what is needed in each is in roles of theirs. */
function lackingEverywhere(name: string, found: RawObject, { watchNamespaces }: OperatorSettings): CheckFinding | undefined {
  if (watchNamespaces !== undefined && watchNamespaces.length > 0) return undefined
  const lacking = firstLacking(found, { rights: [...RIGHTS_PARTS.namespaces, ...RIGHTS_PARTS.watched] })
  if (!lacking) return undefined
  if (watchNamespaces) return bad(`${name} lacks ${lacking}, and the operator serves all namespaces`, remedyOf(ROLE, undefined))
  return warning(
    `${name} lacks ${lacking}: the operator serves some namespaces only`,
    `is that meant (--watch-namespaces)? Else ${byUpgrade(BY_HAND)}`,
  )
}

function absent(name: string, settings: OperatorSettings, excused: boolean): CheckFinding {
  const remedy = byChart(settings, BY_HAND)
  if (!excused) return bad(`${name} is not there`, remedy)
  return warning(`${name} is not there; the operator that works has its rights from elsewhere`, `is that meant? Else ${remedy}`)
}
