import { describe, expect, it } from '@jest/globals'
import { systemClock } from '../../../src/base/clock.ts'
import type { ClusterAccess } from '../../../src/k8s/access.ts'
import type { Call } from '../../../src/k8s/call.ts'
import { createTransport, type RequestSample, type Transport, type TransportOptions } from '../../../src/k8s/transport.ts'
import { type Answer, failure, hang, json, type LoopbackApi, loopbackApi, reset } from '../../support/loopback-api.ts'
import { settled, type VirtualClock, virtualClock } from '../../support/virtual-clock.ts'

const call: Call = { method: 'GET', verb: 'get', resource: 'secrets', path: '/api/v1/x', deadlineMs: 5_000 }
const stream: Call = { ...call, verb: 'watch', idleMs: 60_000 }

async function withApi(
  answers: readonly Answer[],
  run: (transport: Transport, api: LoopbackApi) => Promise<void>,
  options: Partial<TransportOptions> = {},
) {
  await using api = await loopbackApi(...answers)
  const transport = createTransport(api.access, { clock: systemClock, ...options })
  try {
    await run(transport, api)
  } finally {
    await transport.close()
  }
}

/** Lets the clock pass in steps until the promise has settled: the network is real, the time is not. */
async function passTime<T>(clock: VirtualClock, stepMs: number, promise: Promise<T>): Promise<T> {
  let over = false
  const done = promise.finally(() => {
    over = true
  })
  done.catch(() => {})
  while (!over) {
    await new Promise((resolve) => setTimeout(resolve, 2))
    await clock.advance(stepMs)
  }
  return await done
}

async function take(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = []
  for await (const line of lines) all.push(line)
  return all
}

