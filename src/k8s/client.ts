// The verbs of the API on raw JSON objects, each with a deadline and with retries that fit it. Used by watcher, lease, events, issuers
// and controllers. Knows no kinds of ours; never reads, changes and replaces: writes are creates and patches, and statuses, which are ours as a whole.

import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { isNotFound } from './errors.ts'
import { type ListOptions, listPages, type Page } from './list.ts'
import { type CallOptions, createPerform, decodeJson, decodeObject, type Perform } from './perform.ts'
import { apiVersionOf, groupPath, type ObjectRef, type RawObject, type Resource, resourcePath } from './resource.ts'
import type { Transport } from './transport.ts'
import { type WatchEvent, type WatchOptions, watch } from './watch.ts'
import { createWrites, type PatchOptions, type Preconditions } from './writes.ts'

export type { ListOptions, Page } from './list.ts'
export type { CallOptions } from './perform.ts'
export type { WatchEvent, WatchOptions } from './watch.ts'
export type { PatchOptions, Preconditions } from './writes.ts'

/**
 * All calls reject with an ApiError (or the OperatorError of the credentials). Retries: reads, patches, statuses and deletes are repeated after network
 * errors, timeouts and 5xx; a POST only when it certainly was not carried out (never sent, or 429).
 *
 * After a lost reply (`ConnectionLost`, `TimedOut`) a caller sees:
 * - create: the error itself; the object may exist. A create of the same name then says AlreadyExists.
 * - mergePatch with metadata.resourceVersion, replaceStatus: Conflict, if the first try was carried out; look again.
 * - mergePatch without: the result of the repeat, which changes nothing.
 * - delete: NotFound or Conflict (another object of that name) if the first try was carried out.
 */
export interface Client {
  get(resource: Resource, ref: ObjectRef, options?: CallOptions): Promise<RawObject>
  /** Page after page; each page is one call. Throws isGone when the server forgot the list in the middle: start again. */
  listPages(resource: Resource, options?: ListOptions): AsyncIterable<Page>
  /** POST with strict field validation; apiVersion and kind are filled in. Never takes over an existing object (isAlreadyExists). */
  create(resource: Resource, object: RawObject, options?: CallOptions): Promise<RawObject>
  /** Merge patch (RFC 7386): null removes. Put metadata.resourceVersion (and uid) into the patch of anything others may write. */
  mergePatch(resource: Resource, ref: ObjectRef, patch: object, options?: PatchOptions): Promise<RawObject>
  /**
   * PUT of /status: `object.status` as a whole takes the place of what is there, of exactly the version in `object.metadata` (else Conflict). What else
   * the object holds is not looked at. Of all ways to write a status it costs the API server the least (an apply a third more).
   */
  replaceStatus(resource: Resource, object: RawObject, options?: CallOptions): Promise<RawObject>
  /** Dependents are deleted in the background. */
  delete(resource: Resource, ref: ObjectRef, preconditions: Preconditions, options?: CallOptions): Promise<void>
  /**
   * Events from `resourceVersion` on, with bookmarks, until the server ends it (normal end) or it breaks (throws; see the predicates isGone,
   * isTooLargeResourceVersion, isUnreadable). Never retried here. From a version that the server has not reached (a restored etcd) it may as well say
   * nothing at all, not even a bookmark, and end normally.
   */
  watch(resource: Resource, options: WatchOptions): AsyncIterable<WatchEvent>
  /** Plurals served under a group and version, without subresources; empty when the version is not served. */
  discover(group: string, version: string, options?: CallOptions): Promise<readonly string[]>
  /** POST to a subresource (TokenRequest, eviction). Not repeated blindly. */
  createSubresource(
    resource: Resource,
    ref: ObjectRef,
    subresource: string,
    body: object,
    options?: CallOptions,
  ): Promise<Record<string, unknown>>
  /** POST of a question that changes nothing (SelfSubjectAccessReview, SelfSubjectReview); repeated like a read. */
  review(resource: Resource, body: object, options?: CallOptions): Promise<Record<string, unknown>>
}

export interface ClientOptions {
  readonly clock: Clock
  readonly random: Random
  /** The field manager of all writes. */
  readonly fieldManager: string
}

export function createClient(transport: Transport, { clock, random, fieldManager }: ClientOptions): Client {
  const perform = createPerform(transport, clock, random)
  return {
    ...createWrites(perform, fieldManager),
    get(resource, ref, options) {
      const path = resourcePath(resource, ref.namespace, ref.name)
      const call = { method: 'GET', verb: 'get', resource: resource.plural, path } as const
      return perform({ call, repeatable: true, decode: decodeObject }, options)
    },
    listPages: (resource, options = {}) => listPages(perform, resource, options),
    watch: (resource, options) => watch(transport, resource, options),
    discover: (group, version, options) => discover(perform, group, version, options),
    createSubresource(resource, ref, subresource, body, options) {
      const path = resourcePath(resource, ref.namespace, ref.name, subresource)
      const call = {
        method: 'POST',
        verb: 'create',
        resource: `${resource.plural}/${subresource}`,
        path,
        body: JSON.stringify(body),
      } as const
      return perform({ call, repeatable: false, decode: decodeJson }, options)
    },
    review(resource, body, options) {
      const text = JSON.stringify({ apiVersion: apiVersionOf(resource), kind: resource.kind, ...body })
      const call = { method: 'POST', verb: 'create', resource: resource.plural, path: resourcePath(resource), body: text } as const
      return perform({ call, repeatable: true, decode: decodeJson }, options)
    },
  }
}

async function discover(perform: Perform, group: string, version: string, options: CallOptions | undefined): Promise<readonly string[]> {
  try {
    const call = { method: 'GET', verb: 'get', resource: 'apigroups', path: groupPath(group, version) } as const
    const { resources } = await perform({ call, repeatable: true, decode: decodeJson }, options)
    const names = Array.isArray(resources) ? resources.map(({ name }) => String(name)) : []
    return names.filter((name) => !name.includes('/'))
  } catch (error) {
    if (isNotFound(error)) return []
    throw error
  }
}
