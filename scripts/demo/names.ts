// Where things of the demo are in the cluster, and how long it waits for them. Read by all steps. Plain data.

export const OPERATOR_NAMESPACE = 'mutual-identity-system'
/** The namespace of the example's manifests. */
export const SHOP = 'shop'
export const SERVER = 'payments'
export const CLIENT = 'orders'
/** A third, genuine identity that may not call the server. */
export const INTRUDER = 'intruder'
/** Of everything the demo writes. */
export const FIELD_MANAGER = 'mutual-identity-demo'
/** Of one step of the operator or of a program, milliseconds; with a margin for slow machines. */
export const PATIENCE_MS = 30_000
