// Each right that the chart gives, on a real API server: it is taken out of its role, and the call that needs it is refused; put back, it is carried
// out. The rules are those of the rendered roles, so a new one is tried as well. Whether the operator uses them is seen in operation.test.ts.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ControlPlane, startControlPlane } from '../../../scripts/control-plane/index.ts'
import type { PolicyRule } from '../../../src/api/rights.ts'
import { type Answer, type Call, createCaller, MERGE_PATCH, until } from '../../support/api-caller.ts'
import { CHART, createHelm, type Helm, type Manifest, RELEASE, type Values } from '../../support/chart.ts'

const OPERATOR_NAMESPACE = 'mutual-identity-system'
const ACCOUNT = `system:serviceaccount:${OPERATOR_NAMESPACE}:mutual-identity`
const VERSIONS: Readonly<Record<string, string>> = {
  '': '/api/v1',
  apps: '/apis/apps/v1',
  'coordination.k8s.io': '/apis/coordination.k8s.io/v1',
  'events.k8s.io': '/apis/events.k8s.io/v1',
  'mutualidentity.io': '/apis/mutualidentity.io/v1alpha1',
}
/** Where a role holds in the whole cluster a namespace is as good as another. */
const ANY_NAMESPACE = 'shop'
const OF_THE_CLUSTER = /^(clustermutualauthorities|namespaces)(\/|$)/

/** One verb on one resource by one role. */
interface Grant {
  readonly role: Manifest
  readonly rule: PolicyRule
  readonly resource: string
  readonly verb: string
}

/** The call that needs the grant and nothing else. It changes nothing: what it names is not there, or is nothing. */
const CALLS: Readonly<Record<string, (call: Call, collection: string, subresource: string, selector: string) => Promise<Answer>>> = {
  get: (call, collection, subresource) => call('GET', `${collection}/none${subresource}`),
  list: (call, collection, _subresource, selector) => call('GET', `${collection}?${selector}`),
  // From a version that is none: answered at once, and not before the rights were looked at.
  watch: (call, collection, _subresource, selector) => call('GET', `${collection}?watch=1&resourceVersion=none&${selector}`),
  create: (call, collection) => call('POST', collection, {}),
  update: (call, collection, subresource) => call('PUT', `${collection}/none${subresource}`, {}),
  patch: (call, collection, subresource) => call('PATCH', `${collection}/none${subresource}`, {}, { contentType: MERGE_PATCH }),
  delete: (call, collection) => call('DELETE', `${collection}/none`),
}

describe.each<[string, Values]>([
  ['for the whole cluster', { restartWorkloads: true }],
  ['in one namespace', { restartWorkloads: true, watchNamespaces: ['shop'] }],
])('a right %s', (_where, values) => {
  let plane: ControlPlane
  let helm: Helm
  let admin: Call
  let account: Call
  let grants: readonly Grant[]

  beforeAll(async () => {
    plane = await startControlPlane({ controllerManager: false })
    helm = await createHelm(plane.kubeconfigFile)
    admin = createCaller(plane)
    account = createCaller(plane, await plane.clientKubeconfig(ACCOUNT, ['system:serviceaccounts']))
    expect(await admin('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } })).toMatchObject({ code: 201 })
    await helm.run(['install', RELEASE, CHART, '--namespace', OPERATOR_NAMESPACE, '--create-namespace'], values)
    grants = (await helm.template(values, OPERATOR_NAMESPACE)).filter(isOfTheOperator).flatMap(grantsOf)
    await until('the kinds are served', async () => (await admin('GET', `${VERSIONS['mutualidentity.io']}/mutualidentities`)).code === 200)
    for (const grant of grants) await until(`${textOf(grant)} is known`, async () => !isRefused(await perform(grant)))
  })

  afterAll(async () => {
    helm?.close()
    await plane?.stop()
  })

  const perform = ({ role, rule, resource, verb }: Grant): Promise<Answer> => {
    const [plural, subresource] = resource.split('/')
    const { namespace = ['list', 'watch'].includes(verb) ? undefined : ANY_NAMESPACE } = role.metadata
    const within = namespace === undefined || OF_THE_CLUSTER.test(resource) ? '' : `/namespaces/${namespace}`
    const selector = rule.resourceNames ? `fieldSelector=metadata.name=${rule.resourceNames[0]}` : ''
    const make = CALLS[verb]
    if (!make) throw new Error(`there is no call for the verb ${verb}`)
    const collection = `${VERSIONS[String(rule.apiGroups[0])]}${within}/${plural}`
    return make(account, collection, subresource === undefined ? '' : `/${subresource}`, selector)
  }

  const rulesOfRole = async (role: Manifest, rules: readonly PolicyRule[]): Promise<void> => {
    const { name, namespace } = role.metadata
    const collection = namespace === undefined ? 'clusterroles' : `namespaces/${namespace}/roles`
    const path = `/apis/rbac.authorization.k8s.io/v1/${collection}/${name}`
    expect(await admin('PATCH', path, { rules }, { contentType: MERGE_PATCH })).toMatchObject({ code: 200 })
  }

  it('is missed as soon as it is taken away: each verb on each resource of each role', async () => {
    expect(grants.length).toBeGreaterThan(30)
    for (const grant of grants) {
      const { role, resource, verb } = grant
      const all = role['rules'] as readonly PolicyRule[]
      await rulesOfRole(
        role,
        all.flatMap((rule) => (rule === grant.rule ? without(rule, resource, verb) : [rule])),
      )
      await until(`${textOf(grant)} is missed`, async () => isRefused(await perform(grant)))
      await rulesOfRole(role, all)
      await until(`${textOf(grant)} is back`, async () => !isRefused(await perform(grant)))
    }
  })
})

const isOfTheOperator = ({ kind, metadata }: Manifest): boolean => /Role$/.test(String(kind)) && !/-(view|edit|admin)$/.test(metadata.name)

function grantsOf(role: Manifest): Grant[] {
  const rules = role['rules'] as readonly PolicyRule[]
  return rules.flatMap((rule) => rule.resources.flatMap((resource) => rule.verbs.map((verb) => ({ role, rule, resource, verb }))))
}

/** The rule without one verb on one resource. */
function without(rule: PolicyRule, resource: string, verb: string): PolicyRule[] {
  const others = { ...rule, resources: rule.resources.filter((other) => other !== resource) }
  const less = { ...rule, resources: [resource], verbs: rule.verbs.filter((other) => other !== verb) }
  return [...(others.resources.length > 0 ? [others] : []), ...(less.verbs.length > 0 ? [less] : [])]
}

/** By rights, and not by an admission policy. */
const isRefused = ({ code, message }: Answer): boolean => code === 403 && /cannot \w+ resource/.test(message)

const textOf = ({ role, resource, verb }: Grant): string =>
  `${verb} ${resource} by ${role.kind} ${role.metadata.namespace ?? ''}/${role.metadata.name}`
