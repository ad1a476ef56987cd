// check in a cluster in memory that is installed as the manifests say, and with each part of it missing or broken.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { PROJECT_FOLDER } from '../../../../scripts/install/manifests.ts'
import { customResourceDefinitions as wanted } from '../../../../src/api/crd.ts'
import { rbacObjects } from '../../../../src/api/rights.ts'
import { judgeKind } from '../../../../src/cli/check/kinds.ts'
import { POLICY_VALUES } from '../../../../src/cli/check/policies.ts'
import {
  admissionBindings,
  admissionPolicies,
  clusterRoleBindings,
  clusterRoles,
  customResourceDefinitions,
  roleBindings,
  roles,
} from '../../../../src/cli/check/resources.ts'
import { clockFinding, versionFinding } from '../../../../src/cli/check/server.ts'
import { deployments, leases, namespaces, type RawObject } from '../../../../src/k8s/resource.ts'
import { forbidding, runInWorld } from '../../../support/cli-run.ts'
import { OPERATOR_NAMESPACE } from '../../../support/material.ts'
import { authority, openShop } from '../../../support/scenario/cast.ts'
import { createWorld, type World } from '../../../support/scenario/world.ts'

let world: World
let installed: ReturnType<World['api']['snapshot']>
const name = 'mutual-identity'
const established = { conditions: [{ type: 'Established', status: 'True' }] }

const account = { namespace: OPERATOR_NAMESPACE, serviceAccount: name, options: ['restart'] as const }
const RBAC = rbacObjects(account) as readonly RawObject[]
const RBAC_KINDS = {
  ClusterRole: clusterRoles,
  Role: roles,
  ClusterRoleBinding: clusterRoleBindings,
  RoleBinding: roleBindings,
}

/** Instead of all namespaces, with the rights that the manifests give then. */
async function watchOnly(watchNamespaces: readonly string[], args: readonly string[]): Promise<void> {
  const kindOf = (object: RawObject) => RBAC_KINDS[object.kind as keyof typeof RBAC_KINDS]
  for (const object of RBAC) {
    await world.person.delete(kindOf(object), { namespace: object.metadata.namespace ?? '', name: object.metadata.name }, {})
  }
  for (const object of rbacObjects({ ...account, watchNamespaces }) as readonly RawObject[])
    await world.person.create(kindOf(object), object)
  await world.person.mergePatch(deployments, systemRef, { spec: { template: { spec: { containers: [{ name: 'operator', args }] } } } })
}

/** As the API server fills it in. */
const everywhere = {
  validationActions: ['Deny'],
  matchResources: { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} },
}

async function installedWorld(): Promise<World> {
  const made = createWorld()
  const { person } = made
  await openShop(made)
  for (const definition of wanted)
    await person.create(customResourceDefinitions, { ...(definition as unknown as RawObject), status: established })
  for (const object of RBAC) await person.create(RBAC_KINDS[object.kind as keyof typeof RBAC_KINDS], object)
  const metadata = { namespace: OPERATOR_NAMESPACE, name }
  await person.create(deployments, {
    metadata,
    spec: { replicas: 2, template: { spec: { serviceAccountName: name } } },
    status: { availableReplicas: 2 },
  })
  const renewTime = '2026-11-24T12:00:00.000000Z'
  await person.create(leases, { metadata, spec: { holderIdentity: 'pod-1', leaseDurationSeconds: 15, renewTime } })
  for (const suffix of Object.keys(POLICY_VALUES)) {
    const policyName = `${name}-${suffix}`
    await person.create(admissionPolicies, { metadata: { name: policyName }, spec: {} })
    await person.create(admissionBindings, { metadata: { name: policyName }, spec: { policyName, ...everywhere } })
  }
  await made.start()
  await made.settle()
  return made
}

beforeAll(async () => {
  world = await installedWorld()
  for (const process of world.processes) process.kill()
  installed = world.api.snapshot()
})
beforeEach(() => world.api.restore(installed))

const NOT_FOUND = { kind: 'refuse', status: 404, reason: 'NotFound', message: 'not found' } as const

const lines = (out: string, mark: string): string[] => out.split('\n').filter((line) => line.startsWith(`${mark} `))

