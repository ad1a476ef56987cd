// Reads manifests from disk as `kubectl apply -f FOLDER` does: every YAML file of the folder in the order of their names, every document in it.
// Used by install.ts, the demo and cluster tests. Must not change what it reads.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { RawObject } from '../../src/k8s/resource.ts'

/** The top of the checkout. */
export const PROJECT_FOLDER = join(import.meta.dirname, '..', '..')

/** The objects of a folder, in order. Throws with the name of a file that is not what it should be. */
export function readManifests(folder: string): readonly RawObject[] {
  const files = globSync('*.yaml', { cwd: folder }).sort()
  if (files.length === 0) throw new Error(`there is no manifest in ${folder}`)
  return files.flatMap((file) => parseManifest(readFileSync(join(folder, file), 'utf8'), join(folder, file)))
}

function parseManifest(text: string, file: string): readonly RawObject[] {
  const documents = parseAllDocuments(text, { strict: true })
  if ('empty' in documents) return []
  return documents.map((document) => {
    const [problem] = document.errors
    if (problem) throw new Error(`${file}: ${problem.message}`)
    const object = document.toJS() as RawObject | null
    if (typeof object?.kind !== 'string' || typeof object.metadata?.name !== 'string')
      throw new Error(`${file}: a document is no Kubernetes object`)
    return object
  })
}
