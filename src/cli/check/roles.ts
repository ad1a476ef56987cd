// The roles of the operator's account, held against the table of rights that its manifests are made from, and the bindings that give them to it.

import { MANAGER } from '../../api/names.ts'
import { type PolicyRule, RIGHTS_PARTS, type Right, ruleOf } from '../../api/rights.ts'
import type { Client } from '../../k8s/client.ts'
import type { RawObject } from '../../k8s/resource.ts'
import { type Account, bindingFinding } from './bindings.ts'
import { bad, type CheckFinding, good, lookAt, unknown, warning } from './finding.ts'
import { byUpgrade } from './remedies.ts'
import { clusterRoles, roles } from './resources.ts'

/** The name of both, in the manifests. */
const ROLE = `${MANAGER}-controller`
const RESTART_ROLE = `${MANAGER}-restart`
const REMEDY = byUpgrade('apply the roles of the operator’s version')

/** `leads`: an operator holds the Lease, so that it has rights from somewhere: roles under these names are then not all there is. */
export async function roleFindings(client: Client, account: Account, leads: boolean): Promise<readonly CheckFinding[]> {
  const { namespace } = account
  const look = (role: string): Promise<Looked> => lookAt(() => client.get(clusterRoles, { namespace: '', name: role }))
  const bound = async (found: Looked, role: string, where?: string): Promise<readonly CheckFinding[]> =>
    found === undefined ? [] : [await bindingFinding(client, role, where, account)]
  const ofCluster = await look(ROLE)
  const own = await lookAt(() => client.get(roles, { namespace, name: ROLE }))
  // There where it is asked for (restartWorkloads of the chart).
  const restart = await look(RESTART_ROLE)
  return [
    judgeClusterRole(ofCluster, leads),
    ...(await bound(ofCluster, ROLE)),
    judgeRole(own, namespace, leads),
    ...(await bound(own, ROLE, namespace)),
    ...(restart === 'unknown' ? [] : [...judgeRestartRole(restart), ...(await bound(restart, RESTART_ROLE))]),
  ]
}

type Looked = RawObject | 'unknown' | undefined

function judgeRestartRole(found: RawObject | undefined): readonly CheckFinding[] {
  if (found === undefined) return []
  const lacking = firstLacking(found, RIGHTS_PARTS.restart)
  const name = `ClusterRole ${RESTART_ROLE}`
  return [lacking ? bad(`${name} lacks ${lacking}`, REMEDY) : good(`${name} has all rights`)]
}

/** Where only some namespaces are watched, what is needed in each is in roles of theirs. */
function judgeClusterRole(found: Looked, leads: boolean): CheckFinding {
  const name = `ClusterRole ${ROLE}`
  if (found === 'unknown') return unknown(name)
  if (!found) return absent(name, leads)
  const { cluster, namespaces, watched } = RIGHTS_PARTS
  const lacking = firstLacking(found, cluster)
  if (lacking) return bad(`${name} lacks ${lacking}`, REMEDY)
  const everywhere = firstLacking(found, [...namespaces, ...watched])
  if (!everywhere) return good(`${name} has all rights`)
  return warning(
    `${name} lacks ${everywhere}: the operator serves some namespaces only`,
    `is that meant (--watch-namespaces)? Else ${REMEDY}`,
  )
}

function judgeRole(found: Looked, namespace: string, leads: boolean): CheckFinding {
  const name = `Role ${namespace}/${ROLE}`
  if (found === 'unknown') return unknown(name)
  if (!found) return absent(name, leads)
  const lacking = firstLacking(found, RIGHTS_PARTS['operator-namespace'])
  return lacking ? bad(`${name} lacks ${lacking}`, REMEDY) : good(`${name} has all rights`)
}

function absent(name: string, leads: boolean): CheckFinding {
  if (!leads) return bad(`${name} is not there`, REMEDY)
  return warning(`${name} is not there; the operator that works has its rights from elsewhere`, `is that meant? Else ${REMEDY}`)
}

/** `patch mutualidentities/status`: the first right that no rule of the role gives. */
function firstLacking({ rules }: RawObject, rights: readonly Right[]): string | undefined {
  const given = (rules ?? []) as readonly PolicyRule[]
  for (const right of rights) {
    const { apiGroups, resources, verbs } = ruleOf(right)
    for (const resource of resources) {
      const lacking = verbs.filter((verb) => !given.some((rule) => gives(rule, apiGroups[0] ?? '', resource, verb)))
      if (lacking.length > 0) return `${lacking.join(', ')} ${resource}`
    }
  }
  return undefined
}

function gives(
  { apiGroups = [], resources = [], verbs = [], resourceNames = [] }: PolicyRule,
  group: string,
  resource: string,
  verb: string,
): boolean {
  const holds = (list: readonly string[], value: string): boolean => list.includes(value) || list.includes('*')
  return resourceNames.length === 0 && holds(apiGroups, group) && holds(resources, resource) && holds(verbs, verb)
}
