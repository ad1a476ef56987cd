// Which collections the API server in memory serves, and what is special about each. Used by the router and the writes; no state.

import { customResourceDefinitions } from '../../../src/api/crd.ts'
import * as checked from '../../../src/cli/check/resources.ts'
import type { Resource } from '../../../src/k8s/resource.ts'
import * as builtIn from '../../../src/k8s/resource.ts'
import type { JsonSchema } from './schema.ts'

/** A served collection. */
export interface Kind extends Resource {
  /** Its status is written through /status only, and its generation counts changes of everything else. */
  readonly statusSubresource: boolean
  /** Of custom resources: defaults, strictness and validation come from it. */
  readonly schema: JsonSchema | undefined
}

const apps = (plural: string, kind: string): Resource => ({ group: 'apps', version: 'v1', plural, kind, namespaced: true })

const BUILT_IN: readonly Resource[] = [
  builtIn.namespaces,
  builtIn.pods,
  builtIn.services,
  builtIn.secrets,
  builtIn.configMaps,
  builtIn.events,
  builtIn.leases,
  apps('deployments', 'Deployment'),
  apps('statefulsets', 'StatefulSet'),
  apps('daemonsets', 'DaemonSet'),
  checked.customResourceDefinitions,
  checked.clusterRoles,
  checked.roles,
  checked.clusterRoleBindings,
  checked.roleBindings,
  checked.admissionPolicies,
  checked.admissionBindings,
]

const custom = customResourceDefinitions.map(({ spec }): Kind => {
  const [version] = spec.versions
  if (!version) throw new Error('a CRD without a version')
  const { group, names, scope } = spec
  const schema = version.schema.openAPIV3Schema as unknown as JsonSchema
  const namespaced = scope === 'Namespaced'
  return { group, version: version.name, plural: names.plural, kind: names.kind, namespaced, statusSubresource: true, schema }
})

const KINDS: readonly Kind[] = [...BUILT_IN.map((resource) => ({ ...resource, statusSubresource: false, schema: undefined })), ...custom]

const BY_PATH = new Map(KINDS.map((kind) => [pathOf(kind), kind]))

function pathOf({ group, version, plural }: Pick<Resource, 'group' | 'version' | 'plural'>): string {
  return `${group}/${version}/${plural}`
}

/** The served collection; undefined: 404. */
export const kindOf = (group: string, version: string, plural: string): Kind | undefined => BY_PATH.get(pathOf({ group, version, plural }))

/** The kinds of a group and version, for discovery. */
export const kindsOf = (group: string, version: string): readonly Kind[] =>
  KINDS.filter((kind) => kind.group === group && kind.version === version)
