// What the controller's account may do at the API server: one table, from which the RBAC manifests are generated. Nothing else grants it anything.
// Used by the generator and by tests, which run the controller under exactly these rights. No wildcards, no escalate, bind or impersonate.

import { GROUP, MANAGER } from './names.ts'

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete'

/** What the operator can be asked to do beyond certificates; the name of the role, and of the file it is in. */
export type RightsOption = 'restart'

/**
 * Where a right holds:
 * - `cluster`: everywhere, and for cluster-scoped objects;
 * - `namespaces`: for the Namespace objects themselves, those that are watched;
 * - `watched`: in every namespace, or in those that the operator is told to watch;
 * - `operatorNamespace`: where the controller itself lives;
 * - `defaultNamespace`: in `default`, where the events of cluster-scoped objects are.
 */
export type RightScope = 'cluster' | 'namespaces' | 'watched' | 'operatorNamespace' | 'defaultNamespace'

export interface Right {
  readonly scopes: readonly RightScope[]
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
    scopes: ['watched'],
    group: GROUP,
    resources: ['mutualidentities', 'mutualauthorities'],
    verbs: ['list', 'watch'],
    why: 'what is asked for',
  },
  {
    scopes: ['watched'],
    group: GROUP,
    resources: ['mutualidentities/status', 'mutualauthorities/status'],
    verbs: ['update'],
    why: 'tells how it stands; the specs stay with people',
  },
  {
    scopes: ['cluster'],
    group: GROUP,
    resources: ['clustermutualauthorities'],
    verbs: ['list', 'watch', 'create'],
    why: 'who signs; the authority "default" is made on a fresh install, and none is ever changed or deleted',
  },
  {
    scopes: ['cluster'],
    group: GROUP,
    resources: ['clustermutualauthorities/status'],
    verbs: ['update'],
    why: 'tells how an authority stands',
  },
  {
    scopes: ['namespaces'],
    group: '',
    resources: ['namespaces'],
    verbs: ['list', 'watch'],
    why: 'which namespaces there are, are going away, or are selected for a trust bundle by their labels',
  },
  {
    scopes: ['watched'],
    group: '',
    resources: ['pods', 'services'],
    verbs: ['list', 'watch'],
    why: 'which pods an identity selects, their service account, the names of their Services',
  },
  {
    scopes: ['watched', 'operatorNamespace'],
    group: '',
    resources: ['secrets'],
    verbs: ['list', 'watch', 'get', 'create', 'patch', 'delete'],
    why:
      'leaf Secrets in the namespaces of identities, CA Secrets in its own; watched by label, read by name to see whether a Secret of that name is ours, ' +
      'deleted only to make one of ours again that cannot be changed in place, or when an identity has had another one for a day. RBAC cannot limit any of this by label: whoever holds this account can read every Secret where it holds',
  },
  {
    scopes: ['watched', 'operatorNamespace'],
    group: '',
    resources: ['configmaps'],
    verbs: ['list', 'watch', 'get', 'create', 'patch', 'delete'],
    why: 'trust bundles in the namespaces of identities, and the record of what was published in its own; deleted only to make one of ours again that was made immutable',
  },
  {
    scopes: ['watched', 'defaultNamespace'],
    group: 'events.k8s.io',
    resources: ['events'],
    verbs: ['create', 'patch'],
    why: 'tells people what was done, beside the object it was done for',
  },
  {
    scopes: ['operatorNamespace'],
    group: 'coordination.k8s.io',
    resources: ['leases'],
    verbs: ['get', 'create', 'patch'],
    why: 'of several replicas one works at a time',
  },
  {
    scopes: ['watched'],
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

/** A rule of a role (rbac.authorization.k8s.io/v1 PolicyRule). */
export interface PolicyRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly Verb[]
  readonly resourceNames?: readonly string[]
}

/** A manifest of a role or a binding. */
export interface RbacObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly rules?: readonly PolicyRule[]
}

/** Whose rights these are, and where. */
export interface Installation {
  readonly namespace: string
  readonly serviceAccount: string
  /** Empty or absent: all of them. */
  readonly watchNamespaces?: readonly string[]
  readonly options?: readonly RightsOption[]
}

/** The rights of a part of an installation, in the order of the table. The chart has a file for each part; rbacObjects says which role gets which. */
export const RIGHTS_PARTS = {
  cluster: standing(({ scopes }) => scopes.includes('cluster')),
  namespaces: standing(({ scopes }) => scopes.includes('namespaces')),
  watched: standing(({ scopes }) => scopes.includes('watched')),
  'operator-namespace': standing(({ scopes }) => scopes.includes('operatorNamespace') && !scopes.includes('watched')),
  /** What is not given everywhere where only some namespaces are watched. */
  'operator-namespace-apart': standing(({ scopes }) => scopes.includes('operatorNamespace') && scopes.includes('watched')),
  'default-namespace-apart': standing(({ scopes }) => scopes.includes('defaultNamespace') && scopes.includes('watched')),
  restart: (RIGHTS as readonly Right[]).filter(({ option }) => option === 'restart'),
} as const satisfies Record<string, readonly Right[]>

function standing(holds: (right: Right) => boolean): readonly Right[] {
  return (RIGHTS as readonly Right[]).filter((right) => right.option === undefined && holds(right))
}

/** Roles and their bindings, ready to be created in this order. */
export function rbacObjects(installation: Installation): readonly RbacObject[] {
  const { namespace, watchNamespaces = [], options = [] } = installation
  const parts = RIGHTS_PARTS
  const controller = `${MANAGER}-controller`
  const grant = (name: string, rights: readonly Right[], where?: string): RbacObject[] =>
    roleAndBinding(name, rights.map(ruleOf), where, installation)
  if (watchNamespaces.length === 0) {
    return [
      ...grant(controller, [...parts.cluster, ...parts.namespaces, ...parts.watched]),
      ...grant(controller, parts['operator-namespace'], namespace),
      ...options.flatMap((option) => grant(`${MANAGER}-${option}`, parts[option])),
    ]
  }
  const named = parts.namespaces.map((right) => ({ ...ruleOf(right), resourceNames: watchNamespaces }))
  return [
    ...roleAndBinding(controller, [...parts.cluster.map(ruleOf), ...named], undefined, installation),
    ...grant(controller, [...parts['operator-namespace'], ...parts['operator-namespace-apart']], namespace),
    ...grant(`${MANAGER}-events`, parts['default-namespace-apart'], 'default'),
    ...watchNamespaces.flatMap((watched) => [
      ...grant(controller, parts.watched, watched),
      ...options.flatMap((option) => grant(`${MANAGER}-${option}`, parts[option], watched)),
    ]),
  ]
}

/** The rule of a right. */
export function ruleOf({ group, resources, verbs }: Right): PolicyRule {
  return { apiGroups: [group], resources, verbs }
}

/** In a namespace, or for the whole cluster. */
function roleAndBinding(
  name: string,
  rules: readonly PolicyRule[],
  where: string | undefined,
  { namespace, serviceAccount }: Installation,
): RbacObject[] {
  const metadata = { name, ...(where === undefined ? {} : { namespace: where }) }
  const kind = where === undefined ? 'ClusterRole' : 'Role'
  const binding = {
    apiVersion: `${RBAC}/v1`,
    kind: `${kind}Binding`,
    metadata,
    roleRef: { apiGroup: RBAC, kind, name },
    subjects: [{ kind: 'ServiceAccount', name: serviceAccount, namespace }],
  }
  return [{ apiVersion: `${RBAC}/v1`, kind, metadata, rules }, binding]
}
