// Lists, page by page. Used by the client.

import type { Reply } from './call.ts'
import { type CallOptions, decodeObject, type Perform } from './perform.ts'
import { type RawObject, type Resource, resourcePath } from './resource.ts'

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

/** The API server itself gives a request 60 s (--request-timeout). */
const DEADLINE_MS = 60_000
const TRY_MS = 30_000
/** client-go's page: 500 Secrets are 2 to 3 MB of JSON, some 15 ms of parsing. */
const LIMIT = 500

export async function* listPages(perform: Perform, resource: Resource, options: ListOptions): AsyncGenerator<Page> {
  const path = resourcePath(resource, options.namespace)
  let next = ''
  do {
    const call = { method: 'GET', verb: 'list', resource: resource.plural, path, query: listQuery(options, next) } as const
    const page = await perform({ call, repeatable: true, decode: decodePage, tryMs: TRY_MS }, { deadlineMs: DEADLINE_MS, ...options })
    next = page.next
    yield { items: page.items, resourceVersion: page.resourceVersion }
  } while (next !== '')
}

function listQuery(options: ListOptions, next: string): Record<string, string> {
  const { limit = LIMIT, labelSelector, fieldSelector, resourceVersion } = options
  return {
    limit: String(limit),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    // A continue token carries the version itself; the server refuses both.
    ...(next !== '' ? { continue: next } : resourceVersion === undefined ? {} : { resourceVersion }),
  }
}

async function decodePage(reply: Reply): Promise<Page & { next: string }> {
  const list = await decodeObject(reply)
  const { resourceVersion = '', continue: next = '' } = list.metadata as { resourceVersion?: string; continue?: string }
  // A Go server writes null for a list that is empty.
  return { items: (list.items ?? []) as RawObject[], resourceVersion, next }
}