describe('an ordinary request', () => {
  it('sends method, path, query, body and credentials, and asks for no compression', async () => {
    await withApi([json(201, { ok: true })], async (transport, api) => {
      const reply = await transport.request({
        ...call,
        method: 'POST',
        query: { a: 'b c&d', e: '1' },
        body: '{"x":"ü"}',
        contentType: 'application/x',
      })
      expect([reply.status, await reply.text()]).toEqual([201, '{"ok":true}'])
      expect(api.seen[0]).toMatchObject({ method: 'POST', url: '/api/v1/x?a=b%20c%26d&e=1', body: '{"x":"ü"}' })
      expect(api.seen[0]?.headers).toMatchObject({
        authorization: 'Bearer token-0',
        'content-type': 'application/x',
        accept: 'application/json',
      })
      expect(api.seen[0]?.headers['accept-encoding']).toBeUndefined()
    })
  })

  it('keeps the path of the server URL', async () => {
    await using api = await loopbackApi(json(200, {}))
    const access: ClusterAccess = { ...api.access, server: `${api.access.server}/k8s/clusters/c1/` }
    const transport = createTransport(access, { clock: systemClock })
    await transport.request(call)
    await transport.close()
    expect(api.seen[0]?.url).toBe('/k8s/clusters/c1/api/v1/x')
  })

  it('keeps its connections: requests one after another need two at most', async () => {
    await withApi([json(200, {})], async (transport, api) => {
      for (let i = 0; i < 10; i++) await transport.request(call)
      expect(api.seen).toHaveLength(10)
      expect(api.connections).toBeLessThanOrEqual(2)
    })
  })

  it('opens no more connections than allowed, and streams take none of them', async () => {
    const open: Answer = (response, { url }) => {
      if (url === '/stream') return void response.write('{}\n')
      setTimeout(() => response.end('{}'), 20)
    }
    await withApi(
      [open],
      async (transport, api) => {
        const streams = await Promise.all([1, 2, 3].map(() => transport.request({ ...stream, path: '/stream' })))
        expect(streams.map(({ status }) => status)).toEqual([200, 200, 200])
        await Promise.all(Array.from({ length: 8 }, () => transport.request(call)))
        expect(api.connections).toBe(3 + 2)
      },
      { connections: 2 },
    )
  })

  it('decodes a body whose characters were cut by the network', async () => {
    const cut: Answer = (response) => {
      const bytes = Buffer.from('{"a":"ü€😀"}')
      response.writeHead(200)
      response.write(bytes.subarray(0, 7))
      setTimeout(() => response.end(bytes.subarray(7)), 10)
    }
    await withApi([cut], async (transport) => {
      expect(await (await transport.request(call)).text()).toBe('{"a":"ü€😀"}')
    })
  })

  it.each([
    ['hangs', hang],
    ['hangs after its head', ((response) => void response.writeHead(200).write('{"a":')) satisfies Answer],
  ])('that %s past its deadline has timed out', async (_, answer) => {
    const clock = virtualClock()
    await withApi(
      [answer],
      async (transport) => {
        const reply = passTime(clock, 100, transport.request(call))
        await expect(reply).rejects.toMatchObject({
          code: 0,
          reason: 'TimedOut',
          consequence: 'retry',
          message: 'get secrets: no answer in time',
        })
        expect(clock.monotonic()).toBeGreaterThanOrEqual(5_000)
        expect(clock.pending).toBe(0)
      },
      { clock },
    )
  })

  it('that found no free connection in time was not sent', async () => {
    const clock = virtualClock()
    await withApi(
      [hang],
      async (transport, api) => {
        const first = transport.request({ ...call, deadlineMs: 60_000 })
        first.catch(() => {})
        while (api.seen.length === 0) await settled()
        await expect(passTime(clock, 100, transport.request(call))).rejects.toMatchObject({ reason: 'NotSent' })
        expect(api.seen).toHaveLength(1)
      },
      { clock, connections: 1 },
    )
  })

  it('is not sent when its signal is aborted at the moment at which a connection is free for it', async () => {
    const answer = Promise.withResolvers<void>()
    const late: Answer = (response, seen) => void answer.promise.then(() => json(200, {})(response, seen))
    await withApi(
      [late],
      async (transport, api) => {
        const aborter = new AbortController()
        const first = transport.request(call)
        while (api.seen.length === 0) await settled()
        const second = transport.request({ ...call, signal: aborter.signal, beforeSending: () => aborter.abort() })
        await settled()
        expect(aborter.signal.aborted).toBe(false)
        answer.resolve()
        await expect(second).rejects.toMatchObject({ reason: 'Cancelled' })
        expect([(await first).status, (await transport.request(call)).status]).toEqual([200, 200])
        expect(api.seen).toHaveLength(2)
      },
      { connections: 1 },
    )
  })

  it('was not sent when nobody listens', async () => {
    await using api = await loopbackApi(json(200, {}))
    await api[Symbol.asyncDispose]()
    const transport = createTransport(api.access, { clock: systemClock })
    await expect(transport.request(call)).rejects.toMatchObject({
      code: 0,
      reason: 'NotSent',
      message: expect.stringContaining('ECONNREFUSED'),
    })
    await transport.close()
  })

  it.each([
    ['reset without an answer', reset],
    [
      'reset in the middle of the body',
      ((response) => {
        response.writeHead(200, { 'content-length': '100' }).write('{"a":')
        setTimeout(() => response.socket?.resetAndDestroy(), 10)
      }) satisfies Answer,
    ],
    [
      'closed before the body was whole',
      ((response) => {
        response.writeHead(200, { 'content-length': '100' }).write('{"a":')
        setTimeout(() => response.socket?.end(), 10)
      }) satisfies Answer,
    ],
    [
      'closed within a chunked body',
      ((response) => {
        response.writeHead(200).write('{"a":')
        setTimeout(() => response.socket?.end(), 10)
      }) satisfies Answer,
    ],
  ])('whose connection was %s may have been carried out', async (_, answer) => {
    await withApi([answer], async (transport) => {
      await expect(transport.request(call)).rejects.toMatchObject({ code: 0, reason: 'ConnectionLost', consequence: 'retry' })
    })
  })

  it('ends at once when its signal aborts, before and while it runs', async () => {
    await withApi([hang], async (transport, api) => {
      const aborter = new AbortController()
      const reply = transport.request({ ...call, signal: aborter.signal })
      while (api.seen.length === 0) await settled()
      aborter.abort()
      await expect(reply).rejects.toMatchObject({ reason: 'Cancelled' })
      await expect(transport.request({ ...call, signal: aborter.signal })).rejects.toMatchObject({ reason: 'Cancelled' })
      expect(api.seen).toHaveLength(1)
    })
  })

  it('reads Retry-After as seconds and as a date', async () => {
    const clock = virtualClock(Date.UTC(2026, 0, 1))
    const answers = [
      failure(429, 'TooManyRequests', {}, { 'retry-after': '3' }),
      failure(503, 'X', {}, { 'retry-after': 'Thu, 01 Jan 2026 00:00:07 GMT' }),
      failure(503, 'X', {}, { 'retry-after': 'soon' }),
    ]
    await withApi(
      answers,
      async (transport) => {
        const replies = [await transport.request(call), await transport.request(call), await transport.request(call)]
        expect(replies.map(({ retryAfterMs }) => retryAfterMs)).toEqual([3_000, 7_000, undefined])
      },
      { clock },
    )
  })
})

