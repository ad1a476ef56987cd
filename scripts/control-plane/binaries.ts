// Provides the executables: the user's own, those built before, those on PATH, or new ones built from source.
// Used by start.ts and main.ts through index.ts. Must not use an executable that is too old for what is tested here.
import { execFile } from 'node:child_process'
import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { buildPart, formatSeconds } from './build.ts'
import { buildLock, cacheDirectory, cachedBinary, type Environment, moduleDirectory } from './cache.ts'
import { ControlPlaneFailure, codeOf } from './failure.ts'
import { checkGo } from './go.ts'
import { withLock } from './lock.ts'
import { allParts, type Binaries, type Part, partSources } from './parts.ts'
import { formatVersion, isAtLeast, parseVersion } from './version.ts'

type Say = (line: string) => void

/**
 * Finds or builds: KUBEBUILDER_ASSETS, then our cache, then PATH, then a build. What is found outside our cache is
 * used only if it is new enough, and passed over with a word if not. Returns absolute paths.
 */
export async function provideBinaries(parts: readonly Part[], say: Say): Promise<Record<Part, string>> {
  if (!['linux', 'darwin'].includes(process.platform) || !['x64', 'arm64'].includes(process.arch)) {
    throw new ControlPlaneFailure(
      `a local control plane runs on Linux and macOS, x64 and arm64, not on ${process.platform} ${process.arch}` +
        (process.platform === 'win32' ? ' (use WSL 2)' : ''),
    )
  }
  const cache = cacheDirectory()
  const found: Partial<Record<Part, string>> = {}
  for (const part of parts) {
    const binary = await findBinary(part, process.env, cache, say)
    if (binary !== undefined) found[part] = binary
  }
  const missing = allParts.filter((part) => parts.includes(part) && found[part] === undefined)
  const built: Binaries = missing.length > 0 ? await buildMissing(missing, cache, say) : {}
  // Parts that nobody asked for are absent; asking for them is a mistake that a start reports.
  return { ...found, ...built } as Record<Part, string>
}

export async function findBinary(part: Part, environment: Environment, cache: string, say: Say): Promise<string | undefined> {
  const assets = environment.KUBEBUILDER_ASSETS
  const own = assets && join(assets, part)
  if (own && isExecutable(own) && (await isNewEnough(part, own, say))) return own
  const cached = cachedBinary(part, cache)
  if (isExecutable(cached)) return cached
  for (const folder of (environment.PATH ?? '').split(delimiter)) {
    const candidate = join(folder, part)
    // A relative entry of PATH means another program in every folder.
    if (isAbsolute(folder) && isExecutable(candidate) && (await isNewEnough(part, candidate, say))) return candidate
  }
  return undefined
}

async function buildMissing(parts: readonly Part[], cache: string, say: Say): Promise<Binaries> {
  await checkGo(moduleDirectory('etcd'))
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  const onWait = (holder: { readonly pid: number }) => say(`waiting for the build that process ${holder.pid} is at`)
  return withLock(buildLock(cache), onWait, async () => {
    // Another process may have built some of them while we waited.
    const { true: there = [], false: absent = [] } = Object.groupBy(parts, (part) => String(isExecutable(cachedBinary(part, cache))))
    const built: Partial<Record<Part, string>> = {}
    for (const part of there) built[part] = cachedBinary(part, cache)
    const orders = absent.map((part, index) => ({ part, cache, say, expected: expectedSeconds(part, absent.slice(0, index)) }))
    if (orders.length > 1) {
      const total = orders.reduce((sum, order) => sum + order.expected, 0)
      say(`${absent.join(', ')} will be built from Go modules, once: about ${formatSeconds(total)} on 2 cores, 3 GiB in Go's own caches`)
    }
    for (const order of orders) built[order.part] = await buildPart(order)
    if (orders.length > 0) say(`kept in ${join(cache, 'bin')}`)
    return built
  })
}

/** Parts of one module share most of their packages. */
function expectedSeconds(part: Part, before: readonly Part[]): number {
  const { module, buildSeconds } = partSources[part]
  return before.some((other) => partSources[other].module === module) ? buildSeconds.after : buildSeconds.alone
}

async function isNewEnough(part: Part, binary: string, say: Say): Promise<boolean> {
  const { versionArguments, atLeast } = partSources[part]
  const version = parseVersion(await printedVersion(binary, versionArguments))
  if (version !== undefined && isAtLeast(version, atLeast)) return true
  const what = version === undefined ? 'does not tell its version' : `is version ${formatVersion(version)}`
  say(`passing over ${binary}: it ${what}, needed is ${formatVersion(atLeast)} or newer`)
  return false
}

/** '' for one that cannot be run: broken, for another machine. */
function printedVersion(binary: string, versionArguments: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(binary, versionArguments, { timeout: 10_000 }, (error, stdout) => resolve(error === null ? stdout : ''))
  })
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(codeOf(error) ?? '')) return false
    throw error
  }
}
