// What objects a comparison makes: the documents of a YAML file, each object's name put in for $NAME. Used by compare.ts.
// Asks the API server where the kinds go, so that it serves kinds that nobody here knows.

import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { systemClock } from '../../src/base/clock.ts'
import type { ClusterAccess } from '../../src/k8s/access.ts'
import { groupPath, type RawObject, type Resource } from '../../src/k8s/resource.ts'
import { createTransport } from '../../src/k8s/transport.ts'

export interface Template {
  /** Where each document goes, in order; the last is the one that becomes Ready. */
  readonly resources: readonly Resource[]
  /** The objects that stand for one name, in the order of `resources`. */
  objects(name: string): readonly RawObject[]
}

/** All objects of namespaced kinds go into `namespace`. */
export async function readTemplate(access: ClusterAccess, file: string, namespace: string): Promise<Template> {
  const text = readFileSync(file, 'utf8')
  const documents = (name: string): RawObject[] =>
    parseAllDocuments(text.replaceAll('$NAME', name), { strict: true }).map((document) => {
      const [problem] = document.errors
      if (problem) throw new Error(`${file}: ${problem.message}`)
      return document.toJS() as RawObject
    })
  const resources: Resource[] = []
  for (const object of documents('name')) resources.push(await resourceOf(access, object))
  if (resources.length === 0) throw new Error(`there is no object in ${file}`)
  return {
    resources,
    objects: (name) =>
      documents(name).map((object, index) =>
        resources[index]?.namespaced ? { ...object, metadata: { ...object.metadata, namespace } } : object,
      ),
  }
}

async function resourceOf(access: ClusterAccess, { apiVersion = '', kind = '' }: RawObject): Promise<Resource> {
  const [version = '', group = ''] = apiVersion.split('/').reverse()
  const transport = createTransport(access, { clock: systemClock, connections: 1 })
  try {
    const path = groupPath(group, version)
    const reply = await transport.request({ method: 'GET', verb: 'get', resource: 'discovery', path, deadlineMs: 30_000 })
    const { resources = [] } = JSON.parse(await reply.text()) as { resources?: { name: string; kind: string; namespaced: boolean }[] }
    // Subresources (`certificates/status`) have the kind of what they belong to.
    const found = resources.find((one) => one.kind === kind && !one.name.includes('/'))
    if (!found) throw new Error(`the API server knows no ${apiVersion} ${kind}`)
    return { group, version, plural: found.name, kind, namespaced: found.namespaced }
  } finally {
    await transport.close()
  }
}
