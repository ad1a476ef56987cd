// A real server on the loopback interface, asked by a real client.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { serveTelemetry, type TelemetryServer } from '../../../src/telemetry/http.ts'
import { createMetrics, type Metrics } from '../../../src/telemetry/metrics.ts'

const figures = () =>
  createMetrics({
    leading: () => true,
    queueDepths: () => ({ identity: 3 }),
    identitiesAtOnce: () => 8,
    silences: () => ({ pods: 1500 }),
    certificates: () => new Map([['default', { count: 2, earliestNotAfter: 1_800_000_000, overdue: 1 }]]),
    objects: () => [{ kind: 'MutualIdentity', ready: 'true', reason: 'Current', count: 4 }],
    authorityEnds: () => ({ default: 1_900_000_000 }),
  })

let server: TelemetryServer | undefined
let unready: string | undefined
let sick: string | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
  unready = sick = undefined
})
async function serve(metrics: Metrics = figures()): Promise<void> {
  server = await serveTelemetry({ host: '127.0.0.1', port: 0, metrics, health: { sick: () => sick, unready: () => unready } })
}
function ask(path: string, method = 'GET'): Promise<{ code: number | undefined; type: string | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(`http://${server?.address}${path}`, { method, agent: false }, (reply) => {
      let text = ''
      reply.setEncoding('utf8').on('data', (chunk) => (text += chunk))
      reply.on('end', () => resolve({ code: reply.statusCode, type: reply.headers['content-type'], text }))
    })
    sent.on('error', reject).end()
  })
}

describe('/metrics', () => {
  it('is Prometheus text: comments, or a name, labels and a number', async () => {
    await serve()
    const { code, type, text } = await ask('/metrics')
    expect([code, type]).toEqual([200, expect.stringMatching(/^text\/plain; version=/)])
    const value = String.raw`(?:[-+]?[0-9.]+(?:e[-+]?\d+)?|[Nn]a[Nn]|[-+]Inf)`
    const sample = new RegExp(
      String.raw`^[a-zA-Z_:][a-zA-Z0-9_:]*(?:\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\.)*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\.)*")*\})? ${value}$`,
    )
    const strange = text.split('\n').filter((line) => line !== '' && !/^# (HELP|TYPE) [a-zA-Z_:]/.test(line) && !sample.test(line))
    expect(strange).toEqual([])
    expect(text.endsWith('\n')).toBe(true)
  })

  it('has exactly the metrics that are documented, of the documented types', async () => {
    await serve()
    const documented = readFileSync(join(import.meta.dirname, '../../../docs/metrics.md'), 'utf8')
    const rows = [...documented.matchAll(/^\| `(mutual_identity_\w+)` \| (\w+) /gm)].map(([, name, type]) => `${name} ${type}`)
    const served = [...(await ask('/metrics')).text.matchAll(/^# TYPE (mutual_identity_\w+) (\w+)$/gm)].map(
      ([, name, type]) => `${name} ${type}`,
    )
    expect(rows.length).toBeGreaterThan(5)
    expect(served.sort()).toEqual(rows.sort())
  })

  it('reads what it shows at the moment it is asked', async () => {
    await serve()
    const { text } = await ask('/metrics')
    for (const line of [
      'mutual_identity_leader 1',
      'mutual_identity_queue_depth{controller="identity"} 3',
      'mutual_identity_cache_staleness_seconds{cache="pods"} 1.5',
      'mutual_identity_certificates{authority="default"} 2',
      'mutual_identity_earliest_expiry_timestamp_seconds{authority="default"} 1800000000',
      'mutual_identity_renewals_overdue{authority="default"} 1',
      'mutual_identity_objects{kind="MutualIdentity",ready="true",reason="Current"} 4',
      'mutual_identity_authority_expiry_timestamp_seconds{authority="default"} 1900000000',
    ])
      expect(text.split('\n')).toContain(line)
  })

  it('that cannot be read is an error of ours and not the end of the server', async () => {
    await serve({ ...figures(), render: () => Promise.reject(new Error('secret detail')) })
    expect(await ask('/metrics')).toMatchObject({ code: 500, text: 'the metrics could not be read\n' })
    expect((await ask('/healthz')).code).toBe(200)
  })
})

describe('health', () => {
  it('is 200 while nothing is wrong', async () => {
    await serve()
    expect([await ask('/healthz'), await ask('/readyz')]).toMatchObject([
      { code: 200, text: 'ok\n' },
      { code: 200, text: 'ok\n' },
    ])
  })

  it('/readyz is 503 with the cause until it is ready, then 200', async () => {
    await serve()
    unready = 'the caches are not filled yet'
    expect(await ask('/readyz')).toMatchObject({ code: 503, text: 'the caches are not filled yet\n' })
    unready = undefined
    expect((await ask('/readyz')).code).toBe(200)
  })

  it('/healthz does not depend on readiness, nor readiness on it', async () => {
    await serve()
    unready = 'x'
    expect((await ask('/healthz')).code).toBe(200)
    unready = undefined
    sick = 'y'
    expect([(await ask('/healthz')).code, (await ask('/readyz')).code]).toEqual([503, 200])
  })

  it('takes a query for nothing', async () => {
    await serve()
    expect((await ask('/healthz?verbose')).code).toBe(200)
  })
})

describe('the server', () => {
  it.each(['/metrics', '/healthz', '/readyz'])('answers HEAD %s without a body', async (path) => {
    await serve()
    expect(await ask(path, 'HEAD')).toMatchObject({ code: 200, text: '' })
  })

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    await serve()
    expect((await ask('/metrics', method)).code).toBe(405)
  })

  it.each(['/', '/metrics/', '/metricsx'])('knows no %s', async (path) => {
    await serve()
    expect((await ask(path)).code).toBe(404)
  })

  it('says when its port is taken, and what to do', async () => {
    await serve()
    const port = Number(server?.address.split(':').at(-1))
    const health = { sick: () => undefined, unready: () => undefined }
    await expect(serveTelemetry({ host: '127.0.0.1', port, metrics: figures(), health })).rejects.toMatchObject({
      message: expect.stringMatching(/EADDRINUSE.* 127\.0\.0\.1:\d+: choose another --http-address/),
      cause: { code: 'EADDRINUSE' },
    })
  })

  it('closes also while a client is in the middle of a request', async () => {
    await serve()
    const [host = '', port] = server?.address.split(':') ?? []
    const socket = connect(Number(port), host)
    await once(socket, 'connect')
    socket.write('GET /healthz HTTP/1.1\r\n')
    await ask('/healthz')
    const ended = once(socket, 'close')
    await server?.close()
    await ended
    server = undefined
  })
})
