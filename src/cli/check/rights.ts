// What the person may do, held against what each verb of the plugin needs: asked of the API server, which alone knows.

import { clusterMutualAuthorities, mutualAuthorities, mutualIdentities } from '../../api/kinds.ts'
import type { Client } from '../../k8s/client.ts'
import { configMaps, pods, type Resource, secrets, services } from '../../k8s/resource.ts'
import { bad, type CheckFinding, good, warning } from './finding.ts'
import { accessReviews } from './resources.ts'

interface Need {
  readonly verb: 'get' | 'list' | 'patch'
  readonly resource: Resource
  readonly where: 'namespace' | 'operatorNamespace'
  /** What is missing without it. */
  readonly without: string
  readonly level?: 'bad'
}

const NEEDS: readonly Need[] = [
  { verb: 'list', resource: mutualIdentities, where: 'namespace', level: 'bad', without: 'no verb can answer' },
  { verb: 'list', resource: clusterMutualAuthorities, where: 'namespace', without: 'authorities are unknown to status, explain and graph' },
  { verb: 'list', resource: mutualAuthorities, where: 'namespace', without: 'MutualAuthorities are unknown to status, explain and graph' },
  { verb: 'list', resource: pods, where: 'namespace', without: 'explain knows no pods' },
  { verb: 'list', resource: services, where: 'namespace', without: 'explain knows no DNS names' },
  { verb: 'list', resource: secrets, where: 'namespace', without: 'explain and graph call certificates unknown' },
  { verb: 'get', resource: secrets, where: 'namespace', without: 'inspect calls the certificate unknown' },
  { verb: 'get', resource: configMaps, where: 'namespace', without: 'inspect knows no trust bundle where it may not read Secrets' },
  {
    verb: 'list',
    resource: secrets,
    where: 'operatorNamespace',
    without: 'explain calls authorities unknown (few people should have this right)',
  },
  { verb: 'list', resource: configMaps, where: 'operatorNamespace', without: 'explain and inspect call published bundles unknown' },
  { verb: 'patch', resource: mutualIdentities, where: 'namespace', without: 'renew is refused' },
]

export async function rightFindings(client: Client, namespace: string, operatorNamespace: string): Promise<readonly CheckFinding[]> {
  return await Promise.all(NEEDS.map((need) => rightFinding(client, need, need.where === 'namespace' ? namespace : operatorNamespace)))
}

async function rightFinding(client: Client, { verb, resource, without, level }: Need, where: string): Promise<CheckFinding> {
  const place = resource.namespaced ? ` in namespace ${where}` : ''
  const text = `you may ${verb} ${resource.plural}${place}`
  const resourceAttributes = {
    verb,
    group: resource.group,
    version: resource.version,
    resource: resource.plural,
    ...(resource.namespaced ? { namespace: where } : {}),
  }
  const { status } = await client.review(accessReviews, { spec: { resourceAttributes } })
  if ((status as { allowed?: boolean } | undefined)?.allowed === true) return good(text)
  const said = `${text.replace('you may', 'you may not')}: ${without}`
  return (level === 'bad' ? bad : warning)(said, 'ask whoever gives you rights, if you need it')
}
