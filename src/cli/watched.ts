// What is told of an object in a namespace that the operator does not watch: whatever it would do there, it does not. Pure.

import type { OperatorSettings } from './check/deployment.ts'

/** Which namespaces the operator watches, where that is known. */
export type Watching = Partial<Pick<OperatorSettings, 'watchNamespaces'>>

export interface Unwatched {
  readonly state: 'refused'
  readonly reason: 'NotWatched'
  readonly message: string
}

/** Undefined where it watches the namespace, or where nothing tells which it watches. `namespace` is undefined for what is in none. */
export function unwatched(namespace: string | undefined, { watchNamespaces = [] }: Watching): Unwatched | undefined {
  if (namespace === undefined || watchNamespaces.length === 0 || watchNamespaces.includes(namespace)) return undefined
  const message = `the operator does not watch namespace ${namespace}, so nothing is issued or renewed there: add it to its --watch-namespaces (value watchNamespaces of the chart), which now are ${watchNamespaces.join(', ')}`
  return { state: 'refused', reason: 'NotWatched', message }
}
