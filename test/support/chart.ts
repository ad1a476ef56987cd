// The chart and a real Helm, for the tests under test/cluster/chart: rendered objects, and releases in a cluster. Helm gets folders of its own, so that
// nothing of the person who runs the tests is read or written. Nothing here judges what the chart says.

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { provideBinaries } from '../../scripts/control-plane/index.ts'
import { PROJECT_FOLDER } from '../../scripts/install/manifests.ts'
import type { RawObject } from '../../src/k8s/resource.ts'

export const CHART = join(PROJECT_FOLDER, 'charts', 'mutual-identity')
export const RELEASE = 'mutual-identity'

/** What a person writes into a values file. */
export type Values = Readonly<Record<string, unknown>>

/** An object of the chart; what a test reads of it is its own to know. */
// biome-ignore lint/suspicious/noExplicitAny: manifests of a dozen kinds, read field by field
export type Manifest = RawObject & { readonly [field: string]: any }

export interface Helm {
  /** Runs it; resolves with what it printed. Rejects with what it said where it fails. */
  run(args: readonly string[], values?: Values): Promise<string>
  /** The objects of the chart in `namespace`, in the order in which Helm would create them. */
  template(values?: Values, namespace?: string): Promise<readonly Manifest[]>
  close(): void
}

const run = promisify(execFile)

/** `kubeconfig`: of the cluster that releases are for; default: none. */
export async function createHelm(kubeconfig = '/dev/null'): Promise<Helm> {
  const { helm } = await provideBinaries(['helm'], (line) => process.stderr.write(`${line}\n`))
  const folder = mkdtempSync(join(tmpdir(), 'helm-test-'))
  const homes = Object.fromEntries(['CACHE', 'CONFIG', 'DATA'].map((name) => [`HELM_${name}_HOME`, join(folder, name.toLowerCase())]))
  const environment = { PATH: process.env.PATH, HOME: folder, ...homes, KUBECONFIG: kubeconfig }
  const call = async (args: readonly string[], values: Values = {}): Promise<string> => {
    const file = join(folder, 'values.json')
    // JSON is YAML.
    const given = Object.keys(values).length === 0 ? [] : ['--values', file]
    if (given.length > 0) writeFileSync(file, JSON.stringify(values))
    try {
      const { stdout } = await run(helm, [...args, ...given], { env: environment, maxBuffer: 64 * 1024 * 1024 })
      return stdout
    } catch (error) {
      const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string }
      throw new Error(`helm ${args.join(' ')}: ${stderr}${stdout}`, { cause: error })
    }
  }
  return {
    run: call,
    async template(values, namespace = 'mutual-identity-system') {
      return parseManifests(await call(['template', RELEASE, CHART, '--namespace', namespace], values))
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function parseManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors[0]) throw document.errors[0]
    const object = document.toJS() as Manifest | null
    return object === null ? [] : [object]
  })
}

/** The one object of that kind and name. */
export function the(kind: string, objects: readonly Manifest[], name?: string): Manifest {
  const found = objects.filter((object) => object.kind === kind && (name === undefined || object.metadata.name === name))
  if (found.length !== 1) throw new Error(`the chart renders ${found.length} objects of kind ${kind} ${name ?? ''}`)
  return found[0] as Manifest
}

/** The one container of the Deployment. */
export const containerOf = (objects: readonly Manifest[]): Manifest => the('Deployment', objects)['spec'].template.spec.containers[0]

/** The flags that the chart gives the operator, by name. */
export const flagsOf = (objects: readonly Manifest[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (containerOf(objects)['args'] as string[]).map((flag) => {
      const [, name = flag, value = ''] = /^--([a-z-]+)=(.*)$/.exec(flag) ?? []
      return [name, value]
    }),
  )
