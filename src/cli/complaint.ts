// What a person is told when the command could not answer: what happened, to what, and what to do. Pure.

import { messageOf, OperatorError } from '../base/errors.ts'
import { ApiError } from '../k8s/errors.ts'
import { NOT_SERVED } from './fill-stores.ts'
import { printableLines } from './output/printable.ts'

/** By the reason of the error, what helps. */
const REMEDIES: Readonly<Record<string, string>> = {
  Forbidden: 'ask whoever gives you rights; `kubectl mutual check` lists what each verb needs',
  Unauthorized: 'the API server does not know these credentials: log in again, or choose another --context',
  NotSent: 'is the cluster up, and is --kubeconfig or --context the one you mean? (kubectl config current-context)',
  TimedOut: 'the API server did not answer in time: try again',
  [NOT_SERVED]: 'install the CustomResourceDefinitions of this version (kubectl mutual check says which are there)',
  NoClusterAccess: 'name a kubeconfig with --kubeconfig or KUBECONFIG, and a context with --context',
}

/** One or two lines, with a line end. */
export function complaint(error: unknown): string {
  const message = printableLines(messageOf(error))
  const remedy = error instanceof OperatorError ? REMEDIES[error.reason] : undefined
  const what = error instanceof ApiError && error.code === 0 ? `the API server cannot be asked: ${message}` : message
  return `error: ${what}\n${remedy === undefined ? '' : `${remedy}\n`}`
}
