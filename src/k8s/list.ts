// Lists, page by page. Used by the client.

import type { Reply } from './call.ts'
import { isAnswerTooLarge } from './errors.ts'
import { type CallOptions, decodeObject, type Perform } from './perform.ts'
import { type RawObject, type Resource, resourcePath } from './resource.ts'

export interface ListOptions extends CallOptions {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Objects a page (default 500); fewer where they are so large that the answer would be. */
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

/** How much smaller the page is that is asked for after one that was too large: 500, 62, 7, 0 -> 1. */
const SMALLER = 8

export async function* listPages(perform: Perform, resource: Resource, options: ListOptions): AsyncGenerator<Page> {
  const path = resourcePath(resource, options.namespace)
  let { limit = LIMIT } = options
  let next: string | undefined = ''
  while (next !== undefined) {
    const query: Record<string, string> = listQuery(options, limit, next)
    const call = { method: 'GET', verb: 'list', resource: resource.plural, path, query } as const
    try {
      const page = await perform({ call, repeatable: true, decode: decodePage, tryMs: TRY_MS }, { deadlineMs: DEADLINE_MS, ...options })
      next = page.next || undefined
      yield { items: page.items, resourceVersion: page.resourceVersion }
    } catch (error) {
      if (!isAnswerTooLarge(error) || limit === 1) throw error
      limit = Math.max(1, Math.floor(limit / SMALLER))
    }
  }
}

function listQuery(options: ListOptions, limit: number, next: string): Record<string, string> {
  const { labelSelector, fieldSelector, resourceVersion } = options
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
