// The order of resourceVersions: unsigned 64-bit decimals without leading zeros, comparable within a resource since Kubernetes 1.35.
// Used by the store and the watcher. Never turns them into JavaScript numbers, which lose digits above 2^53.

/** Older than every version: nothing is known yet. */
export const NO_VERSION = ''

const DECIMAL = /^[1-9]\d{0,19}$/

/** Whether a text from outside can be compared with others. */
export function isVersion(text: unknown): text is string {
  return typeof text === 'string' && DECIMAL.test(text)
}

/** Negative when `a` is older than `b`, 0 when they are the same, positive when it is newer. */
export function compareVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length
  return a === b ? 0 : a < b ? -1 : 1
}

/** The newer of two. */
export function newerVersion(a: string, b: string): string {
  return compareVersions(a, b) < 0 ? b : a
}

/** The version of an object as it came from JSON; older than every other where it has none. */
export function versionOf(metadata: { readonly resourceVersion?: string }): string {
  return metadata.resourceVersion ?? NO_VERSION
}
