// Instants and their spelling in Kubernetes objects. Pure: it reads no clock, so plans may use it.

/** Milliseconds since 1970-01-01T00:00:00Z, whole. */
export type Instant = number

/** RFC 3339 in UTC with whole seconds, the form of metav1.Time: 2026-11-24T07:09:03Z. */
export function formatInstant(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`
}

/** RFC 3339 in UTC with six digits, the form of metav1.MicroTime (Lease, Event): 2026-11-24T07:09:03.000000Z. */
export function formatMicroInstant(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 23)}000Z`
}

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/

/** Reads an RFC 3339 instant (section 5.6); undefined when the text is none. */
export function parseInstant(text: string): Instant | undefined {
  if (!RFC_3339.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at
}