it('a healthy installation is √ throughout, and ends with 0', async () => {
  const { out, code, errors } = await runInWorld(world, ['check'])
  expect([lines(out, '×'), lines(out, '!'), errors]).toEqual([[], [], ''])
  expect(lines(out, '√')).toEqual(
    expect.arrayContaining([
      '√ API server is v1.37.2',
      '√ clock of this machine agrees with the API server',
      '√ mutualidentities.mutualidentity.io is that of this version',
      '√ Deployment mutual-identity-system/mutual-identity: 2 of 2 pods available',
      '√ Lease mutual-identity-system/mutual-identity: held by pod-1, renewed 0s ago',
      '√ ClusterRole mutual-identity-controller has all rights',
      '√ ClusterRoleBinding mutual-identity-controller gives the role to ServiceAccount mutual-identity-system/mutual-identity',
      '√ RoleBinding mutual-identity-system/mutual-identity-controller gives the role to ServiceAccount mutual-identity-system/mutual-identity',
      '√ ClusterRole mutual-identity-restart has all rights',
      '√ ClusterRoleBinding mutual-identity-restart gives the role to ServiceAccount mutual-identity-system/mutual-identity',
      '√ admission policy mutual-identity-own-secrets is there and bound',
      expect.stringMatching(/^√ ClusterMutualAuthority default is ready: generation 1 signs until/),
      '√ you may patch mutualidentities in namespace shop',
    ]),
  )
  expect(out).toMatch(/^Healthy\.$/m)
  expect(code).toBe(0)
})

const systemRef = { namespace: OPERATOR_NAMESPACE, name }

