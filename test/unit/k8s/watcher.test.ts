// The watcher, in virtual time and against lists and watches that fail in every way there is.

import { describe, expect, it } from '@jest/globals'
import type { Log, LogFields } from '../../../src/base/log.ts'
import { silentLog } from '../../../src/base/log.ts'
import type { Random } from '../../../src/base/random.ts'
import type { WatchEvent } from '../../../src/k8s/client.ts'
import { errorFromReply, errorFromStatus, localError } from '../../../src/k8s/errors.ts'
import { configMaps, type RawObject } from '../../../src/k8s/resource.ts'
import { Watcher } from '../../../src/k8s/watcher.ts'
import { bookmark, ScriptedApi } from '../../support/scripted-api.ts'
import { configMap, itemStore, items } from '../../support/store-objects.ts'
import { virtualClock } from '../../support/virtual-clock.ts'

const middle: Random = { uniform: () => 0.5, bytes: (count) => new Uint8Array(count) }
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const status = (code: number, reason: string, message = reason, more: object = {}) =>
  errorFromStatus({ kind: 'Status', code, reason, message, ...more }, code)
const gone = status(410, 'Expired', 'too old resource version: 10 (99)')
const tooLarge = status(504, 'Timeout', 'Too large resource version: 10, current: 5', {
  details: { causes: [{ reason: 'ResourceVersionTooLarge' }], retryAfterSeconds: 1 },
})
const forbidden = status(403, 'Forbidden', 'configmaps is forbidden')
const unreadable = localError('UnreadableReply', 'watch configmaps: a line of 12 characters that is no event')
const lost = localError('ConnectionLost', 'ECONNRESET')
const unreachable = localError('NotSent', 'ECONNREFUSED')

const web = configMap('shop/web', { version: '7' })
const api = configMap('shop/api', { version: '8' })
const page = (version: string, ...objects: RawObject[]) => ({ items: objects, resourceVersion: version })
const added = (object: RawObject): WatchEvent => ({ type: 'ADDED', object })

function setup(log: Log = silentLog, resource = configMaps) {
  const clock = virtualClock()
  const server = new ScriptedApi(clock)
  server.lists = [[page('10', web)]]
  const store = itemStore()
  const watcher = new Watcher({ client: server, store, resource, labelSelector: 'x=y', clock, random: middle, log })
  return { clock, server, store, watcher }
}

/** A watcher that has listed at version 10 and follows. */
async function following(log?: Log) {
  const all = setup(log)
  await all.watcher.start()
  await all.clock.advance(0)
  all.server.asked()
  return all
}

function listeningLog() {
  const lines: string[] = []
  const at = (level: string) => (message: string, fields?: LogFields) =>
    void lines.push(`${level}: ${message} ${fields?.reason ?? ''}`.trimEnd())
  const log: Log = { debug() {}, info: at('info'), warn: at('warn'), error: at('error'), child: () => log }
  return { log, lines }
}

describe('starting', () => {
  it('lists and then follows from the version of the list', async () => {
    const { clock, server, store, watcher } = setup()
    await watcher.start()
    expect(items(store)).toEqual(['shop/web 7'])
    await clock.advance(0)
    expect(server.asked()).toEqual(['list', 'watch 10'])
    expect(server.lastWatch.options).toMatchObject({ labelSelector: 'x=y', timeoutSeconds: 450, idleMs: 150_000 })
    await watcher.stop()
  })

  it('shows nothing before the last page is there', async () => {
    const { clock, server, store, watcher } = setup()
    server.lists = [{ pages: [page('10', web), page('10', api)], butThen: lost }, [page('10', web), page('10', api)]]
    void watcher.start()
    await clock.advance(0)
    expect([store.size, store.synced]).toEqual([0, false])
    await clock.advance(SECOND)
    expect(items(store)).toEqual(['shop/api 8', 'shop/web 7'])
    await watcher.stop()
  })

  it('keeps trying, later and later, while it cannot list, and resolves when it can', async () => {
    const { clock, server, watcher } = setup()
    server.lists = [...Array.from({ length: 8 }, () => ({ refuse: unreachable })), [page('10', web)]]
    let synced = false
    void watcher.start().then(() => (synced = true))
    await clock.advance(100 * SECOND)
    expect(synced).toBe(false)
    await clock.advance(20 * SECOND)
    expect(synced).toBe(true)
    const times = server.calls.map(({ at }) => at)
    expect(times.slice(0, 9).map((at, i) => Math.round((at - (times[i - 1] ?? 0)) * 10) / 10)).toEqual([
      0, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30,
    ])
    await watcher.stop()
  })

  it('is rejected when it is stopped first, and leaves nothing behind', async () => {
    const { clock, server, watcher } = setup()
    server.lists = [{ refuse: unreachable }]
    const starting = watcher.start()
    const rejected = expect(starting).rejects.toMatchObject({ reason: 'Stopped' })
    await clock.advance(SECOND)
    await watcher.stop()
    await rejected
    expect(clock.pending).toBe(0)
  })

  it.each([
    ['without a version', [page('', web)]],
    ['with an object without uid', [page('10', { metadata: { name: 'web', resourceVersion: '7' } })]],
    ['with something that is no object', [page('10', null as unknown as RawObject)]],
  ])('does not take a list %s', async (_, pages) => {
    const { clock, server, store, watcher } = setup()
    server.lists = [pages, [page('10', web)]]
    void watcher.start()
    await clock.advance(0)
    expect(store.synced).toBe(false)
    await clock.advance(SECOND)
    expect(store.synced).toBe(true)
    await watcher.stop()
  })
})

