// The verbs of the API on raw JSON objects, each with a deadline and with retries that fit it. Used by watcher, lease, events, issuers
// and controllers. Knows no kinds of ours; never reads, changes and replaces: writes are creates, patches and applies.

import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { errorFromReply, isNotFound, localError } from './errors.ts'
import { apiVersionOf, groupPath, type ObjectRef, type RawObject, type Resource, resourcePath } from './resource.ts'
import { withRetries } from './retry.ts'
import type { Call, Reply, Transport } from './transport.ts'
import { readWatchEvent, type WatchEvent } from './watch-event.ts'

export type { WatchEvent } from './watch-event.ts'

/** What every call may be given. */
export interface CallOptions {
  /** Ends the call and its waits with a `Cancelled`. */
  readonly signal?: AbortSignal
  /** Over all tries, milliseconds; default 30 s (60 s for a page of a list). */
  readonly deadlineMs?: number
}

export interface ListOptions extends CallOptions {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Objects a page (default 500). */
  readonly limit?: number
  /** '0' takes what the server has cached, of any age; without it the newest. */
  readonly resourceVersion?: string
}

export interface Page {
  readonly items: RawObject[]
  /** The version of the whole list: a watch goes on from here after the last page. */
  readonly resourceVersion: string
}

export interface WatchOptions {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly resourceVersion: string
  /** The server ends the watch after so many seconds. */
  readonly timeoutSeconds: number
  /** Silence that counts as a broken connection, milliseconds. */
  readonly idleMs: number
  readonly signal: AbortSignal
}

export interface PatchOptions extends CallOptions {
  readonly subresource?: 'status'
}

export interface Preconditions {
  readonly uid?: string
  readonly resourceVersion?: string
}

/**
 * All calls reject with an ApiError (or the OperatorError of the credentials). Retries: reads, patches, applies and deletes are repeated after network
 * errors, timeouts and 5xx; a POST only when it certainly was not carried out (never sent, or 429).
 *
 * After a lost reply (`ConnectionLost`, `TimedOut`) a caller sees:
 * - create: the error itself; the object may exist. A create of the same name then says AlreadyExists.
 * - mergePatch with metadata.resourceVersion: Conflict, if the first try was carried out; look again.
 * - mergePatch without, apply: the result of the repeat, which changes nothing.
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
  /** Server-side apply with force: everything our field manager once applied and does not name now goes away. */
  apply(resource: Resource, object: RawObject, options?: PatchOptions): Promise<RawObject>
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

const DEADLINE_MS = 30_000
const TRY_MS = 15_000
/** The API server itself gives a request 60 s (--request-timeout). */
const PAGE_DEADLINE_MS = 60_000
const PAGE_TRY_MS = 30_000
const WATCH_HEAD_MS = 15_000
const PAGE_LIMIT = 500