describe('what is wrong is ×, with a remedy, and ends with 4', () => {
  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'a kind that is not installed',
      () => world.person.delete(customResourceDefinitions, { namespace: '', name: 'mutualauthorities.mutualidentity.io' }, {}),
      /^× mutualauthorities.mutualidentity.io is not installed\n {4}helm install, or helm upgrade .*; without Helm kubectl apply -f crds\/$/m,
    ],
    [
      'no pod of the operator',
      () => world.person.mergePatch(deployments, systemRef, { status: { availableReplicas: 0 } }),
      /^× Deployment .*: none of 2 pods is available: nothing is issued or renewed unless another holds the Lease$/m,
    ],
    [
      'a Lease that nobody renews',
      () => world.person.mergePatch(leases, systemRef, { spec: { renewTime: '2026-11-24T10:00:00.000000Z' } }),
      /^× Lease .*: pod-1 renewed it last 2h ago: no operator works, nothing is issued or renewed$/m,
    ],
    ['no Lease', () => world.person.delete(leases, systemRef, {}), /^× Lease .*: there is none.*: nothing is issued or renewed$/m],
    [
      'a Lease that nobody holds',
      () => world.person.mergePatch(leases, systemRef, { spec: { holderIdentity: '' } }),
      /^× Lease .*: nobody holds it: nothing is issued or renewed$/m,
    ],
    [
      'a role that nobody is given',
      () => world.person.delete(clusterRoleBindings, { namespace: '', name: `${name}-controller` }, {}),
      /^× ClusterRoleBinding mutual-identity-controller is not there: the operator has none of the rights of the role\n {4}helm upgrade /m,
    ],
    [
      'a role of its own namespace that nobody is given',
      () => world.person.delete(roleBindings, { namespace: OPERATOR_NAMESPACE, name: `${name}-controller` }, {}),
      /^× RoleBinding mutual-identity-system\/mutual-identity-controller is not there: .*\n {4}helm upgrade /m,
    ],
    [
      'a role that somebody edited',
      () => world.person.mergePatch(roles, { namespace: OPERATOR_NAMESPACE, name: `${name}-controller` }, { rules: [] }),
      /^× Role mutual-identity-system\/mutual-identity-controller lacks .*\n {4}helm upgrade .* kubectl delete role mutual-identity-controller -n mutual-identity-system before$/m,
    ],
    [
      'the role for restarts, given to another account',
      () =>
        world.person.mergePatch(
          clusterRoleBindings,
          { namespace: '', name: `${name}-restart` },
          { subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: OPERATOR_NAMESPACE }] },
        ),
      /^× ClusterRoleBinding mutual-identity-restart does not name ServiceAccount mutual-identity-system\/mutual-identity$/m,
    ],
  ])('%s', async (_what, spoil, line) => {
    await spoil()
    const { out, code } = await runInWorld(world, ['check'])
    expect(out).toMatch(line)
    expect(out).toMatch(/^1 thing is wrong\.$/m)
    expect(code).toBe(4)
  })

  it('a binding that names another namespace is made again, because the chart refuses to upgrade beside it', async () => {
    const subjects = [{ kind: 'ServiceAccount', name, namespace: 'default' }]
    await world.person.mergePatch(clusterRoleBindings, { namespace: '', name: `${name}-controller` }, { subjects })
    const { out } = await runInWorld(world, ['check'])
    expect(out).toMatch(
      /^× .*; it names ServiceAccount default\/mutual-identity\n {4}did you mean .*\? Else kubectl delete clusterrolebinding mutual-identity-controller, then helm upgrade --/m,
    )
  })

  it.each([
    [{ kind: 'ServiceAccount', name: 'default', namespace: 'shop' }, 'ServiceAccount shop/default'],
    [{ kind: 'ServiceAccount', name: 'default', namespace: OPERATOR_NAMESPACE }, 'ServiceAccount mutual-identity-system/default'],
    [{ kind: 'Group', name: 'system:authenticated' }, 'Group system:authenticated'],
    [{ kind: 'User', name: 'eve' }, 'User eve'],
  ])('others who have the rights of the operator are a ! that names them: %j', async (subject, text) => {
    const subjects = [{ kind: 'ServiceAccount', name, namespace: OPERATOR_NAMESPACE }, subject]
    await world.person.mergePatch(clusterRoleBindings, { namespace: '', name: `${name}-controller` }, { subjects })
    const { out, code } = await runInWorld(world, ['check'])
    expect(lines(out, '!')).toEqual([
      `! ClusterRoleBinding mutual-identity-controller gives the role to others too, with all its rights: ${text}`,
    ])
    expect(out).toMatch(/^ {4}is that meant\? Else kubectl delete clusterrolebinding mutual-identity-controller, then helm upgrade --/m)
    expect(code).toBe(0)
  })

  it('roles that are given to another account than the Deployment has', async () => {
    await world.person.mergePatch(deployments, systemRef, { spec: { template: { spec: { serviceAccountName: 'other' } } } })
    const { out, code } = await runInWorld(world, ['check'])
    expect(lines(out, '×')).toEqual(
      ['ClusterRoleBinding ', 'RoleBinding mutual-identity-system/', 'ClusterRoleBinding '].map((what, i) =>
        [
          `× ${what}mutual-identity-`,
          i === 2 ? 'restart' : 'controller',
          ' does not name ServiceAccount mutual-identity-system/other',
        ].join(''),
      ),
    )
    expect(code).toBe(4)
  })

  it('roles under other names are a ! where an operator works, and × where none does', async () => {
    await world.person.delete(clusterRoles, { namespace: '', name: `${name}-controller` }, {})
    expect((await runInWorld(world, ['check'])).out).toMatch(
      /^! ClusterRole mutual-identity-controller is not there; the operator that works/m,
    )
    await world.person.delete(leases, systemRef, {})
    expect((await runInWorld(world, ['check'])).out).toMatch(/^× ClusterRole mutual-identity-controller is not there$/m)
  })

  it('what is left after helm uninstall: the Lease was renewed not long ago, and neither Deployment nor roles are there', async () => {
    await world.person.delete(deployments, systemRef, {})
    await world.person.delete(clusterRoles, { namespace: '', name: `${name}-controller` }, {})
    await world.person.mergePatch(leases, systemRef, { spec: { renewTime: '2026-11-24T11:59:40.000000Z' } })
    const { out, code } = await runInWorld(world, ['check'])
    expect(out).toMatch(
      /^× Deployment .*: there is none, and no operator works: nothing is issued or renewed\n {4}helm install, or helm upgrade/m,
    )
    expect(out).toMatch(
      /^! Lease .*: pod-1 renewed the Lease last 20s ago, too long ago unless its clock is behind: does an operator run\?$/m,
    )
    expect(out).toMatch(/^× ClusterRole mutual-identity-controller is not there\n {4}helm install, or helm upgrade where it is installed /m)
    expect(code).toBe(4)
  })

  it('right after helm uninstall nothing is healthy, though the Lease looks held: its holder was a pod of the Deployment', async () => {
    await world.person.delete(deployments, systemRef, {})
    await world.person.delete(clusterRoles, { namespace: '', name: `${name}-controller` }, {})
    await world.person.mergePatch(leases, systemRef, { spec: { holderIdentity: `${name}-6d4cf56db6-x7k2p` } })
    const { out, code } = await runInWorld(world, ['check'])
    expect(out).toMatch(/^× Deployment .*: there is none, and no operator works: nothing is issued or renewed\n {4}helm install/m)
    expect(out).toMatch(/^! Lease .*: mutual-identity-6d4cf56db6-x7k2p, a pod of a Deployment that is not there, renewed it just now$/m)
    expect(out).toMatch(/^× ClusterRole mutual-identity-controller is not there\n {4}helm install/m)
    expect(code).toBe(4)
  })

  it('an operator without a Deployment is a ! where it holds the Lease, and × where nobody does', async () => {
    await world.person.delete(deployments, systemRef, {})
    expect(await runInWorld(world, ['check'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^! Deployment .*: there is none; what holds/m),
    })
    expect((await runInWorld(world, ['check'], forbidding('leases'))).out).toMatch(/^! Deployment .*: there is none$/m)
    await world.person.delete(leases, systemRef, {})
    expect((await runInWorld(world, ['check'])).out).toMatch(/^× Deployment .*: there is none, and no operator works/m)
  })

  it('an authority that has not been seen is a ! only: it may be new', async () => {
    await authority(world, 'new')
    const { out, code } = await runInWorld(world, ['check'])
    expect(out).toMatch(/^! ClusterMutualAuthority new is waiting: NotReported/m)
    expect([code, /^Healthy, 1 warning\.$/m.test(out)]).toEqual([0, true])
  })
})