describe('following', () => {
  it('applies events and remembers how far it came, by bookmarks too', async () => {
    const { clock, server, store, watcher } = await following()
    server.lastWatch.push(added(configMap('shop/api', { version: '12' })), bookmark('20'))
    await clock.advance(40 * SECOND)
    expect(items(store)).toEqual(['shop/api 12', 'shop/web 7'])
    server.lastWatch.end()
    await clock.advance(0)
    expect(server.asked()).toEqual(['watch 20'])
    await watcher.stop()
  })

  it('tells the store of bookmarks, so that answers to writes from before them are old news', async () => {
    const { clock, server, store, watcher } = await following()
    server.lastWatch.push(bookmark('20'))
    await clock.advance(0)
    store.wrote(configMap('shop/api', { version: '15' }))
    expect(items(store)).toEqual(['shop/web 7'])
    await watcher.stop()
  })

  it('goes on at once after a watch that the server ended in good health', async () => {
    const { clock, server, watcher } = await following()
    server.lastWatch.push(bookmark('11'))
    await clock.advance(MINUTE)
    server.lastWatch.end()
    await clock.advance(0)
    expect(server.asked()).toEqual(['watch 11'])
    await watcher.stop()
  })

  it('resumes after a lost connection, without listing', async () => {
    const { clock, server, watcher } = await following()
    server.lastWatch.push(bookmark('11'))
    await clock.advance(MINUTE)
    server.lastWatch.fail(lost)
    await clock.advance(799)
    expect(server.asked()).toEqual([])
    await clock.advance(1)
    expect(server.asked()).toEqual(['watch 11'])
    await watcher.stop()
  })

  it('knows since when it has heard nothing', async () => {
    const { clock, server, watcher } = await following()
    const start = clock.now()
    expect([watcher.lastContactAt, watcher.silentMs]).toEqual([start, 0])
    await clock.advance(MINUTE)
    expect(watcher.silentMs).toBe(MINUTE)
    server.lastWatch.push(bookmark('11'))
    await clock.advance(0)
    expect([watcher.lastContactAt, watcher.silentMs]).toEqual([start + MINUTE, 0])
    await watcher.stop()
  })

  it('ends when it is stopped, the watch too, and leaves no timer', async () => {
    const { clock, server, watcher } = await following()
    const watch = server.lastWatch
    await watcher.stop()
    expect([watch.isOpen, clock.pending]).toEqual([false, 0])
    await clock.advance(HOUR)
    expect(server.asked()).toEqual([])
  })

  it('applies nothing after it was stopped', async () => {
    const { server, store, watcher } = await following()
    server.lastWatch.push(added(api))
    await watcher.stop()
    expect(items(store)).toEqual(['shop/web 7'])
  })
})

