import { describe, expect, it } from '@jest/globals'
import { systemRandom } from '../../../src/base/random.ts'
import { type Client, createClient, type WatchEvent } from '../../../src/k8s/client.ts'
import { isGone, isTooLargeResourceVersion, isUnreadable } from '../../../src/k8s/errors.ts'
import { namespaces, type RawObject, secrets } from '../../../src/k8s/resource.ts'
import { createTransport } from '../../../src/k8s/transport.ts'
import { type Answer, failure, hang, json, type LoopbackApi, loopbackApi, reset } from '../../support/loopback-api.ts'
import { type VirtualClock, virtualClock } from '../../support/virtual-clock.ts'

const ref = { namespace: 'shop', name: 'web' }
const object = (name = 'web'): RawObject => ({ metadata: { name, namespace: 'shop', resourceVersion: '1' } })
const good = json(200, object())

async function collect<T>(all: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const one of all) list.push(one)
  return list
}

interface Settled<T> {
  readonly value: T | undefined
  readonly error: unknown
  readonly ms: number
}

interface Scene {
  readonly client: Client
  readonly api: LoopbackApi
  readonly clock: VirtualClock
  /** Lets time pass until the promise has settled; milliseconds that passed, in steps of 10 unless told otherwise. */
  settle<T>(promise: Promise<T>, stepMs?: number): Promise<Settled<T>>
}

async function withClient(answers: readonly Answer[], run: (scene: Scene) => Promise<void>): Promise<void> {
  await using api = await loopbackApi(...answers)
  const clock = virtualClock()
  const transport = createTransport(api.access, { clock })
  const client = createClient(transport, { clock, random: { ...systemRandom, uniform: () => 0.5 }, fieldManager: 'tests' })
  const settle = async <T>(promise: Promise<T>, stepMs = 10): Promise<Settled<T>> => {
    const from = clock.monotonic()
    let result: Settled<T> | undefined
    promise.then(
      (value) => {
        result = { value, error: undefined, ms: clock.monotonic() - from }
      },
      (error: unknown) => {
        result = { value: undefined, error, ms: clock.monotonic() - from }
      },
    )
    while (result === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      await clock.advance(stepMs)
    }
    return result
  }
  try {
    await run({ client, api, clock, settle })
  } finally {
    await transport.close()
  }
}

