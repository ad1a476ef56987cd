// A stand-in for the kubelet: keeps the Secrets of the example as files, as a pod sees them, while the show lasts. Used by show.ts.
// The only place of the demo where private keys pass through; they go from the API server into files of mode 0600 in the show's folder.

import { existsSync, mkdirSync, mkdtempSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { managedSelector } from '../../src/api/names.ts'
import { type RawObject, secrets } from '../../src/k8s/resource.ts'
import { type Store, type Stored, storedMeta } from '../../src/k8s/store.ts'
import type { Cluster } from '../install/cluster.ts'
import { follow, until } from './follow.ts'
import { SHOP } from './names.ts'
import type { Stage } from './stage.ts'

/** File names and contents of a Secret. */
type Files = Readonly<Record<string, Buffer>>

interface MountedSecret extends Stored {
  readonly files: Files
}

export interface Kubelet {
  /** The folder with the files of a Secret of the example's namespace, once they are there. */
  mount(secretName: string): Promise<string>
}

/** Follows the Secrets of the operator in the example's namespace. */
export async function startKubelet(stage: Stage, cluster: Cluster): Promise<Kubelet> {
  const project = (raw: RawObject): MountedSecret => ({ ...storedMeta(raw), files: filesOf(raw) })
  const store = await follow(stage, cluster, { resource: secrets, namespace: SHOP, labelSelector: managedSelector, project })
  const mounted = new Set<string>()
  store.subscribe(({ after }) => {
    // A Secret that goes away leaves the files of running pods as they are.
    if (after && mounted.has(after.name)) writeVersion(folderOf(stage, after.name), after.files)
  })
  return { mount: (secretName) => mount(stage, store, mounted, secretName) }
}

async function mount(stage: Stage, store: Store<MountedSecret>, mounted: Set<string>, secretName: string): Promise<string> {
  const folder = folderOf(stage, secretName)
  if (mounted.has(secretName)) return folder
  const { files } = await until(stage, store, `Secret ${secretName}`, () => store.get(SHOP, secretName))
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeVersion(folder, files)
  mounted.add(secretName)
  return folder
}

const folderOf = (stage: Stage, secretName: string): string => join(stage.folder, 'mounts', secretName)

function filesOf(raw: RawObject): Files {
  return Object.fromEntries(
    Object.entries((raw.data ?? {}) as Record<string, string>).map(([name, text]) => [name, Buffer.from(text, 'base64')]),
  )
}

/**
 * As the kubelet does it (k8s.io/kubernetes/pkg/volume/util/atomic_writer.go): all files of a version in a folder of their own, and one rename of a
 * symbolic link that turns all of them at once.
 *
 *     tls.crt -> ..data/tls.crt        ..data -> ..2026_11_24_07_50_19.Xy12Ab/
 */
function writeVersion(folder: string, files: Files): void {
  const link = join(folder, '..data')
  const previous = existsSync(link) ? readlinkSync(link) : undefined
  const version = mkdtempSync(join(folder, `..${new Date().toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_')}.`))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(version, name), content, { mode: 0o600 })
  symlinkSync(version.slice(folder.length + 1), `${link}_tmp`)
  renameSync(`${link}_tmp`, link)
  for (const name of Object.keys(files)) if (!existsSync(join(folder, name))) symlinkSync(join('..data', name), join(folder, name))
  if (previous !== undefined) rmSync(join(folder, previous), { recursive: true })
}
