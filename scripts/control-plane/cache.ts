// Where things are kept outside the work tree: built executables by version and content of their module, build logs,
// the lock of builds, instances. Used by build, binaries, record and main. Must not create anything.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { type Part, type PartSource, partSources } from './parts.ts'

export type Environment = Readonly<Record<string, string | undefined>>

const modulesDirectory = join(import.meta.dirname, 'modules')

/** $MUTUAL_IDENTITY_CACHE, else what the system has for caches. */
export function cacheDirectory(
  environment: Environment = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  const own = environment.MUTUAL_IDENTITY_CACHE
  if (own) return resolve(own)
  const standard = environment.XDG_CACHE_HOME
  // XDG Base Directory Specification: a relative path is invalid and to be ignored
  if (standard && isAbsolute(standard)) return join(standard, 'mutual-identity')
  return platform === 'darwin' ? join(home, 'Library', 'Caches', 'mutual-identity') : join(home, '.cache', 'mutual-identity')
}

export function moduleDirectory(part: Part): string {
  return join(modulesDirectory, partSources[part].module)
}

/** Changes with everything that decides what is built but the Go version: a newer compiler is no reason to build again. */
export function cachedBinary(part: Part, cache: string): string {
  const { module, version, goPackage, linkerFlags, tags }: PartSource = partSources[part]
  const hash = createHash('sha256')
  for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(join(moduleDirectory(part), file)))
  hash.update(JSON.stringify([goPackage, linkerFlags, ...(tags === undefined ? [] : [tags])]))
  const platform = `${process.platform}-${process.arch}` // a home may be shared between machines
  return join(cache, 'bin', `${module}-${version}-${platform}-${hash.digest('hex').slice(0, 12)}`, part)
}

export function buildLog(part: Part, cache: string): string {
  return join(cache, 'logs', `build-${part}.log`)
}

export function buildLock(cache: string): string {
  return join(cache, 'build.lock')
}

/** Holds the records of all instances, and the folders of those that were not given one. */
export function instancesDirectory(cache: string = cacheDirectory()): string {
  return join(cache, 'control-planes')
}
