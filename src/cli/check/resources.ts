// The collections that the check looks into and nothing else of the command needs.

import type { Resource } from '../../k8s/resource.ts'

const RBAC = { group: 'rbac.authorization.k8s.io', version: 'v1' } as const
const ADMISSION = { group: 'admissionregistration.k8s.io', version: 'v1', namespaced: false } as const

export const customResourceDefinitions: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
}
export const clusterRoles: Resource = { ...RBAC, plural: 'clusterroles', kind: 'ClusterRole', namespaced: false }
export const roles: Resource = { ...RBAC, plural: 'roles', kind: 'Role', namespaced: true }
export const clusterRoleBindings: Resource = { ...RBAC, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding', namespaced: false }
export const roleBindings: Resource = { ...RBAC, plural: 'rolebindings', kind: 'RoleBinding', namespaced: true }
export const admissionPolicies: Resource = { ...ADMISSION, plural: 'validatingadmissionpolicies', kind: 'ValidatingAdmissionPolicy' }
export const admissionBindings: Resource = {
  ...ADMISSION,
  plural: 'validatingadmissionpolicybindings',
  kind: 'ValidatingAdmissionPolicyBinding',
}
export const accessReviews: Resource = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'selfsubjectaccessreviews',
  kind: 'SelfSubjectAccessReview',
  namespaced: false,
}