describe('an operator that serves some namespaces only', () => {
  beforeEach(async () => {
    await world.person.create(namespaces, { metadata: { name: 'bank' } })
    await watchOnly(['bank', 'shop'], ['--watch-namespaces=shop,bank', '--restart-workloads=true'])
  })

  it('has roles and bindings in each of them, in default for events, and is healthy', async () => {
    const { out, code } = await runInWorld(world, ['check'])
    expect([lines(out, '×'), lines(out, '!'), code]).toEqual([[], [], 0])
    for (const role of ['shop/mutual-identity-controller', 'bank/mutual-identity-restart', 'default/mutual-identity-events']) {
      expect(out).toMatch(new RegExp(`^√ Role ${role} has all rights$`, 'm'))
      expect(out).toMatch(new RegExp(`^√ RoleBinding ${role} gives the role to ServiceAccount `, 'm'))
    }
  })

  it.each([
    ['bank', 'controller'],
    ['shop', 'restart'],
    ['default', 'events'],
  ])('lacks a binding in %s', async (namespace, role) => {
    await world.person.delete(roleBindings, { namespace, name: `${name}-${role}` }, {})
    const { out, code } = await runInWorld(world, ['check'])
    expect(lines(out, '×')).toEqual([
      `× RoleBinding ${namespace}/mutual-identity-${role} is not there: the operator has none of the rights of the role`,
    ])
    expect(code).toBe(4)
  })

  it('lacks what a namespace needs that it was told to watch since', async () => {
    await world.person.create(namespaces, { metadata: { name: 'new' } })
    const args = ['--watch-namespaces', 'shop,bank,new']
    await world.person.mergePatch(deployments, systemRef, { spec: { template: { spec: { containers: [{ name: 'operator', args }] } } } })
    const { out } = await runInWorld(world, ['check'])
    expect(lines(out, '×')).toEqual([
      '× ClusterRole mutual-identity-controller lacks list, watch namespaces for new',
      '× Role new/mutual-identity-controller is not there',
    ])
  })

  it('is told of one that does not exist, beside which Helm refuses, and not of the roles that cannot be there', async () => {
    const { out, code } = await runInWorld(world, ['check'], ({ resource, namespace, name: one }) =>
      namespace === 'bank' || (resource === 'namespaces' && one === 'bank') ? NOT_FOUND : undefined,
    )
    expect(lines(out, '×')).toEqual(['× namespace bank, which the operator is to watch, does not exist'])
    expect(out).toMatch(/^ {4}kubectl create namespace bank, or take it out of watchNamespaces; helm upgrade .* refuses before$/m)
    expect(code).toBe(4)
  })

  it('by its roles, and yet serves all', async () => {
    await world.person.mergePatch(deployments, systemRef, { spec: { template: { spec: { containers: [] } } } })
    const { out } = await runInWorld(world, ['check'])
    expect(out).toMatch(/^× ClusterRole mutual-identity-controller lacks .*, and the operator serves all namespaces$/m)
    const unseen = await runInWorld(world, ['check'], forbidding('deployments'))
    expect(unseen.out).toMatch(/^! ClusterRole mutual-identity-controller lacks .*: the operator serves some namespaces only$/m)
  })
})

