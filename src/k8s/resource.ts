// Which collection of the API a call is about, and the shape of objects as they come from JSON.
// Used by everything that talks to the API server. Knows the built-in kinds the operator needs; kinds of ours are handed in.

/** One collection of the API: `{ group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment', namespaced: true }`. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
}

/** Names one object of a resource. `namespace` is empty for cluster-scoped ones. */
export interface ObjectRef {
  readonly namespace: string
  readonly name: string
}

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

/** metav1.ObjectMeta as parsed from JSON. Times are RFC 3339. */
export interface RawMeta {
  name: string
  generateName?: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  creationTimestamp?: string
  deletionTimestamp?: string
  finalizers?: string[]
  managedFields?: unknown
}

/** An object as parsed from JSON, nothing dropped. Items of lists carry neither apiVersion nor kind. */
export interface RawObject {
  apiVersion?: string
  kind?: string
  metadata: RawMeta
  [field: string]: unknown
}

export const namespaces: Resource = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false }
export const pods: Resource = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true }
export const services: Resource = { group: '', version: 'v1', plural: 'services', kind: 'Service', namespaced: true }
export const secrets: Resource = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true }
export const configMaps: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true }
export const events: Resource = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event', namespaced: true }
export const deployments: Resource = { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment', namespaced: true }
export const statefulSets: Resource = { group: 'apps', version: 'v1', plural: 'statefulsets', kind: 'StatefulSet', namespaced: true }
export const daemonSets: Resource = { group: 'apps', version: 'v1', plural: 'daemonsets', kind: 'DaemonSet', namespaced: true }
export const leases: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true }

/** The apiVersion field of the resource's objects: `v1`, `apps/v1`. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`
}

/** The path of a group and version: `/api/v1`, `/apis/apps/v1`. */
export function groupPath(group: string, version: string): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`
}

/**
 * The path of a collection or an object: `/api/v1/namespaces/shop/secrets/web`. Names are percent-encoded.
 * Without a namespace (undefined or empty) it is the collection of the whole cluster.
 */
export function resourcePath(resource: Resource, namespace?: string, name?: string, subresource?: string): string {
  let path = groupPath(resource.group, resource.version)
  if (resource.namespaced && namespace) path += `/namespaces/${encodeURIComponent(namespace)}`
  path += `/${resource.plural}`
  if (name !== undefined) path += `/${encodeURIComponent(name)}`
  if (subresource !== undefined) path += `/${subresource}`
  return path
}
