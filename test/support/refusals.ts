// What a parser says when it refuses: for tests that look at reason and message together.
// It must not swallow anything else: whatever is no OperatorError fails the test.

import { OperatorError } from '../../src/base/errors.ts'

/** The error that `run` throws. Fails when it throws none, or one that names no consequence. */
export function refusalOf(run: () => unknown): OperatorError {
  try {
    run()
  } catch (error) {
    if (error instanceof OperatorError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

/** `reason: message` of the refusal, to be matched. */
export function refused(run: () => unknown): string {
  const { reason, message } = refusalOf(run)
  return `${reason}: ${message}`
}

/** The value, or undefined where it was refused. */
export function accepted<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (error instanceof OperatorError) return undefined
    throw error
  }
}