export function createClient(transport: Transport, { clock, random, fieldManager }: ClientOptions): Client {
  const writeQuery = { fieldManager, fieldValidation: 'Strict' }

  /** One call with its retries; `decode` runs within a try, so that an unreadable answer is repeated like a lost one. */
  const perform = <T>(
    call: Omit<Call, 'deadlineMs' | 'signal'>,
    repeatable: boolean,
    decode: (reply: Reply) => Promise<T>,
    options: CallOptions & { tryMs?: number } = {},
  ) =>
    withRetries(
      { clock, random, repeatable, deadlineMs: options.deadlineMs ?? DEADLINE_MS, tryMs: options.tryMs ?? TRY_MS, signal: options.signal },
      async (deadlineMs) => {
        const reply = await transport.request({ ...call, deadlineMs, ...(options.signal === undefined ? {} : { signal: options.signal }) })
        if (reply.status >= 300) throw errorFromReply(reply.status, await reply.text(), reply.retryAfterMs)
        return await decode(reply)
      },
    )

  const patch = (
    resource: Resource,
    ref: ObjectRef,
    body: object,
    contentType: string,
    query: Record<string, string>,
    options: PatchOptions = {},
  ) =>
    perform(
      {
        method: 'PATCH',
        verb: 'patch',
        resource: resource.plural,
        path: resourcePath(resource, ref.namespace, ref.name, options.subresource),
        query,
        body: JSON.stringify(body),
        contentType,
      },
      true,
      (reply) => decodeObject(resource, reply),
      options,
    )

  return {
    get: (resource, ref, options) =>
      perform(
        { method: 'GET', verb: 'get', resource: resource.plural, path: resourcePath(resource, ref.namespace, ref.name) },
        true,
        (reply) => decodeObject(resource, reply),
        options,
      ),

    async *listPages(resource, options = {}) {
      const path = resourcePath(resource, options.namespace)
      let next = ''
      do {
        const page = await perform(
          { method: 'GET', verb: 'list', resource: resource.plural, path, query: listQuery(options, next) },
          true,
          (reply) => decodePage(resource, reply),
          { deadlineMs: PAGE_DEADLINE_MS, tryMs: PAGE_TRY_MS, ...options },
        )
        next = page.next
        yield { items: page.items, resourceVersion: page.resourceVersion }
      } while (next !== '')
    },

    create: (resource, object, options) =>
      perform(
        {
          method: 'POST',
          verb: 'create',
          resource: resource.plural,
          path: resourcePath(resource, object.metadata.namespace),
          query: writeQuery,
          body: JSON.stringify(withType(resource, object)),
        },
        false,
        (reply) => decodeObject(resource, reply),
        options,
      ),

    mergePatch: (resource, ref, body, options) => patch(resource, ref, body, 'application/merge-patch+json', writeQuery, options),

    apply(resource, object, options) {
      const { namespace = '', name } = object.metadata
      return patch(
        resource,
        { namespace, name },
        withType(resource, object),
        'application/apply-patch+yaml',
        { ...writeQuery, force: 'true' },
        options,
      )
    },

    delete: (resource, ref, preconditions, options) =>
      perform(
        {
          method: 'DELETE',
          verb: 'delete',
          resource: resource.plural,
          path: resourcePath(resource, ref.namespace, ref.name),
          body: JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background', preconditions }),
        },
        true,
        async () => undefined,
        options,
      ),

    async *watch(resource, options) {
      const reply = await transport.request({
        method: 'GET',
        verb: 'watch',
        resource: resource.plural,
        path: resourcePath(resource, options.namespace),
        query: {
          watch: 'true',
          allowWatchBookmarks: 'true',
          resourceVersion: options.resourceVersion,
          timeoutSeconds: String(Math.ceil(options.timeoutSeconds)),
          ...selectors(options),
        },
        deadlineMs: WATCH_HEAD_MS,
        idleMs: options.idleMs,
        signal: options.signal,
      })
      if (reply.status >= 300) throw errorFromReply(reply.status, await reply.text(), reply.retryAfterMs)
      for await (const line of reply.lines()) yield readWatchEvent(line, resource.plural)
    },

    async discover(group, version, options) {
      try {
        const call = { method: 'GET', verb: 'get', resource: 'apigroups', path: groupPath(group, version) } as const
        const list = await perform(call, true, (reply) => decodeJson('apigroups', reply), options)
        const resources = Array.isArray(list.resources) ? list.resources : []
        return resources.map((entry) => String(entry.name)).filter((name) => !name.includes('/'))
      } catch (error) {
        if (isNotFound(error)) return []
        throw error
      }
    },

    createSubresource: (resource, ref, subresource, body, options) =>
      perform(
        {
          method: 'POST',
          verb: 'create',
          resource: `${resource.plural}/${subresource}`,
          path: resourcePath(resource, ref.namespace, ref.name, subresource),
          body: JSON.stringify(body),
        },
        false,
        (reply) => decodeJson(resource.plural, reply),
        options,
      ),

    review: (resource, body, options) =>
      perform(
        {
          method: 'POST',
          verb: 'create',
          resource: resource.plural,
          path: resourcePath(resource),
          body: JSON.stringify({ apiVersion: apiVersionOf(resource), kind: resource.kind, ...body }),
        },
        true,
        (reply) => decodeJson(resource.plural, reply),
        options,
      ),
  }
}

const withType = (resource: Resource, object: RawObject): RawObject => ({
  apiVersion: apiVersionOf(resource),
  kind: resource.kind,
  ...object,
})

function selectors(options: { labelSelector?: string; fieldSelector?: string }): Record<string, string> {
  return {
    ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
  }
}

function listQuery(options: ListOptions, next: string): Record<string, string> {
  return {
    limit: String(options.limit ?? PAGE_LIMIT),
    ...selectors(options),
    // A continue token carries the version itself; the server refuses both.
    ...(next !== '' ? { continue: next } : options.resourceVersion === undefined ? {} : { resourceVersion: options.resourceVersion }),
  }
}

async function decodeJson(plural: string, reply: Reply): Promise<Record<string, unknown>> {
  const text = await reply.text()
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // JSON.parse quotes what it could not read, so its message must not go on.
  }
  throw localError('UnreadableReply', `${plural}: the API server answered ${reply.status} with something that is not a JSON object`)
}

async function decodeObject(resource: Resource, reply: Reply): Promise<RawObject> {
  const value = await decodeJson(resource.plural, reply)
  if (typeof value.metadata !== 'object' || value.metadata === null) {
    throw localError('UnreadableReply', `${resource.plural}: the API server answered with an object without metadata`)
  }
  return value as RawObject
}

async function decodePage(resource: Resource, reply: Reply): Promise<Page & { next: string }> {
  const list = await decodeObject(resource, reply)
  const { resourceVersion = '', continue: next = '' } = list.metadata as { resourceVersion?: string; continue?: string }
  // A Go server writes null for a list that is empty.
  return { items: (list.items ?? []) as RawObject[], resourceVersion, next }
}