it('the namespace of the operator that was mistaken is guessed from whom the bindings name', async () => {
  const { out, code } = await runInWorld(world, ['check', '--operator-namespace', 'elsewhere'])
  expect(out).toMatch(
    /^× ClusterRoleBinding mutual-identity-controller does not name an account of elsewhere; it names ServiceAccount mutual-identity-system\/mutual-identity\n {4}did you mean --operator-namespace mutual-identity-system\? Else kubectl delete clusterrolebinding mutual-identity-controller, then helm upgrade/m,
  )
  expect(code).toBe(4)
})

it('kinds that are not served are to be installed, and not to be looked up by check', async () => {
  const { out, code } = await runInWorld(world, ['check'], ({ resource }) =>
    resource === 'clustermutualauthorities' ? NOT_FOUND : undefined,
  )
  expect(out).toMatch(
    /^× could not be checked: the API server serves no clustermutualauthorities\n {4}install what is missing above under Kinds$/m,
  )
  expect(out).not.toContain('kubectl mutual check')
  expect(code).toBe(4)
})

describe('admission policies', () => {
  const ref = { namespace: '', name: `${name}-own-secrets` }
  const rebind = (spec: object) => () => world.person.mergePatch(admissionBindings, ref, { spec })

  it('are those that the chart has, each with the value that switches it off', () => {
    const folder = join(PROJECT_FOLDER, 'charts', name, 'templates', 'policies')
    const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'))
    const inChart = files.map((file) => {
      const text = readFileSync(join(folder, file), 'utf8')
      return [/printf "%s-([a-z-]+)"/.exec(text)?.[1], /if \.Values\.(\S+) /.exec(text)?.[1]]
    })
    expect(Object.fromEntries(inChart)).toEqual(POLICY_VALUES)
  })

  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'one that was deleted',
      () => world.person.delete(admissionPolicies, ref, {}),
      /^! admission policy mutual-identity-own-secrets is not there: .*\n {4}is that meant \(value policies.ownAccount.enabled\)\? Else helm/m,
    ],
    [
      'one without a binding',
      () => world.person.delete(admissionBindings, ref, {}),
      /^! admission policy mutual-identity-own-secrets has no binding\n {4}without a binding it does nothing: helm/m,
    ],
    [
      'one whose binding only notes',
      rebind({ validationActions: ['Audit'] }),
      /^! admission policy mutual-identity-own-secrets: its binding mutual-identity-own-secrets refuses nothing: its validationActions are Audit\n {4}kubectl delete validatingadmissionpolicybinding mutual-identity-own-secrets, then helm upgrade /m,
    ],
    [
      'one whose binding is for some namespaces',
      rebind({ matchResources: { namespaceSelector: { matchLabels: { a: 'b' } } } }),
      /^! admission policy .*-own-secrets: its binding .* applies to some objects only, by its matchResources.namespaceSelector$/m,
    ],
    [
      'one whose binding leaves something out',
      rebind({ matchResources: { excludeResourceRules: [{ resources: ['secrets'] }] } }),
      /^! .*-own-secrets applies to some objects only, by its matchResources.excludeResourceRules$/m,
    ],
  ])('%s is a !', async (_what, spoil, line) => {
    await spoil()
    const { out, code } = await runInWorld(world, ['check'])
    expect(out).toMatch(line)
    expect([code, lines(out, '!').length]).toEqual([0, 1])
  })

  it('may have another binding that refuses', async () => {
    await rebind({ validationActions: ['Warn'] })()
    await world.person.create(admissionBindings, { metadata: { name: 'other' }, spec: { policyName: ref.name, ...everywhere } })
    expect(lines((await runInWorld(world, ['check'])).out, '!')).toEqual([])
  })

  it('may all be missing, which is one !', async () => {
    for (const suffix of Object.keys(POLICY_VALUES))
      await world.person.delete(admissionPolicies, { namespace: '', name: `${name}-${suffix}` }, {})
    const { out } = await runInWorld(world, ['check'])
    expect(lines(out, '!')).toEqual(['! admission policies: none of Mutual Identity is installed'])
  })
})

