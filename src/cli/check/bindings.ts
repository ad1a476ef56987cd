// Whether the operator's account holds its roles: a role without its binding gives nobody anything.

import { MANAGER } from '../../api/names.ts'
import type { Client } from '../../k8s/client.ts'
import type { RawObject } from '../../k8s/resource.ts'
import type { Account } from './deployment.ts'
import { bad, type CheckFinding, good, lookAt, unknown } from './finding.ts'
import { byUpgrade } from './remedies.ts'
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
export async function bindingFinding(client: Client, role: string, namespace: string | undefined, account: Account): Promise<CheckFinding> {
  const resource = namespace === undefined ? clusterRoleBindings : roleBindings
  const found = await lookAt(() => client.get(resource, { namespace: namespace ?? '', name: role }))
  return judgeBinding(`${resource.kind} ${namespace === undefined ? '' : `${namespace}/`}${role}`, found, role, namespace, account)
}

function judgeBinding(
  what: string,
  found: RawObject | 'unknown' | undefined,
  role: string,
  namespace: string | undefined,
  account: Account,
): CheckFinding {
  if (found === 'unknown') return unknown(what)
  const who = account.name === undefined ? `an account of ${account.namespace}` : `ServiceAccount ${account.namespace}/${account.name}`
  const remedy = byUpgrade('apply the bindings of the operator’s version', account.namespace)
  if (!found) return bad(`${what} is not there: the operator has none of the rights of the role`, remedy)
  const { roleRef, subjects } = found as Binding
  const kind = namespace === undefined ? 'ClusterRole' : 'Role'
  // The API server lets nobody change it.
  if (roleRef?.kind !== kind || roleRef.name !== role)
    return bad(`${what} gives ${roleRef?.kind} ${roleRef?.name}, not ${kind} ${role}`, `delete it; ${remedy}`)
  if (!(subjects ?? []).some((subject) => isOf(subject, account)))
    return notNamed(`${what} does not name ${who}`, subjects ?? [], account, remedy)
  return good(`${what} gives the role to ${who}`)
}

/** The usual cause where all is well with the installation: it lives elsewhere than was said. */
function notNamed(text: string, subjects: readonly Subject[], { namespace }: Account, remedy: string): CheckFinding {
  const other = subjects.find((subject) => subject.kind === 'ServiceAccount' && subject.namespace !== namespace)
  if (!other) return bad(text, remedy)
  return bad(
    `${text}; it names ServiceAccount ${other.namespace}/${other.name}`,
    `did you mean --operator-namespace ${other.namespace}? Else ${remedy}`,
  )
}

interface Subject {
  readonly kind: string
  readonly name: string
  readonly namespace?: string
}

interface Binding extends RawObject {
  readonly roleRef?: { readonly kind: string; readonly name: string }
  readonly subjects?: readonly Subject[]
}

/** The names that the API server gives a service account, and the groups that it puts it into. */
function isOf(subject: Subject, { namespace, name }: Account): boolean {
  if (subject.kind === 'ServiceAccount') return subject.namespace === namespace && (name === undefined || subject.name === name)
  if (subject.kind === 'User') return name !== undefined && subject.name === `system:serviceaccount:${namespace}:${name}`
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'].includes(subject.name)
}