describe('a watch that breaks', () => {
  it.each<[string, unknown]>([
    ['the version is gone', gone],
    ['the version is from the future', tooLarge],
    ['a line cannot be read', unreadable],
    ['the collection is not served', status(404, 'NotFound')],
    ['our own code fails', new TypeError('x is undefined')],
  ])('because %s leads to a list', async (_, error) => {
    const { clock, server, store, watcher } = await following()
    server.lists = [[page('30', api)]]
    await clock.advance(MINUTE)
    server.lastWatch.fail(error)
    await clock.advance(0)
    expect(server.asked()).toEqual(['list', 'watch 30'])
    expect(items(store)).toEqual(['shop/api 8'])
    await watcher.stop()
  })

  it.each<[string, unknown]>([
    ['the connection is lost', lost],
    ['the server cannot be reached', unreachable],
    ['the server fails', status(500, 'InternalError')],
    ['the server is overloaded', status(429, 'TooManyRequests')],
    ['it is forbidden', forbidden],
    ['the credentials are refused', status(401, 'Unauthorized')],
  ])('because %s is resumed, and the store keeps what it has', async (_, error) => {
    const { clock, server, store, watcher } = await following()
    await clock.advance(MINUTE)
    server.lastWatch.fail(error)
    await clock.advance(SECOND)
    expect(server.asked()).toEqual(['watch 10'])
    expect(items(store)).toEqual(['shop/web 7'])
    await watcher.stop()
  })

  it.each<[string, WatchEvent]>([
    ['of another kind', added({ ...api, kind: 'Secret' })],
    ['without uid', added({ kind: 'ConfigMap', metadata: { name: 'x', resourceVersion: '11' } })],
    ['without version', added({ kind: 'ConfigMap', metadata: { name: 'x', uid: 'u' } })],
    ['that marks no version', bookmark('')],
  ])('with an event %s leads to a list, and the event is not applied', async (_, event) => {
    const { clock, server, store, watcher } = await following()
    server.lists = [[page('30', web)]]
    await clock.advance(MINUTE)
    server.lastWatch.push(event)
    await clock.advance(0)
    expect(server.asked()).toEqual(['list', 'watch 30'])
    expect(items(store)).toEqual(['shop/web 7'])
    await watcher.stop()
  })

  it('waits as long as the server asks', async () => {
    const { clock, server, watcher } = await following()
    await clock.advance(MINUTE)
    server.lastWatch.fail(status(429, 'TooManyRequests', 'slow down', { details: { retryAfterSeconds: 20 } }))
    await clock.advance(20 * SECOND)
    expect(server.asked()).toEqual([])
    await clock.advance(5 * SECOND)
    expect(server.asked()).toEqual(['watch 10'])
    await watcher.stop()
  })

  it('by silence is resumed, and one that never said a line leads to a list', async () => {
    const { clock, server, watcher } = await following()
    server.lastWatch.push(bookmark('11'))
    await clock.advance(0)
    await clock.advance(151 * SECOND)
    expect(server.asked()).toEqual(['watch 11'])
    server.lists = [[page('5', web)]]
    await clock.advance(151 * SECOND)
    expect(server.asked()).toEqual(['list', 'watch 5'])
    await watcher.stop()
  })
})

describe('a server that never lets a watch live', () => {
  it.each<[string, 'end' | { refuse: unknown }]>([
    ['ends each at once', 'end'],
    ['loses each at once', { refuse: lost }],
    ['knows no version', { refuse: gone }],
    ['sends what cannot be read', { refuse: unreadable }],
    ['has not come so far', { refuse: tooLarge }],
    ['breaks our code', { refuse: new TypeError('x is undefined') }],
  ])('because it %s is asked seldom', async (_, answer) => {
    const { clock, server, watcher } = await following()
    server.answers = Array.from({ length: 1000 }, () => answer)
    server.lastWatch.end()
    await clock.advance(10 * MINUTE)
    expect(server.calls.length).toBeLessThan(60)
    expect(server.calls.length).toBeGreaterThan(15)
    await watcher.stop()
  })

  it('is followed in full once it does, at the old pace', async () => {
    const { clock, server, store, watcher } = await following()
    server.answers = Array.from({ length: 10 }, () => ({ refuse: unreachable }))
    server.lastWatch.fail(lost)
    await clock.advance(10 * MINUTE)
    server.lastWatch.push(added(api))
    await clock.advance(MINUTE)
    expect(items(store)).toEqual(['shop/api 8', 'shop/web 7'])
    server.asked()
    server.lastWatch.fail(lost)
    await clock.advance(SECOND)
    expect(server.asked()).toEqual(['watch 10'])
    await watcher.stop()
  })
})

