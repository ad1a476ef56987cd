// Whether the operator's account holds its roles: a role without its binding gives nobody anything.

import { MANAGER } from '../../api/names.ts'
import type { Client } from '../../k8s/client.ts'
import type { RawObject } from '../../k8s/resource.ts'
import type { Account, OperatorSettings } from './deployment.ts'
import { bad, type CheckFinding, good, lookAt, unknown, warning } from './finding.ts'
import { byChart, byMakingAgain } from './remedies.ts'
import { clusterRoleBindings, roleBindings } from './resources.ts'

/** It gives the operator its rights in the cluster. */
export const CONTROLLER_BINDING = `${MANAGER}-controller`

/** Where the accounts live that have the operator's rights; empty where that may not be read, or nobody has them. */
export async function boundNamespaces(client: Client): Promise<readonly string[]> {
  const found = await lookAt(() => client.get(clusterRoleBindings, { namespace: '', name: CONTROLLER_BINDING }))
  const { subjects = [] } = typeof found === 'object' ? (found as Binding) : {}
  return subjects.flatMap(({ kind, namespace }) => (kind === 'ServiceAccount' && namespace !== undefined ? [namespace] : []))
}

/** Bindings are named like the roles that they give. `namespace` is undefined for a ClusterRole. */
export async function bindingFinding(
  client: Client,
  role: string,
  namespace: string | undefined,
  settings: OperatorSettings,
): Promise<CheckFinding> {
  const resource = namespace === undefined ? clusterRoleBindings : roleBindings
  const found = await lookAt(() => client.get(resource, { namespace: namespace ?? '', name: role }))
  return judgeBinding(`${resource.kind} ${namespace === undefined ? '' : `${namespace}/`}${role}`, found, role, namespace, settings)
}

function judgeBinding(
  what: string,
  found: RawObject | 'unknown' | undefined,
  role: string,
  namespace: string | undefined,
  settings: OperatorSettings,
): CheckFinding {
  const { account } = settings
  if (found === 'unknown') return unknown(what)
  if (!found) return bad(`${what} is not there: the operator has none of the rights of the role`, byChart(settings, BY_HAND))
  const { roleRef, subjects = [] } = found as Binding
  const kind = namespace === undefined ? 'ClusterRole' : 'Role'
  const object = namespace === undefined ? `clusterrolebinding ${role}` : `rolebinding ${role} -n ${namespace}`
  const remedy = byMakingAgain(object, BY_HAND, account.namespace)
  if (roleRef?.kind !== kind || roleRef.name !== role)
    return bad(`${what} gives ${roleRef?.kind} ${roleRef?.name}, not ${kind} ${role}`, remedy)
  const who = account.name === undefined ? `an account of ${account.namespace}` : `ServiceAccount ${account.namespace}/${account.name}`
  if (!subjects.some((subject) => isOf(subject, account))) return notNamed(`${what} does not name ${who}`, subjects, account, remedy)
  const others = subjects.filter((subject) => !isItself(subject, account)).map(subjectText)
  if (others.length > 0)
    return warning(`${what} gives the role to others too, with all its rights: ${others.join(', ')}`, `is that meant? Else ${remedy}`)
  return good(`${what} gives the role to ${who}`)
}

const BY_HAND = 'apply the bindings of the operator’s version'

/** The usual cause where all is well with the installation: it lives elsewhere than was said. */
function notNamed(text: string, subjects: readonly Subject[], { namespace }: Account, remedy: string): CheckFinding {
  const other = subjects.find((subject) => subject.kind === 'ServiceAccount' && subject.namespace !== namespace)
  if (!other) return bad(text, remedy)
  return bad(`${text}; it names ${subjectText(other)}`, `did you mean --operator-namespace ${other.namespace}? Else ${remedy}`)
}

const subjectText = ({ kind, namespace, name }: Subject): string => `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`

interface Subject {
  readonly kind: string
  readonly name: string
  readonly namespace?: string
}

interface Binding extends RawObject {
  readonly roleRef?: { readonly kind: string; readonly name: string }
  readonly subjects?: readonly Subject[]
}

/** The names that the API server gives a service account. */
function isItself(subject: Subject, { namespace, name }: Account): boolean {
  if (subject.kind === 'ServiceAccount') return subject.namespace === namespace && (name === undefined || subject.name === name)
  return subject.kind === 'User' && name !== undefined && subject.name === `system:serviceaccount:${namespace}:${name}`
}

/** Itself, or a group that the API server puts it into. */
function isOf(subject: Subject, account: Account): boolean {
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`, 'system:authenticated']
  return isItself(subject, account) || (subject.kind === 'Group' && groups.includes(subject.name))
}
