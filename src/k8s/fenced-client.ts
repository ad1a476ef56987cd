// A client that writes only while a term of leadership lasts. Handed to the controllers, so that a leader that was stopped beyond its lease
// writes nothing when it wakes up, whatever its passes were about to do. Reads are not fenced.

import type { CallOptions, Client } from './client.ts'

/**
 * Writes under way are broken off when `term` aborts, later ones are not begun: both reject as `Cancelled`. `check` may abort the term, since a timer may
 * be late; it is called before each write, and again when a connection takes it: a process that stood still wakes up with requests that wait for one.
 */
export function fencedClient(client: Client, term: AbortSignal, check: () => void = () => {}): Client {
  const within = <T extends { readonly signal?: AbortSignal }>(options: T | undefined): T & CallOptions => {
    check()
    const signal = options?.signal === undefined ? term : AbortSignal.any([options.signal, term])
    return { ...(options as T), signal, beforeSending: check }
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
