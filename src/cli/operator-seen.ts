// The operator as far as the person who asks may see it: who works, and which flags it runs under. Where it is not where it was said to be, nothing that
// depends on its namespace can be told: absent CA Secrets would read as lost ones, and the advice for those destroys. Used by the verbs that show what hangs on it.

import { MANAGER } from '../api/names.ts'
import { OperatorError } from '../base/errors.ts'
import type { Instant } from '../base/instant.ts'
import type { Client } from '../k8s/client.ts'
import { deployments, namespaces } from '../k8s/resource.ts'
import { boundNamespaces, CONTROLLER_BINDING } from './check/bindings.ts'
import { type OperatorSettings, settingsOf } from './check/deployment.ts'
import { lookAt } from './check/finding.ts'
import { fillStores } from './fill-stores.ts'
import { type LeaseSeen, lookAtLease } from './lease-seen.ts'
import type { Question } from './verb.ts'

export interface OperatorSeen {
  readonly lease: LeaseSeen
  readonly settings: OperatorSettings
}

/** Its flags, as far as its Deployment tells them. */
export const lookAtSettings = async (client: Client, namespace: string): Promise<OperatorSettings> =>
  settingsOf(await lookAtDeployment(client, namespace), namespace)

const lookAtDeployment = (client: Client, namespace: string) => lookAt(() => client.get(deployments, { namespace, name: MANAGER }))

/** Throws where no operator can live: the namespace does not exist, or nothing in it is of the operator. What may not be read is believed. */
export async function lookAtOperator(client: Client, namespace: string, now: () => Instant): Promise<OperatorSeen> {
  const [lease, deployment] = await Promise.all([lookAtLease(client, namespace, now), lookAtDeployment(client, namespace)])
  const isSeen = typeof deployment === 'object' || !['none', 'unknown'].includes(lease.state)
  if (!isSeen) await requireSign(client, namespace, lease)
  return { lease, settings: settingsOf(deployment, namespace) }
}

/** A namespace that was named is one where the operator lives; what does not hang on it is shown without. */
export async function lookWhereAsked({ given, cluster, operatorNamespace, session }: Question): Promise<void> {
  if (given.values['operator-namespace'] === undefined) return
  await lookAtOperator(cluster.client, operatorNamespace, () => session.clock.now())
}

async function requireSign(client: Client, namespace: string, lease: LeaseSeen): Promise<void> {
  const there = await lookAt(() => client.get(namespaces, { namespace: '', name: namespace }))
  if (there === undefined)
    throw await elsewhere(client, namespace, `namespace ${namespace}, where the operator should live, does not exist`)
  // Who may not read the Lease may as little read the rest that would tell.
  if (lease.state === 'unknown') return
  // It may have worked here, and be uninstalled.
  const { caSecrets } = await fillStores(client, { namespace, operatorNamespace: namespace, only: ['caSecrets'] })
  // It may be installed here, and not have started yet.
  if (caSecrets.size > 0 || (await boundNamespaces(client)).includes(namespace)) return
  const text = `nothing in namespace ${namespace} is of the operator: neither Lease nor Deployment ${MANAGER}, and no CA Secret that you may read`
  throw await elsewhere(client, namespace, text)
}

/** Names the namespace that is meant, where the binding of the operator's rights tells it. */
async function elsewhere(client: Client, namespace: string, text: string): Promise<OperatorError> {
  const other = (await boundNamespaces(client)).find((bound) => bound !== namespace)
  const remedy =
    other === undefined
      ? '--operator-namespace says where it lives (kubectl mutual check says what is installed)'
      : `did you mean --operator-namespace ${other}? ClusterRoleBinding ${CONTROLLER_BINDING} names the account there`
  return new OperatorError('blocked', 'NotFound', `${text}; ${remedy}`)
}
