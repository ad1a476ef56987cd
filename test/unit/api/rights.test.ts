// The rights of the controller's account: no more than the table says, and the table keeps to what may never be in it.

import { describe, expect, it } from '@jest/globals'
import { clusterMutualAuthorities, mutualIdentities } from '../../../src/api/kinds.ts'
import { RIGHTS, RIGHTS_PARTS, type Right, rbacObjects } from '../../../src/api/rights.ts'

const account = { namespace: 'mutual-ns', serviceAccount: 'controller' }
const objects = rbacObjects(account)
const all: readonly Right[] = RIGHTS
/** Those that every installation grants. */
const rights = all.filter(({ option }) => option === undefined)
const verbsFor = (resource: string) => rights.filter(({ resources }) => resources.includes(resource)).flatMap(({ verbs }) => verbs)

describe('rights', () => {
  it('hold no wildcard and nothing that gives more rights', () => {
    const words = all.flatMap(({ group, resources, verbs }) => [group, ...resources, ...verbs])
    expect(words.filter((word) => ['*', 'escalate', 'bind', 'impersonate', 'deletecollection'].includes(word))).toEqual([])
  })

  it('replace statuses alone', () => {
    const replaced = all.filter(({ verbs }) => verbs.includes('update')).flatMap(({ resources }) => resources)
    expect(replaced.filter((resource) => !resource.endsWith('/status'))).toEqual([])
  })

  it('touch neither roles, nor tokens, nor what runs in pods', () => {
    const resources = rights.flatMap(({ resources: named }) => named)
    expect(resources.filter((resource) => /^(roles|clusterroles|serviceaccounts|pods\/|nodes|deployments)/.test(resource))).toEqual([])
    expect(new Set(verbsFor('pods'))).toEqual(new Set(['list', 'watch']))
  })

  it('leave the specs of our kinds to people', () => {
    expect(verbsFor(mutualIdentities.plural).sort()).toEqual(['list', 'watch'])
    expect(verbsFor(clusterMutualAuthorities.plural).sort()).toEqual(['create', 'list', 'watch'])
    expect(verbsFor(`${mutualIdentities.plural}/status`)).toEqual(['update'])
  })

  it('say why', () => {
    expect(all.filter(({ why }) => why.length < 10)).toEqual([])
  })
})

describe('the option to restart workloads', () => {
  const added = rbacObjects({ ...account, options: ['restart'] }).slice(objects.length)

  it('may list, watch and patch the three kinds, and neither read one by name, nor make, nor delete any', () => {
    const rule = { apiGroups: ['apps'], resources: ['deployments', 'statefulsets', 'daemonsets'], verbs: ['list', 'watch', 'patch'] }
    expect(added.flatMap(({ rules = [] }) => rules)).toEqual([rule])
  })

  it('is a role and a binding of its own, for the account alone', () => {
    expect(added.map(({ kind, metadata }) => [kind, metadata])).toEqual([
      ['ClusterRole', { name: 'mutual-identity-restart' }],
      ['ClusterRoleBinding', { name: 'mutual-identity-restart' }],
    ])
    const subject = { kind: 'ServiceAccount', name: 'controller', namespace: 'mutual-ns' }
    expect(added[1]).toMatchObject({ subjects: [subject], roleRef: { name: 'mutual-identity-restart' } })
  })

  it('is granted only where it is asked for, and nothing else changes with it', () => {
    expect(JSON.stringify(objects)).not.toContain('"apps"')
    expect(rbacObjects({ ...account, options: ['restart'] }).slice(0, objects.length)).toEqual(objects)
  })
})

describe('the RBAC objects', () => {
  it('are a role and its binding for the cluster and for the own namespace', () => {
    const kinds = objects.map(({ kind, metadata }) => [kind, metadata])
    expect(kinds).toEqual([
      ['ClusterRole', { name: 'mutual-identity-controller' }],
      ['ClusterRoleBinding', { name: 'mutual-identity-controller' }],
      ['Role', { name: 'mutual-identity-controller', namespace: 'mutual-ns' }],
      ['RoleBinding', { name: 'mutual-identity-controller', namespace: 'mutual-ns' }],
    ])
  })

  it('bind to nobody but the account', () => {
    const bindings = objects.filter(({ kind }) => kind.endsWith('Binding'))
    const subject = { kind: 'ServiceAccount', name: 'controller', namespace: 'mutual-ns' }
    expect(bindings).toHaveLength(2)
    for (const binding of bindings) expect(binding).toMatchObject({ subjects: [subject], roleRef: { name: 'mutual-identity-controller' } })
  })

  it('carry every right of the table once', () => {
    const rules = objects.flatMap(({ rules: present = [] }) => present)
    expect(rules).toHaveLength(rights.length)
    expect(rules).toEqual(expect.arrayContaining(rights.map(({ group, resources, verbs }) => ({ apiGroups: [group], resources, verbs }))))
  })

  it('give leases in the own namespace only', () => {
    const cluster = objects.find(({ kind }) => kind === 'ClusterRole')
    expect(cluster?.rules?.some(({ resources }) => resources.includes('leases'))).toBe(false)
  })
})

describe('the RBAC objects where only some namespaces are watched', () => {
  const apart = rbacObjects({ ...account, watchNamespaces: ['bank', 'shop'], options: ['restart'] })
  const rulesOf = (kind: string, name: string, namespace?: string) =>
    apart.find((object) => object.kind === kind && object.metadata.name === name && object.metadata.namespace === namespace)?.rules ?? []
  const resourcesOf = (...of: Parameters<typeof rulesOf>) => rulesOf(...of).flatMap(({ resources }) => resources)

  it('give nothing for the cluster but cluster authorities, and the named Namespace objects', () => {
    expect(apart.filter(({ kind }) => kind === 'ClusterRole').map(({ metadata }) => metadata.name)).toEqual(['mutual-identity-controller'])
    expect(resourcesOf('ClusterRole', 'mutual-identity-controller')).toEqual([
      'clustermutualauthorities',
      'clustermutualauthorities/status',
      'namespaces',
    ])
    expect(rulesOf('ClusterRole', 'mutual-identity-controller').at(-1)).toMatchObject({ resourceNames: ['bank', 'shop'] })
  })

  it('give what is watched in each of them, and restarts by a role of their own', () => {
    for (const namespace of ['bank', 'shop']) {
      expect(resourcesOf('Role', 'mutual-identity-controller', namespace)).toEqual(
        RIGHTS_PARTS.watched.flatMap(({ resources }) => resources),
      )
      expect(resourcesOf('Role', 'mutual-identity-restart', namespace)).toEqual(['deployments', 'statefulsets', 'daemonsets'])
    }
  })

  it('give Secrets, ConfigMaps and leases in the own namespace, and events of cluster authorities in default', () => {
    expect(resourcesOf('Role', 'mutual-identity-controller', 'mutual-ns').sort()).toEqual(['configmaps', 'leases', 'secrets'])
    expect(resourcesOf('Role', 'mutual-identity-events', 'default')).toEqual(['events'])
  })

  it('bind each role to the account, in its place', () => {
    const roles = apart.filter(({ kind }) => kind.endsWith('Role'))
    const bindings = apart.filter(({ kind }) => kind.endsWith('Binding'))
    expect(bindings.map(({ kind, metadata }) => [kind, metadata])).toEqual(roles.map(({ kind, metadata }) => [`${kind}Binding`, metadata]))
  })
})