describe('listing again', () => {
  it('happens at the first end of a watch after an hour', async () => {
    const { clock, server, watcher } = await following()
    for (let i = 0; i < 61; i++) {
      server.lastWatch.push(bookmark(String(11 + i)))
      await clock.advance(MINUTE)
    }
    expect(server.asked()).toEqual([])
    server.lists = [[page('80', web)]]
    server.lastWatch.end()
    await clock.advance(0)
    expect(server.asked()).toEqual(['list', 'watch 80'])
    await watcher.stop()
  })

  it('can be asked for, also by a listener in the middle of an event', async () => {
    const { clock, server, store, watcher } = await following()
    watcher.relist()
    await clock.advance(0)
    expect(server.asked()).toEqual(['list', 'watch 10'])
    store.subscribe(() => watcher.relist())
    server.lastWatch.push(added(configMap('shop/api', { version: '12' })))
    server.lists = [[page('12', web, configMap('shop/api', { version: '12' }))]]
    await clock.advance(0)
    expect(server.asked()).toEqual(['list', 'watch 12'])
    expect(watcher.lists).toBe(3)
    await watcher.stop()
  })

  it('asked for while it waits does not wait', async () => {
    const { clock, server, watcher } = await following()
    server.answers = Array.from({ length: 10 }, () => ({ refuse: unreachable }))
    server.lastWatch.fail(lost)
    await clock.advance(MINUTE)
    server.asked()
    server.answers = []
    watcher.relist()
    await clock.advance(0)
    expect(server.asked()).toEqual(['list', 'watch 10'])
    await watcher.stop()
  })

  it('follows a server that was set back, and says so', async () => {
    const { log, lines } = listeningLog()
    const { clock, server, store, watcher } = await following(log)
    server.lists = [[page('4', configMap('shop/web', { version: '3' }))]]
    await clock.advance(MINUTE)
    server.lastWatch.fail(tooLarge)
    await clock.advance(0)
    server.lastWatch.push(added(configMap('shop/new', { version: '5' })))
    await clock.advance(0)
    expect(items(store)).toEqual(['shop/new 5', 'shop/web 3'])
    expect(lines).toContain('warn: the API server was set back to an older state')
    await watcher.stop()
  })
})

describe('the log', () => {
  it('warns of missing rights once, and says when it works again', async () => {
    const { log, lines } = listeningLog()
    const { clock, server, watcher } = setup(log)
    server.lists = [...Array.from({ length: 5 }, () => ({ refuse: forbidden })), [page('10', web)]]
    void watcher.start()
    await clock.advance(2 * MINUTE)
    expect(lines).toEqual(['warn: cannot follow, keeps trying Forbidden', 'info: listed'])
    server.lastWatch.push(bookmark('11'))
    await clock.advance(0)
    expect(lines.at(-1)).toBe('info: follows again')
    server.lastWatch.fail(forbidden)
    await clock.advance(SECOND)
    expect(lines.at(-1)).toBe('warn: cannot follow, keeps trying Forbidden')
    await watcher.stop()
  })

  it('names a kind that is not served and the remedy at once, and again each minute until it is', async () => {
    const errors: string[] = []
    const log: Log = { debug() {}, info() {}, warn: (_, fields) => void errors.push(`${fields?.error}`), error() {}, child: () => log }
    const widgets = { group: 'example.org', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true }
    const { clock, server, watcher } = setup(log, widgets)
    server.lists = [{ refuse: errorFromReply(404, '404 page not found', undefined) }]
    void watcher.start().catch(() => undefined)
    await clock.advance(0)
    const complaint =
      'the API server does not serve Widget (widgets, example.org/v1): is its CustomResourceDefinition installed (kubectl apply -f crds/)?'
    expect(errors).toEqual([complaint])
    await clock.advance(10 * MINUTE)
    expect(new Set(errors)).toEqual(new Set([complaint]))
    expect(errors.length).toBeGreaterThanOrEqual(9)
    expect(errors.length).toBeLessThanOrEqual(11)
    server.lists = [[page('10')]]
    await clock.advance(MINUTE)
    errors.splice(0)
    await clock.advance(10 * MINUTE)
    expect(errors).toEqual([])
    await watcher.stop()
  })

  it('does not mind a connection that is lost now and then, but three failures in a row', async () => {
    const { log, lines } = listeningLog()
    const { clock, server, watcher } = await following(log)
    await clock.advance(MINUTE)
    server.answers = [{ refuse: unreachable }]
    server.lastWatch.fail(lost)
    await clock.advance(MINUTE)
    expect(lines).toEqual(['info: listed'])
    server.answers = [{ refuse: unreachable }, { refuse: unreachable }, { refuse: unreachable }]
    server.lastWatch.fail(lost)
    await clock.advance(MINUTE)
    expect(lines).toEqual(['info: listed', 'warn: cannot follow, keeps trying NotSent'])
    await watcher.stop()
  })
})