describe('under few rights', () => {
  it('what may not be read is a ?, nothing is called healthy, and the schema is asked of discovery', async () => {
    const closed = [
      'customresourcedefinitions',
      'leases',
      'deployments',
      'clusterroles',
      'roles',
      'clusterrolebindings',
      'rolebindings',
      'validatingadmissionpolicies',
      'secrets',
    ]
    const { out, code } = await runInWorld(world, ['check'], forbidding(...closed))
    expect(lines(out, '×')).toEqual([])
    expect(out).toMatch(/^\? mutualidentities.mutualidentity.io is served; its schema is unknown/m)
    expect(out).toMatch(/^\? Lease .*: unknown, it may not be read by this account$/m)
    expect(out).toMatch(/^! you may not list secrets in namespace shop: explain and graph call certificates unknown$/m)
    expect(out).toMatch(/^Nothing wrong seen, \d+ warnings?, \d+ unknown\.$/m)
    expect(code).toBe(3)
  })

  it('without the right to identities nothing can be answered, which is ×', async () => {
    const { out, code } = await runInWorld(world, ['check'], forbidding('mutualidentities'))
    expect(out).toMatch(/^× you may not list mutualidentities in namespace shop: no verb can answer$/m)
    expect(code).toBe(4)
  })
})

it('is data for programs', async () => {
  const { out } = await runInWorld(world, ['check', '-o', 'json'])
  expect(JSON.parse(out)).toMatchObject({
    sections: [{ title: 'Kubernetes', findings: [{ level: 'good' }, { level: 'good' }] }, {}, {}, {}, {}],
  })
})

describe('the version', () => {
  it.each([
    ['v1.37.2', 'good'],
    ['v1.30.0-eks-1', 'good'],
    ['v1.29.9', 'bad'],
    ['unknown', 'warning'],
  ])('%s is %s', (version, level) => expect(versionFinding(version).level).toBe(level))
})

describe('the clock', () => {
  const at = 1e12
  it.each([
    ['within the second that the header is cut to', at - 900, 'good'],
    ['a little ahead', at + 20_000, 'warning'],
    ['a little behind', at - 20_000, 'warning'],
    ['far ahead', at + 3_600_000, 'bad'],
    ['not known', undefined, 'warning'],
  ])('%s', (_what, date, level) => expect(clockFinding({ date, askedAt: at, answeredAt: at }).level).toBe(level))
})

describe('a definition', () => {
  const [definition] = wanted as unknown as [(typeof wanted)[number]]
  const stored = (change: (schema: { required?: string[]; properties: Record<string, unknown> }) => void): RawObject => {
    const copy = structuredClone(definition) as unknown as RawObject & { spec: { versions: [{ schema: { openAPIV3Schema: never } }] } }
    change(copy.spec.versions[0].schema.openAPIV3Schema)
    return { ...copy, status: established }
  }
  it('of another version is named by the first place that differs', () => {
    const other = stored((schema) => {
      schema.properties['more'] = {}
    })
    expect(judgeKind('x', other, definition)).toMatchObject({
      level: 'warning',
      text: expect.stringContaining('schema.properties.more is not known here'),
    })
  })
  it('may have its keys in any order', () => {
    const other = stored((schema) => {
      const { properties, required } = schema
      for (const key of ['properties', 'required'] as const) delete (schema as Partial<typeof schema>)[key]
      Object.assign(schema, { required, properties })
    })
    expect(judgeKind('x', other, definition).level).toBe('good')
  })
})
