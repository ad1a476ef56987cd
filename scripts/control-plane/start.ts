// Starts a control plane: etcd, API server, controller manager, in this order, each when the one before is ready.
// Used through index.ts. A start that fails leaves nothing but its logs.
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { provideBinaries } from './binaries.ts'
import { cacheDirectory, instancesDirectory } from './cache.ts'
import type { ControlPlane, ControlPlaneOptions } from './control-plane.ts'
import { writeCredentials, writeKubeconfigs } from './credentials.ts'
import { sweepOrphans } from './ending.ts'
import { ControlPlaneFailure, codeOf } from './failure.ts'
import { controllerManagerFlags, etcdFlags, etcdSocketName } from './flags.ts'
import { accessOn, Instance } from './instance.ts'
import { lastLines, PartNotReady } from './part-process.ts'
import { type Part, serverParts } from './parts.ts'
import { findFreePort } from './ports.ts'

const portTries = 5
const shownLines = 12

export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const say = options.say ?? ((line) => process.stderr.write(`${line}\n`))
  const parts = serverParts.filter((part) => part !== 'kube-controller-manager' || options.controllerManager !== false)
  const binaries = await provideBinaries(parts, say)
  const instances = instancesDirectory()
  await sweepOrphans(instances, say)

  const instance = new Instance({
    instances,
    directory: createDirectory(instances, options.directory),
    keep: options.keep ?? false,
    binaries,
    apiServerFlags: options.apiServerFlags ?? [],
  })
  try {
    const seconds = await launchAll(instance, parts)
    if (options.detached) instance.detach()
    say(`control plane ${basename(instance.directory)} is ready at ${instance.url} (${seconds})`)
    return instance
  } catch (error) {
    const failure = error instanceof PartNotReady ? explain(error, options.keep ?? false) : error
    await instance.stop()
    throw failure
  }
}

/** Returns how long each part took, for people. */
async function launchAll(instance: Instance, parts: readonly Part[]): Promise<string> {
  const { directory } = instance
  const clock = createStopwatch()
  await instance.launch('etcd', etcdFlags(directory), async () => existsSync(join(directory, etcdSocketName)))
  clock.lap('etcd')
  const credentials = await writeCredentials(directory)
  const access = await retryOnTakenPort(async () => {
    const attempt = accessOn(await findFreePort(), credentials)
    await instance.launchApiServer(attempt)
    return attempt
  })
  clock.lap('kube-apiserver')
  await writeKubeconfigs(directory, access.url, credentials)
  if (parts.includes('kube-controller-manager')) {
    // It has no port to ask; what it makes first in every namespace says that its controllers work.
    const defaultAccount = '/api/v1/namespaces/default/serviceaccounts/default'
    const isReady = () => access.prober.answers(defaultAccount)
    await instance.launch('kube-controller-manager', controllerManagerFlags(directory), isReady)
    clock.lap('kube-controller-manager')
  }
  return clock.text()
}

async function retryOnTakenPort<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start()
    } catch (error) {
      const taken = error instanceof PartNotReady && readFileSync(error.logFile, 'utf8').includes('address already in use')
      if (!taken || attempt === portTries) throw error
    }
  }
}

function createDirectory(instances: string, wanted: string | undefined): string {
  const directory = resolve(wanted ?? join(instances, `run-${process.pid}-${randomBytes(3).toString('hex')}`))
  mkdirSync(dirname(directory), { recursive: true, mode: 0o700 })
  try {
    mkdirSync(directory, { mode: 0o700 })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    // It will be removed with everything in it, so it must be ours from the beginning.
    if (readdirSync(directory).length > 0) {
      throw new ControlPlaneFailure(`${directory} is not empty: a control plane needs a folder of its own`)
    }
  }
  return directory
}

/** Saves the logs from the folder that is about to be removed, so that the message can say where they are. */
function explain({ part, logFile, why }: PartNotReady, keep: boolean): ControlPlaneFailure {
  const words = lastLines(logFile, shownLines)
  let kept = logFile
  if (!keep) {
    const instance = basename(dirname(dirname(logFile)))
    kept = join(cacheDirectory(), 'logs', `failed-${instance}`, basename(logFile))
    cpSync(dirname(logFile), dirname(kept), { recursive: true })
  }
  return new ControlPlaneFailure(`${part} ${why}. Its last words (all: ${kept}):\n${words}`)
}

function createStopwatch() {
  const laps: string[] = []
  const begin = performance.now()
  let last = begin
  const format = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`
  return {
    lap(name: string) {
      const now = performance.now()
      laps.push(`${name} ${format(now - last)}`)
      last = now
    },
    text: () => `${format(last - begin)}: ${laps.join(', ')}`,
  }
}