describe('a read', () => {
  it.each([
    ['500', failure(500, 'InternalError')],
    ['503', failure(503, 'ServiceUnavailable')],
    ['a broken connection', reset],
    ['an answer that is no JSON', ((response) => void response.end('<html>')) satisfies Answer],
    ['an answer without metadata', json(200, { kind: 'Secret' })],
    ['429', failure(429, 'TooManyRequests')],
  ])('is repeated after %s', async (_, answer) => {
    await withClient([answer, answer, good], async ({ client, api, settle }) => {
      expect((await settle(client.get(secrets, ref))).value).toMatchObject({ metadata: { name: 'web' } })
      expect(api.seen).toHaveLength(3)
    })
  })

  it.each([
    ['400', failure(400, 'BadRequest')],
    ['403', failure(403, 'Forbidden')],
    ['404', failure(404, 'NotFound')],
    ['422', failure(422, 'Invalid')],
  ])('is not repeated after %s', async (_, answer) => {
    await withClient([answer], async ({ client, api, settle }) => {
      expect((await settle(client.get(secrets, ref))).error).toMatchObject({ code: Number(_) })
      expect(api.seen).toHaveLength(1)
    })
  })

  it('is given up after five tries with the last error', async () => {
    await withClient([failure(503, 'ServiceUnavailable', { message: 'not yet' })], async ({ client, api, settle }) => {
      expect((await settle(client.get(secrets, ref))).error).toMatchObject({ code: 503, message: 'not yet', consequence: 'retry' })
      expect(api.seen).toHaveLength(5)
    })
  })

  it('whose connection hangs is tried again on another one, and all tries end at the deadline', async () => {
    await withClient([hang, good], async ({ client, settle }) => {
      const { value, ms } = await settle(client.get(secrets, ref), 250)
      expect(value).toBeDefined()
      expect(ms).toBeGreaterThanOrEqual(15_000)
    })
    await withClient([hang], async ({ client, api, settle }) => {
      const { error, ms } = await settle(client.get(secrets, ref, { deadlineMs: 20_000 }), 250)
      expect(error).toMatchObject({ reason: 'TimedOut' })
      expect(api.seen).toHaveLength(2)
      expect(ms).toBeLessThanOrEqual(20_250)
    })
  })

  it('waits as long as Retry-After says, and somewhat longer', async () => {
    await withClient([failure(429, 'TooManyRequests', {}, { 'retry-after': '4' }), good], async ({ client, settle }) => {
      const { ms } = await settle(client.get(secrets, ref))
      expect(ms).toBeGreaterThanOrEqual(4_000)
      expect(ms).toBeLessThanOrEqual(5_100)
    })
  })

  it('does not wait for a Retry-After beyond its deadline, but says it', async () => {
    await withClient([failure(429, 'TooManyRequests', {}, { 'retry-after': '60' })], async ({ client, settle }) => {
      const { error, ms } = await settle(client.get(secrets, ref))
      expect(error).toMatchObject({ reason: 'Throttled', after: 60_000 })
      expect(ms).toBeLessThan(1_000)
    })
  })

  it('stops waiting when its signal aborts', async () => {
    await withClient([failure(429, 'TooManyRequests', {}, { 'retry-after': '20' })], async ({ client, api, settle }) => {
      const aborter = new AbortController()
      const reading = settle(client.get(secrets, ref, { signal: aborter.signal }))
      while (api.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      await new Promise((resolve) => setTimeout(resolve, 20))
      aborter.abort()
      const { error, ms } = await reading
      expect(error).toMatchObject({ reason: 'Cancelled' })
      expect(ms).toBeLessThan(5_000)
    })
  })

  it('puts nothing of a body into the message of its error', async () => {
    await withClient([(response) => void response.end('{"data": secret-thing')], async ({ client, settle }) => {
      const { error } = await settle(client.get(secrets, ref))
      expect(isUnreadable(error)).toBe(true)
      expect(String((error as Error).message) + String((error as Error).cause)).not.toContain('secret-thing')
    })
  })
})

describe('a create', () => {
  it('names type, field manager and strict validation', async () => {
    await withClient([good], async ({ client, api, settle }) => {
      await settle(client.create(secrets, object()))
      expect(api.seen[0]).toMatchObject({
        method: 'POST',
        url: '/api/v1/namespaces/shop/secrets?fieldManager=tests&fieldValidation=Strict',
      })
      expect(JSON.parse(api.seen[0]?.body ?? '')).toMatchObject({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'web' } })
    })
  })

  it.each([
    ['a broken connection', reset, 'ConnectionLost'],
    ['500', failure(500, 'InternalError'), 'ServerError'],
    ['an answer that cannot be read', ((response) => void response.end('')) satisfies Answer, 'UnreadableReply'],
  ])('is not repeated after %s: it may have been carried out', async (_, answer, reason) => {
    await withClient([answer], async ({ client, api, settle }) => {
      expect((await settle(client.create(secrets, object()))).error).toMatchObject({ reason })
      expect(api.seen).toHaveLength(1)
    })
  })

  it('is repeated after 429', async () => {
    await withClient([failure(429, 'TooManyRequests', {}, { 'retry-after': '1' }), good], async ({ client, api, settle }) => {
      expect((await settle(client.create(secrets, object()))).ms).toBeGreaterThanOrEqual(1_000)
      expect(api.seen).toHaveLength(2)
    })
  })

  it('is repeated while nobody listens, and says at the end that it was not sent', async () => {
    await withClient([good], async ({ client, api, settle }) => {
      await api[Symbol.asyncDispose]()
      const { error, ms } = await settle(client.create(secrets, object()))
      expect(error).toMatchObject({ reason: 'NotSent' })
      expect(ms).toBeGreaterThanOrEqual(1_000)
    })
  })
})

