// A client that writes only while a term of leadership lasts. Handed to the controllers, so that a leader that was stopped beyond its lease
// writes nothing when it wakes up, whatever its passes were about to do. Reads are not fenced.

import type { Client } from './client.ts'

/**
 * Writes under way are broken off when `term` aborts, later ones are not begun: both reject as `Cancelled`. `check` is called before each write and may
 * abort the term: a timer may be late.
 */
export function fencedClient(client: Client, term: AbortSignal, check: () => void = () => {}): Client {
  const within = <T extends { readonly signal?: AbortSignal }>(options: T | undefined): T & { readonly signal: AbortSignal } => {
    check()
    return { ...(options as T), signal: options?.signal === undefined ? term : AbortSignal.any([options.signal, term]) }
  }
  return {
    ...client,
    create: (resource, object, options) => client.create(resource, object, within(options)),
    mergePatch: (resource, ref, patch, options) => client.mergePatch(resource, ref, patch, within(options)),
    replaceStatus: (resource, object, options) => client.replaceStatus(resource, object, within(options)),
    delete: (resource, ref, preconditions, options) => client.delete(resource, ref, preconditions, within(options)),
    createSubresource: (resource, ref, subresource, body, options) =>
      client.createSubresource(resource, ref, subresource, body, within(options)),
  }
}