describe('refused credentials', () => {
  it('are looked at anew once and the request is repeated once', async () => {
    await withApi([failure(401, 'Unauthorized'), json(200, {})], async (transport, api) => {
      expect((await transport.request(call)).status).toBe(200)
      expect(api.seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-0', 'Bearer token-1'])
    })
  })

  it('that stay refused are an answer of 401', async () => {
    await withApi([failure(401, 'Unauthorized')], async (transport, api) => {
      expect((await transport.request(call)).status).toBe(401)
      expect((await transport.request(stream)).status).toBe(401)
      expect(api.seen).toHaveLength(4)
    })
  })
})

describe('a change of the TLS material', () => {
  it('moves new requests to new connections and lets those under way end', async () => {
    const slow: Answer = (response) => void setTimeout(() => response.end('{}'), 50)
    await using api = await loopbackApi(slow)
    let tls = {}
    const transport = createTransport({ ...api.access, credentials: async () => ({ tls, headers: {} }) }, { clock: systemClock })
    const first = transport.request(call)
    while (api.seen.length === 0) await settled()
    tls = {}
    expect((await transport.request(call)).status).toBe(200)
    expect((await first).status).toBe(200)
    expect(api.connections).toBe(2)
    await transport.close()
  })
})

describe('a stream', () => {
  const lines =
    (...parts: string[]): Answer =>
    (response) => {
      response.writeHead(200)
      for (const part of parts) response.write(part)
      response.end()
    }

  it('gives its lines and ends where the server ends it', async () => {
    await withApi([lines('{"a":1}\n{"b"', ':2}\n')], async (transport) => {
      expect(await take((await transport.request(stream)).lines())).toEqual(['{"a":1}', '{"b":2}'])
    })
  })

  it('that ends within a line is broken, after the whole lines were given', async () => {
    await withApi([lines('{"a":1}\n{"b"')], async (transport) => {
      const got: string[] = []
      const reading = (async () => {
        for await (const line of (await transport.request(stream)).lines()) got.push(line)
      })()
      await expect(reading).rejects.toMatchObject({ reason: 'ConnectionLost' })
      expect(got).toEqual(['{"a":1}'])
    })
  })

  it('that falls silent has timed out, however long it ran before', async () => {
    const clock = virtualClock()
    let write: (text: string) => void = () => {}
    const answer: Answer = (response) => {
      response.writeHead(200).write('{"n":0}\n')
      write = (text) => response.write(text)
    }
    await withApi(
      [answer],
      async (transport) => {
        const iterator = (await transport.request(stream)).lines()[Symbol.asyncIterator]()
        expect((await iterator.next()).value).toBe('{"n":0}')
        for (let n = 1; n <= 3; n++) {
          await clock.advance(50_000)
          write(`{"n":${n}}\n`)
          expect((await iterator.next()).value).toBe(`{"n":${n}}`)
        }
        const next = iterator.next()
        next.catch(() => {})
        await clock.advance(59_000)
        expect(clock.pending).toBe(1)
        await clock.advance(1_000)
        await expect(next).rejects.toMatchObject({ reason: 'TimedOut', message: 'watch secrets: the stream was silent for 60 s' })
      },
      { clock },
    )
  })

  it('holds the server back while nobody reads, and loses nothing', async () => {
    const line = `${'x'.repeat(64 * 1024 - 1)}\n`
    let sent = 0
    const answer: Answer = async (response) => {
      response.writeHead(200)
      for (let i = 0; i < 1024; i++) {
        if (!response.write(line)) await new Promise((resolve) => response.once('drain', resolve))
        sent++
      }
      response.end()
    }
    await withApi([answer], async (transport) => {
      const reply = await transport.request(stream)
      await new Promise((resolve) => setTimeout(resolve, 200))
      expect(sent).toBeLessThan(512)
      let count = 0
      for await (const got of reply.lines()) count += got.length + 1
      expect(count).toBe(64 * 1024 * 1024)
    })
  })

  it('closes its connection when the reader leaves', async () => {
    let closed: Promise<void> | undefined
    const answer: Answer = (response) => {
      closed = new Promise((resolve) => response.socket?.once('close', () => resolve()))
      response.writeHead(200).write('{}\n{}\n')
    }
    await withApi([answer], async (transport) => {
      for await (const _ of (await transport.request(stream)).lines()) break
      await closed
    })
  })

  it('ends when its signal aborts', async () => {
    await withApi([(response) => void response.writeHead(200).write('{}\n')], async (transport) => {
      const aborter = new AbortController()
      const iterator = (await transport.request({ ...stream, signal: aborter.signal })).lines()[Symbol.asyncIterator]()
      await iterator.next()
      const next = iterator.next()
      aborter.abort()
      await expect(next).rejects.toMatchObject({ reason: 'Cancelled' })
    })
  })

  it('that is refused is an ordinary answer', async () => {
    await withApi([failure(410, 'Expired')], async (transport) => {
      const reply = await transport.request(stream)
      expect([reply.status, JSON.parse(await reply.text()).reason]).toEqual([410, 'Expired'])
    })
  })
})

describe('the end of a transport', () => {
  it('breaks what is under way and refuses what comes later', async () => {
    await using api = await loopbackApi(hang)
    const transport = createTransport(api.access, { clock: systemClock })
    const under = transport.request(call)
    under.catch(() => {})
    while (api.seen.length === 0) await settled()
    await transport.close()
    await expect(under).rejects.toMatchObject({ code: 0 })
    await expect(transport.request(call)).rejects.toMatchObject({ reason: 'Cancelled' })
  })
})

describe('a sample', () => {
  it('is taken of every request, with 0 where no answer came', async () => {
    const samples: RequestSample[] = []
    await withApi(
      [json(200, {}), failure(429, 'TooManyRequests'), reset],
      async (transport) => {
        await transport.request(call)
        await transport.request(call)
        await transport.request(call).catch(() => {})
      },
      { observe: (sample) => samples.push(sample) },
    )
    expect(samples.map(({ verb, resource, code, throttled }) => [verb, resource, code, throttled])).toEqual([
      ['get', 'secrets', 200, false],
      ['get', 'secrets', 429, true],
      ['get', 'secrets', 0, false],
    ])
    expect(samples.every(({ durationMs }) => durationMs >= 0)).toBe(true)
  })
})
