// What a case of the API server conformance suite is given, and the few ways of looking that cases share. Used by the files beside it.
// Nothing here knows which server it is.

import type { Call } from '../../../src/k8s/call.ts'
import type { Client, WatchEvent } from '../../../src/k8s/client.ts'
import { ApiError } from '../../../src/k8s/errors.ts'
import { namespaces, type RawMeta, type RawObject, type Resource } from '../../../src/k8s/resource.ts'
import type { Transport } from '../../../src/k8s/transport.ts'

/** An API server under test. */
export interface Subject {
  readonly client: Client
  /** Of another field manager, over the same transport. */
  readonly other: Client
  readonly transport: Transport
  /** Until `check` neither throws nor returns false; real time there, the virtual clock here. */
  eventually<T>(check: () => T | Promise<T>): Promise<T>
  /** Lets so much time pass. */
  wait(ms: number): Promise<void>
}

/** A subject with a namespace that no other case uses. */
export interface Place extends Subject {
  readonly namespace: string
  /** Names an object here. */
  ref(name: string): { readonly namespace: string; readonly name: string }
  /** An object here, for the body of a write. */
  object(name: string, content?: object, metadata?: Partial<RawMeta>): RawObject
}

let places = 0

/** Makes a namespace for one case. */
export async function enter(subject: Subject): Promise<Place> {
  const namespace = `case-${++places}`
  await subject.client.create(namespaces, { metadata: { name: namespace } })
  return {
    ...subject,
    namespace,
    ref: (name) => ({ namespace, name }),
    object: (name, content = {}, metadata = {}) => ({ metadata: { name, namespace, ...metadata }, ...content }),
  }
}

/** What a refused call says, as far as the cases compare it. */
export interface Refusal {
  readonly code: number
  readonly status: string
  readonly message: string
  readonly causes: readonly { readonly reason?: string; readonly field?: string }[]
}

/** The refusal of a call; throws if it succeeds. */
export async function refusal(call: Promise<unknown>): Promise<Refusal> {
  try {
    await call
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const { code, status, message } = error
    const causes = error.causes.map(({ reason = '', field = '' }) => ({ reason, field }))
    return { code, status, message, causes }
  }
  throw new Error('the call was not refused')
}

/** Reason and field of every cause of a 422, and nothing else of it. */
export async function invalidity(call: Promise<unknown>): Promise<readonly string[]> {
  const { code, status, causes, message } = await refusal(call)
  if (code !== 422 || status !== 'Invalid') throw new Error(`${code} ${status}: ${message}`)
  // Once: the real server repeats a cause for each CEL rule that fails too, and the one in memory knows none.
  return [...new Set(causes.map(({ reason, field }) => `${reason} ${field}`))].sort()
}

export const versionOf = ({ metadata }: RawObject): string => metadata.resourceVersion as string
export const uidOf = ({ metadata }: RawObject): string => metadata.uid as string

/** One HTTP request as it is. */
export async function send(
  { transport }: Subject,
  method: Call['method'],
  path: string,
  options: { readonly query?: Record<string, string>; readonly body?: object; readonly contentType?: string } = {},
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const { query, body, contentType } = options
  const reply = await transport.request({
    method,
    verb: method.toLowerCase(),
    resource: 'raw',
    path,
    deadlineMs: 20_000,
    ...(query === undefined ? {} : { query }),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(contentType === undefined ? {} : { contentType }),
  })
  const text = await reply.text()
  return { status: reply.status, body: text.startsWith('{') ? JSON.parse(text) : {} }
}

/** Names of everything that a list finds, in its order. */
export async function namesOf(
  { client }: Subject,
  resource: Resource,
  options: Parameters<Client['listPages']>[1],
): Promise<readonly string[]> {
  const names: string[] = []
  for await (const { items } of client.listPages(resource, options)) names.push(...items.map(({ metadata }) => metadata.name))
  return names
}

/** A watch that writes down what it hears. */
export interface Ear {
  /** `ADDED web`, without bookmarks. */
  readonly heard: readonly string[]
  /** All of it. */
  readonly events: readonly WatchEvent[]
  /** What it ended with; resolves with undefined at a normal end. */
  readonly end: Promise<unknown>
  stop(): Promise<void>
}

export function listen(
  { client }: Subject,
  resource: Resource,
  options: { namespace?: string; labelSelector?: string; fieldSelector?: string; resourceVersion: string; timeoutSeconds?: number },
): Ear {
  const aborter = new AbortController()
  const heard: string[] = []
  const events: WatchEvent[] = []
  const end = (async () => {
    try {
      const watch = { timeoutSeconds: 300, idleMs: 300_000, ...options, signal: aborter.signal }
      for await (const event of client.watch(resource, watch)) {
        events.push(event)
        if (event.type !== 'BOOKMARK') heard.push(`${event.type} ${event.object.metadata.name}`)
      }
      return undefined
    } catch (error) {
      return error
    }
  })()
  return {
    heard,
    events,
    end,
    async stop() {
      aborter.abort()
      await end
    },
  }
}

/** The version of a collection now. */
export async function nowOf({ client }: Subject, resource: Resource, namespace?: string): Promise<string> {
  for await (const page of client.listPages(resource, { limit: 1, ...(namespace === undefined ? {} : { namespace }) })) {
    return page.resourceVersion
  }
  throw new Error('a list without a page')
}