describe('patches and deletes', () => {
  it('are repeated after a lost answer, so that a patch with a version ends in a conflict', async () => {
    await withClient([reset, failure(409, 'Conflict')], async ({ client, api, settle }) => {
      const { error } = await settle(client.mergePatch(secrets, ref, { metadata: { resourceVersion: '7' }, data: null }))
      expect(error).toMatchObject({ reason: 'Conflict', consequence: 'retry' })
      expect(api.seen).toHaveLength(2)
      expect(api.seen[1]).toMatchObject({
        method: 'PATCH',
        url: '/api/v1/namespaces/shop/secrets/web?fieldManager=tests&fieldValidation=Strict',
        body: '{"metadata":{"resourceVersion":"7"},"data":null}',
        headers: { 'content-type': 'application/merge-patch+json' },
      })
    })
  })

  it('merge patches that are lenient are not looked through for unknown fields', async () => {
    await withClient([good], async ({ client, api, settle }) => {
      await settle(client.mergePatch(secrets, ref, { data: null }, { lenient: true }))
      expect(api.seen[0]?.url).toBe('/api/v1/namespaces/shop/secrets/web?fieldManager=tests&fieldValidation=Ignore')
    })
  })

  it('replace a status', async () => {
    await withClient([good], async ({ client, api, settle }) => {
      await settle(client.replaceStatus(namespaces, { metadata: { name: 'shop', resourceVersion: '7' }, status: {} }))
      expect(api.seen[0]).toMatchObject({
        method: 'PUT',
        url: '/api/v1/namespaces/shop/status?fieldManager=tests&fieldValidation=Strict',
        body: '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop","resourceVersion":"7"},"status":{}}',
        headers: { 'content-type': 'application/json' },
      })
    })
  })

  it('delete with preconditions', async () => {
    await withClient([json(200, {})], async ({ client, api, settle }) => {
      expect(await settle(client.delete(secrets, ref, { uid: 'u', resourceVersion: '7' }))).toMatchObject({
        value: undefined,
        error: undefined,
      })
      expect(JSON.parse(api.seen[0]?.body ?? '')).toMatchObject({
        kind: 'DeleteOptions',
        preconditions: { uid: 'u', resourceVersion: '7' },
      })
    })
  })
})

describe('listing', () => {
  const page = (names: string[], next?: string) =>
    json(200, { metadata: { resourceVersion: '9', continue: next }, items: names.map((name) => object(name)) })

  it('follows the pages, each with its own retries', async () => {
    await withClient([page(['a', 'b'], 'n+1'), failure(503, 'X'), page(['c'])], async ({ client, api, settle }) => {
      const pages: string[][] = []
      const reading = (async () => {
        for await (const { items, resourceVersion } of client.listPages(secrets, { labelSelector: 'a=b', resourceVersion: '5' })) {
          pages.push([resourceVersion, ...items.map(({ metadata }) => metadata.name)])
        }
      })()
      await settle(reading)
      expect(pages).toEqual([
        ['9', 'a', 'b'],
        ['9', 'c'],
      ])
      expect(api.seen.map(({ url }) => url)).toEqual([
        '/api/v1/secrets?limit=500&labelSelector=a%3Db&resourceVersion=5',
        '/api/v1/secrets?limit=500&labelSelector=a%3Db&continue=n%2B1',
        '/api/v1/secrets?limit=500&labelSelector=a%3Db&continue=n%2B1',
      ])
    })
  })

  it('that the server forgot in the middle is gone', async () => {
    await withClient([page(['a'], 'n'), failure(410, 'Expired')], async ({ client, settle }) => {
      const { error } = await settle(collect(client.listPages(secrets)))
      expect(isGone(error)).toBe(true)
    })
  })

  it('asks for smaller pages where one is larger than is taken in at once, and goes on with them', async () => {
    const huge: Answer = (response) => void response.end(Buffer.alloc(33 * 1024 * 1024, ' '))
    await withClient([page(['a'], 'n'), huge, huge, page(['b'], 'm'), page(['c'])], async ({ client, api, settle }) => {
      const { value } = await settle(collect(client.listPages(secrets)))
      expect(value?.flatMap(({ items }) => items.map(({ metadata }) => metadata.name))).toEqual(['a', 'b', 'c'])
      expect(api.seen.map(({ url }) => url.replace('/api/v1/secrets?', ''))).toEqual([
        'limit=500',
        'limit=500&continue=n',
        'limit=62&continue=n',
        'limit=7&continue=n',
        'limit=7&continue=m',
      ])
    })
  })

  it('takes a list without items for an empty one', async () => {
    await withClient([json(200, { metadata: { resourceVersion: '9' }, items: null })], async ({ client, settle }) => {
      expect((await settle(collect(client.listPages(secrets)))).value).toEqual([{ items: [], resourceVersion: '9' }])
    })
  })
})

