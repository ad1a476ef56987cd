// The kinds that manifests of this project hold, by apiVersion and kind, so that a client can be told where they go. Used by install.ts, the demo
// and cluster tests. Plain data; a kind that nobody writes has no place here.

import { clusterMutualAuthorities, mutualIdentities } from '../../src/api/kinds.ts'
import { apiVersionOf, configMaps, namespaces, pods, type RawObject, type Resource, secrets, services } from '../../src/k8s/resource.ts'

const RBAC = { group: 'rbac.authorization.k8s.io', version: 'v1' } as const

export const serviceAccounts: Resource = { group: '', version: 'v1', plural: 'serviceaccounts', kind: 'ServiceAccount', namespaced: true }
const clusterRoles: Resource = { ...RBAC, plural: 'clusterroles', kind: 'ClusterRole', namespaced: false }
const clusterRoleBindings: Resource = { ...RBAC, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding', namespaced: false }
export const customResourceDefinitions: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
}

const KINDS: readonly Resource[] = [
  namespaces,
  serviceAccounts,
  configMaps,
  secrets,
  services,
  pods,
  { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment', namespaced: true },
  { ...RBAC, plural: 'roles', kind: 'Role', namespaced: true },
  { ...RBAC, plural: 'rolebindings', kind: 'RoleBinding', namespaced: true },
  clusterRoles,
  clusterRoleBindings,
  customResourceDefinitions,
  mutualIdentities,
  clusterMutualAuthorities,
]

/** Where an object with apiVersion and kind goes. Throws for a kind that is not in the table. */
export function resourceOf(object: Pick<RawObject, 'apiVersion' | 'kind'>): Resource {
  const found = KINDS.find((resource) => resource.kind === object.kind && apiVersionOf(resource) === object.apiVersion)
  if (found === undefined) throw new Error(`${object.apiVersion} ${object.kind}: no kind that the manifests of this project hold`)
  return found
}
