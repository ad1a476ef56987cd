// What the controller's account may do at the API server: one table, from which the RBAC manifests are generated. Nothing else grants it anything.
// Used by the generator and by tests, which run the controller under exactly these rights. No wildcards, no escalate, bind or impersonate.

import { GROUP, MANAGER } from './names.ts'

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'patch' | 'delete'

/** What the operator can be asked to do beyond certificates; the name of the role, and of the file it is in. */
export type RightsOption = 'restart'

export interface Right {
  /** `cluster`: in all namespaces, and of cluster-scoped objects; `operatorNamespace`: only where the controller itself lives. */
  readonly scope: 'cluster' | 'operatorNamespace'
  /** Granted only where the option is asked for, by a role of its own; without one: always. */
  readonly option?: RightsOption
  /** Empty for the core group. */
  readonly group: string
  readonly resources: readonly string[]
  readonly verbs: readonly Verb[]
  /** What cannot be done without it; written beside the rule. */
  readonly why: string
}

export const RIGHTS = [
  {
    scope: 'cluster',
    group: GROUP,
    resources: ['mutualidentities', 'clustermutualauthorities', 'mutualauthorities'],
    verbs: ['get', 'list', 'watch'],
    why: 'what is asked for',
  },
  {
    scope: 'cluster',
    group: GROUP,
    resources: ['mutualidentities/status', 'clustermutualauthorities/status', 'mutualauthorities/status'],
    verbs: ['patch'],
    why: 'tells how it stands; the specs stay with people',
  },
  {
    scope: 'cluster',
    group: GROUP,
    resources: ['clustermutualauthorities'],
    verbs: ['create'],
    why: 'makes the authority "default" on a fresh install; none is ever changed or deleted',
  },
  {
    scope: 'cluster',
    group: '',
    resources: ['pods', 'services', 'namespaces'],
    verbs: ['list', 'watch'],
    why: 'which pods an identity selects, their service account, the names of their Services, which namespaces are going away',
  },
  {
    scope: 'cluster',
    group: '',
    resources: ['secrets'],
    verbs: ['list', 'watch', 'get', 'create', 'patch', 'delete'],
    why:
      'leaf Secrets in the namespaces of identities, CA Secrets in its own; watched by label, read by name to see whether a Secret of that name is ours, ' +
      'deleted only to make one of ours again that cannot be changed in place, or when an identity has had another one for a day. RBAC cannot limit any of this by label: whoever holds this account can read every Secret',
  },
  {
    scope: 'cluster',
    group: '',
    resources: ['configmaps'],
    verbs: ['list', 'watch', 'get', 'create', 'patch', 'delete'],
    why: 'trust bundles in the namespaces of identities, and the record of what was published in its own; deleted only to make one of ours again that was made immutable',
  },
  {
    scope: 'cluster',
    group: 'events.k8s.io',
    resources: ['events'],
    verbs: ['create', 'patch'],
    why: 'tells people what was done, beside the object it was done for',
  },
  {
    scope: 'operatorNamespace',
    group: 'coordination.k8s.io',
    resources: ['leases'],
    verbs: ['get', 'create', 'patch'],
    why: 'of several replicas one works at a time',
  },
  {
    scope: 'cluster',
    option: 'restart',
    group: 'apps',
    resources: ['deployments', 'statefulsets', 'daemonsets'],
    verbs: ['list', 'watch', 'patch'],
    why:
      'restarts workloads whose programs read their certificate only at start, by one annotation of the pod template, where their owners opt in. ' +
      'RBAC cannot limit the patch to that annotation: whoever holds this account could run anything in those pods',
  },
] as const satisfies readonly Right[]

const RBAC = 'rbac.authorization.k8s.io'

interface PolicyRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly Verb[]
}

/** A manifest; `whys` are comments for its rules, in their order. */
export interface RbacManifest {
  readonly object: { readonly apiVersion: string; readonly kind: string; readonly metadata: object; readonly rules?: readonly PolicyRule[] }
  readonly whys: readonly string[]
}

/** The account whose rights these are. */
export interface Account {
  readonly namespace: string
  readonly serviceAccount: string
}

/** A role and its binding for each scope and each option that is on, with the reason of each rule. */
export function rbacManifests(account: Account, options: readonly RightsOption[] = []): readonly RbacManifest[] {
  const { namespace } = account
  return [
    ...roleAndBinding(rightsOf('cluster'), 'ClusterRole', { name: `${MANAGER}-controller` }, account),
    ...roleAndBinding(rightsOf('operatorNamespace'), 'Role', { name: `${MANAGER}-controller`, namespace }, account),
    ...options.flatMap((option) => optionManifests(option, account)),
  ]
}

/** What an option adds. */
export function optionManifests(option: RightsOption, account: Account): readonly RbacManifest[] {
  return roleAndBinding(rightsOf('cluster', option), 'ClusterRole', { name: `${MANAGER}-${option}` }, account)
}

/** The same as plain objects, ready to be created in this order. */
export function rbacObjects(account: Account, options: readonly RightsOption[] = []): readonly RbacManifest['object'][] {
  return rbacManifests(account, options).map(({ object }) => object)
}

function rightsOf(scope: Right['scope'], option?: RightsOption): readonly Right[] {
  return (RIGHTS as readonly Right[]).filter((right) => right.scope === scope && right.option === option)
}

function roleAndBinding(
  rights: readonly Right[],
  kind: 'ClusterRole' | 'Role',
  metadata: { readonly name: string; readonly namespace?: string },
  { namespace, serviceAccount }: Account,
): readonly RbacManifest[] {
  const rules = rights.map(({ group, resources, verbs }): PolicyRule => ({ apiGroups: [group], resources, verbs }))
  const binding = {
    apiVersion: `${RBAC}/v1`,
    kind: `${kind}Binding`,
    metadata,
    roleRef: { apiGroup: RBAC, kind, name: metadata.name },
    subjects: [{ kind: 'ServiceAccount', name: serviceAccount, namespace }],
  }
  return [
    { object: { apiVersion: `${RBAC}/v1`, kind, metadata, rules }, whys: rights.map(({ why }) => why) },
    { object: binding, whys: [] },
  ]
}