describe('watching', () => {
  const options = { resourceVersion: '5', timeoutSeconds: 300.2, idleMs: 60_000, signal: new AbortController().signal }
  const lines =
    (...all: unknown[]): Answer =>
    (response) =>
      void response.end(all.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''))

  const watched = async (client: Client): Promise<{ events: WatchEvent[]; error: unknown }> => {
    const events: WatchEvent[] = []
    try {
      for await (const event of client.watch(secrets, { ...options, namespace: 'shop' })) events.push(event)
      return { events, error: undefined }
    } catch (error) {
      return { events, error }
    }
  }

  it('gives events and bookmarks until the server ends it', async () => {
    const events = [
      { type: 'ADDED', object: object() },
      { type: 'BOOKMARK', object: { metadata: { resourceVersion: '8' } } },
    ]
    await withClient([lines(...events)], async ({ client, api }) => {
      expect(await watched(client)).toEqual({ events, error: undefined })
      expect(api.seen[0]?.url).toBe(
        '/api/v1/namespaces/shop/secrets?watch=true&allowWatchBookmarks=true&resourceVersion=5&timeoutSeconds=301',
      )
    })
  })

  it('throws what an ERROR event says', async () => {
    const expired = { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 5 (9)' } }
    await withClient([lines({ type: 'ADDED', object: object() }, expired)], async ({ client }) => {
      const { events, error } = await watched(client)
      expect([events.length, isGone(error)]).toEqual([1, true])
    })
    const ahead = {
      type: 'ERROR',
      object: { kind: 'Status', code: 504, reason: 'Timeout', message: 'Too large resource version: 5, current: 3' },
    }
    await withClient([lines(ahead)], async ({ client }) => {
      expect(isTooLargeResourceVersion((await watched(client)).error)).toBe(true)
    })
  })

  it.each([
    '{"type":"ADDED","object":{"data":"secret-thing"',
    '{"type":"OTHER","object":{"metadata":{}}}',
    '{"type":"ADDED","object":{}}',
    'null',
    '3',
  ])('throws at a line that is no event, without quoting it: %s', async (line) => {
    await withClient([lines(line)], async ({ client }) => {
      const { error } = await watched(client)
      expect(isUnreadable(error)).toBe(true)
      expect((error as Error).message).not.toContain('secret-thing')
    })
  })

  it('is not repeated', async () => {
    await withClient([failure(503, 'X')], async ({ client, api }) => {
      expect((await watched(client)).error).toMatchObject({ code: 503 })
      expect(api.seen).toHaveLength(1)
    })
  })
})

describe('discovery', () => {
  it('names what is served, without subresources, and nothing of a version that is not', async () => {
    const resources = [{ name: 'podcertificaterequests' }, { name: 'podcertificaterequests/status' }]
    await withClient([json(200, { resources }), failure(404, 'NotFound')], async ({ client, settle }) => {
      expect((await settle(client.discover('certificates.k8s.io', 'v1'))).value).toEqual(['podcertificaterequests'])
      expect((await settle(client.discover('certificates.k8s.io', 'v9'))).value).toEqual([])
    })
  })
})

describe('other posts', () => {
  it('to a subresource are not repeated, questions are', async () => {
    const reviews = {
      group: 'authorization.k8s.io',
      version: 'v1',
      plural: 'selfsubjectaccessreviews',
      kind: 'SelfSubjectAccessReview',
      namespaced: false,
    }
    await withClient([reset, reset, json(201, { status: { allowed: true } })], async ({ client, api, settle }) => {
      expect((await settle(client.createSubresource(secrets, ref, 'x', {}))).error).toMatchObject({ reason: 'ConnectionLost' })
      expect((await settle(client.review(reviews, { spec: {} }))).value).toEqual({ status: { allowed: true } })
      expect(api.seen.map(({ url }) => url).slice(1)).toEqual(Array(2).fill('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'))
    })
  })
})
