// The one error of this folder that a person is meant to read: what failed, why and what to do.
// Thrown everywhere here, caught by main.ts, which prints it without a stack.
// Must not wrap mistakes in the code itself: those keep their own type and stack.

export class ControlPlaneFailure extends Error {
  override readonly name = 'ControlPlaneFailure'
}

// Not by instanceof: an error of Node's own modules is of another realm than code that runs inside Jest.

export function reasonOf(error: unknown): string {
  return isObject(error) && 'message' in error ? String(error.message) : String(error)
}

/** The `code` of a system error (ENOENT, EEXIST ...), if it is one. */
export function codeOf(error: unknown): string | undefined {
  return isObject(error) && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
