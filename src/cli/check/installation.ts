// The installation: does an operator run and lead.

import { MANAGER } from '../../api/names.ts'
import type { Instant } from '../../base/instant.ts'
import type { Client } from '../../k8s/client.ts'
import { deployments, type RawObject } from '../../k8s/resource.ts'
import { controllerText, type LeaseSeen, lookAtLease } from '../lease-seen.ts'
import { relative } from '../output/instant.ts'
import { type OperatorSettings, settingsOf } from './deployment.ts'
import { bad, type CheckFinding, good, lookAt, unknown, warning } from './finding.ts'
import { byHelm } from './remedies.ts'

interface OperatorSeen {
  readonly findings: readonly CheckFinding[]
  /** Somebody holds the Lease, and renews it. */
  readonly leads: boolean
  readonly settings: OperatorSettings
}

/** What it means that nobody works, for whoever sees only this line. */
const NOTHING_DONE = 'nothing is issued or renewed'

/** Somebody renews the Lease. */
const LIVING: readonly LeaseSeen['state'][] = ['held', 'ahead']

/** `now`: by the API server's clock where it is known. */
export async function operatorFindings(client: Client, namespace: string, now: Instant): Promise<OperatorSeen> {
  const deployment = await lookAt(() => client.get(deployments, { namespace, name: MANAGER }))
  const lease = await lookAtLease(client, namespace, () => now)
  const settings = settingsOf(deployment, namespace)
  // After helm uninstall the Lease looks held until it is overdue: the pods lose their rights before they could give it back.
  if (deployment === undefined && LIVING.includes(lease.state) && 'holder' in lease && POD_OF_DEPLOYMENT.test(lease.holder)) {
    const left = warning(
      `Lease ${namespace}/${MANAGER}: ${lease.holder}, a pod of a Deployment that is not there, renewed it just now`,
      'nothing, if the operator was uninstalled: whoever is installed next takes it over',
    )
    return { findings: [deploymentFinding(deployment, namespace, 'left'), left], leads: false, settings }
  }
  const held = leaseFinding(lease, namespace, now)
  return { findings: [deploymentFinding(deployment, namespace, lease.state), held], leads: held.level === 'good', settings }
}

/** How the pods of the chart's Deployment are called; an operator that runs by other means is called otherwise. */
const POD_OF_DEPLOYMENT = new RegExp(`^${MANAGER}-[a-z0-9]{5,10}-[a-z0-9]{5}$`)

function deploymentFinding(found: RawObject | 'unknown' | undefined, namespace: string, lease: LeaseSeen['state']): CheckFinding {
  const name = `Deployment ${namespace}/${MANAGER}`
  if (found === 'unknown') return unknown(name)
  if (!found) {
    const remedy = byHelm('--operator-namespace says where it lives, if that is elsewhere')
    if (LIVING.includes(lease))
      return warning(`${name}: there is none; what holds the Lease runs by other means`, `is that meant? Else ${remedy}`)
    return lease === 'unknown'
      ? warning(`${name}: there is none`, remedy)
      : bad(`${name}: there is none, and no operator works: ${NOTHING_DONE}`, remedy)
  }
  const { availableReplicas = 0 } = (found['status'] ?? {}) as { availableReplicas?: number }
  const { replicas = 1 } = (found['spec'] ?? {}) as { replicas?: number }
  if (availableReplicas === 0) {
    const meaning = LIVING.includes(lease) ? `${NOTHING_DONE} unless another holds the Lease` : NOTHING_DONE
    return bad(`${name}: none of ${replicas} pods is available: ${meaning}`, `kubectl describe pods -n ${namespace}`)
  }
  const text = `${name}: ${availableReplicas} of ${replicas} pods available`
  return availableReplicas < replicas ? warning(text, `kubectl get pods -n ${namespace}`) : good(text)
}

function leaseFinding(seen: LeaseSeen, namespace: string, now: Instant): CheckFinding {
  const name = `Lease ${namespace}/${MANAGER}`
  const start = `start the operator: kubectl get pods -n ${namespace}; without --leader-election there is no Lease`
  switch (seen.state) {
    case 'unknown':
      return unknown(name)
    case 'none':
      return bad(`${name}: there is none, so no operator has worked here: ${NOTHING_DONE}`, start)
    case 'free':
      return bad(`${name}: nobody holds it: ${NOTHING_DONE}`, start)
    case 'illegible':
      return bad(`${name}: its renewTime cannot be read`, start)
    case 'left':
      return bad(`${name}: ${seen.holder} renewed it last ${relative(seen.renewedAt, now)}: no operator works, ${NOTHING_DONE}`, start)
    case 'late':
      return warning(`${name}: ${controllerText(seen, now)}`, `check again in a minute; kubectl get pods -n ${namespace}`)
    case 'ahead':
      return warning(
        `${name}: the instant of its renewal is ${relative(seen.renewedAt, now)}`,
        'set the clock of the operator’s node by NTP',
      )
    case 'held':
      return good(`${name}: ${controllerText(seen, now)}`)
  }
}
