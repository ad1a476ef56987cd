// What can be made to go wrong with a request, as data that a hook returns. Used by the server and by whoever writes scenarios.

import type { Call } from '../../../src/k8s/call.ts'

/** A request as it arrives. */
export interface Arrival {
  /** Counts from 1, over all connections. */
  readonly number: number
  readonly user: string
  readonly verb: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly call: Call
}

/** - not carried out: `refuse`, `answer`, `breakBefore`, `hangBefore`, `dieBefore`; carried out: `breakAfter`, `hangAfter`, `dieAfter`, `delay`. */
export type Fault =
  | {
      readonly kind: 'refuse'
      readonly status: number
      readonly reason?: string
      readonly message?: string
      readonly retryAfterMs?: number
      readonly details?: object
    }
  /** Whatever body: garbage, half an object, another kind. */
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  /** The connection is lost. */
  | { readonly kind: 'breakBefore' }
  | { readonly kind: 'breakAfter' }
  /** No answer until the caller gives up. */
  | { readonly kind: 'hangBefore' }
  | { readonly kind: 'hangAfter' }
  /** The process that asks is dead from here on. */
  | { readonly kind: 'dieBefore' }
  | { readonly kind: 'dieAfter' }
  | { readonly kind: 'delay'; readonly ms: number }

/** Asked before each request; undefined: nothing goes wrong. */
export type FaultHook = (request: Arrival) => Fault | undefined

/** A request as it was answered. */
export interface RecordedRequest extends Omit<Arrival, 'call'> {
  /** Milliseconds since 1970 on the clock of the server. */
  readonly at: number
  /** HTTP status of what was done, also where the answer never arrived; 0: not carried out and not answered. */
  readonly code: number
  readonly fault: Fault['kind'] | undefined
  /** Of writes. */
  readonly body: string | undefined
}
