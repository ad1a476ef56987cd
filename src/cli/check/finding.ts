// What one check found: a mark, a line, and what to do. Types and their small makers; pure.

import { messageOf, OperatorError } from '../../base/errors.ts'
import { isForbidden, isNotFound } from '../../k8s/errors.ts'
import { NOT_SERVED } from '../fill-stores.ts'

/** `warning`: it works, but; `unknown`: this account may not see whether it does; `bad`: it does not. The exit code tells the last two. */
export type Level = 'good' | 'warning' | 'unknown' | 'bad'

export interface CheckFinding {
  readonly level: Level
  readonly text: string
  /** What to do; none where all is well. */
  readonly remedy?: string
}

export interface Section {
  readonly title: string
  readonly findings: readonly CheckFinding[]
}

export const good = (text: string): CheckFinding => ({ level: 'good', text })
export const warning = (text: string, remedy: string): CheckFinding => ({ level: 'warning', text, remedy })
export const unseen = (text: string, remedy: string): CheckFinding => ({ level: 'unknown', text, remedy })
export const bad = (text: string, remedy: string): CheckFinding => ({ level: 'bad', text, remedy })

/** The object, `unknown` where this account may not read it, undefined where there is none. */
export async function lookAt<T>(read: () => Promise<T>): Promise<T | 'unknown' | undefined> {
  try {
    return await read()
  } catch (error) {
    if (isForbidden(error)) return 'unknown'
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** What may not be read is no fault of the installation. */
export const unknown = (what: string): CheckFinding =>
  unseen(`${what}: unknown, it may not be read by this account`, 'run the check with an account that may read it')

/** A section that broke off says so, and the others go on. */
export async function section(title: string, look: () => Promise<readonly CheckFinding[]>): Promise<Section> {
  try {
    return { title, findings: await look() }
  } catch (error) {
    const isServed = !(error instanceof OperatorError && error.reason === NOT_SERVED)
    const remedy = isServed ? 'try again; if it stays, look at the API server' : 'install what is missing above under Kinds'
    return { title, findings: [bad(`could not be checked: ${messageOf(error)}`, remedy)] }
  }
}
