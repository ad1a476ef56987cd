// Reads versions out of what programs print about themselves and compares them.
// Used for Go itself and for executables found on the machine. Must not run anything.

export interface Version {
  readonly major: number
  readonly minor: number
  readonly patch: number
}

/**
 * The first version in a text: `Kubernetes v1.37.2`, `etcd Version: 3.7.3`, `go1.26.8`, `go1.27rc1` (patch 0).
 * undefined where there is none, e.g. `devel`.
 */
export function parseVersion(text: string): Version | undefined {
  const match = /(?<![\d.])(\d+)\.(\d+)(?:\.(\d+))?/.exec(text)
  if (match === null) return undefined
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3] ?? 0) }
}

export function isAtLeast(version: Version, least: Pick<Version, 'major' | 'minor'>): boolean {
  return version.major > least.major || (version.major === least.major && version.minor >= least.minor)
}

export function formatVersion(version: Pick<Version, 'major' | 'minor'> & { readonly patch?: number }): string {
  const patch = version.patch === undefined ? '' : `.${version.patch}`
  return `${version.major}.${version.minor}${patch}`
}
