// The CustomResourceDefinitions: are they there, established, and of this version.

import { customResourceDefinitions as wanted } from '../../api/crd.ts'
import { GROUP, VERSION } from '../../api/names.ts'
import type { Client } from '../../k8s/client.ts'
import type { RawObject } from '../../k8s/resource.ts'
import { bad, type CheckFinding, good, lookAt, unseen, warning } from './finding.ts'
import { byHelm, byUpgrade } from './remedies.ts'
import { customResourceDefinitions } from './resources.ts'

type Definition = (typeof wanted)[number]

export async function kindFindings(client: Client): Promise<readonly CheckFinding[]> {
  return await Promise.all(wanted.map((definition) => kindFinding(client, definition)))
}

async function kindFinding(client: Client, definition: Definition): Promise<CheckFinding> {
  const { name } = definition.metadata
  const found = await lookAt(() => client.get(customResourceDefinitions, { namespace: '', name }))
  if (found === 'unknown') return await served(client, definition)
  return judgeKind(name, found, definition)
}

/** Who may not read definitions may still ask what is served. */
async function served(client: Client, { spec, metadata }: Definition): Promise<CheckFinding> {
  const plurals = await client.discover(GROUP, VERSION)
  if (!plurals.includes(spec.names.plural)) return missing(metadata.name)
  return unseen(
    `${metadata.name} is served; its schema is unknown, the definition may not be read by this account`,
    'run the check with an account that may read customresourcedefinitions',
  )
}

const missing = (name: string): CheckFinding => bad(`${name} is not installed`, byHelm('without Helm kubectl apply -f crds/'))

/** By the version of the API that this plugin speaks. Pure. */
export function judgeKind(name: string, found: RawObject | undefined, definition: Definition): CheckFinding {
  if (!found) return missing(name)
  const versions = ((found['spec'] as { versions?: readonly StoredVersion[] } | undefined)?.versions ?? []) as readonly StoredVersion[]
  const here = versions.find((version) => version.name === VERSION)
  if (!here?.served) return bad(`${name} does not serve ${VERSION}`, byUpgrade('kubectl apply -f crds/ of this version'))
  if (!isEstablished(found)) return bad(`${name} is not established`, `kubectl describe crd ${name} says why`)
  const differs = difference(definition.spec.versions[0]?.schema.openAPIV3Schema, here.schema?.openAPIV3Schema, 'schema')
  if (differs === undefined) return good(`${name} is that of this version`)
  return warning(
    `${name} is of another version: ${differs}`,
    byUpgrade('kubectl apply -f crds/ of the operator’s version; or use the plugin of that version'),
  )
}

interface StoredVersion {
  readonly name: string
  readonly served: boolean
  readonly schema?: { readonly openAPIV3Schema?: unknown }
}

function isEstablished({ status }: RawObject): boolean {
  const { conditions = [] } = (status ?? {}) as { conditions?: readonly { type: string; status: string }[] }
  return conditions.some(({ type, status: holds }) => type === 'Established' && holds === 'True')
}

/** The first place where two values differ, in words; undefined where they do not. The order of keys says nothing. */
function difference(ours: unknown, theirs: unknown, path: string): string | undefined {
  if (isRecord(ours) && isRecord(theirs)) {
    for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
      const found = difference(ours[key], theirs[key], `${path}.${key}`)
      if (found !== undefined) return found
    }
    return undefined
  }
  if (JSON.stringify(ours) === JSON.stringify(theirs)) return undefined
  if (theirs === undefined) return `${path} is missing there`
  return ours === undefined ? `${path} is not known here` : `${path} differs`
}

/** Lists too: their indexes are keys. */
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
