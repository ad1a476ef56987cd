// The only outgoing HTTP to the API server: pooled HTTP/1.1 connections, credentials, deadlines. One per cluster.
// Used by the client (verbs, retries) alone. Does not retry, but for one new look at the credentials after a 401.

import { type Dispatcher, Pool, ProxyAgent } from 'undici'
import type { Clock } from '../base/clock.ts'
import type { ClusterAccess, Credentials, TlsMaterial } from './access.ts'
import type { Call, Reply } from './call.ts'
import { ApiError, localError } from './errors.ts'
import { exchange } from './exchange.ts'

export interface Transport {
  /** Rejects with an ApiError of code 0 (a LocalStatus) where no answer came, or the OperatorError of the credentials; any HTTP status resolves. */
  request(call: Call): Promise<Reply>
  /** Breaks what is under way (`Cancelled`) and closes all connections. */
  close(): Promise<void>
}

/** What is measured of each request; a stream counts once, when its head came. */
export interface RequestSample {
  readonly verb: string
  readonly resource: string
  /** HTTP status, 0 where no answer came. */
  readonly code: number
  readonly durationMs: number
  readonly throttled: boolean
}

export interface TransportOptions {
  readonly clock: Clock
  /** Most connections for ordinary requests (default 32). Streams have their own, as many as there are. */
  readonly connections?: number
  readonly userAgent?: string
  readonly observe?: (sample: RequestSample) => void
}

/** The API server closes idle connections after 90 s (net/http IdleTimeout in k8s.io/apiserver); we go first, so that no request meets a closing one. */
const KEEP_ALIVE_MS = 60_000
const CONNECT_TIMEOUT_MS = 10_000

interface Pools {
  readonly tls: TlsMaterial
  readonly requests: Dispatcher
  readonly streams: Dispatcher
}

export function createTransport(access: ClusterAccess, options: TransportOptions): Transport {
  const { clock, connections = 32, userAgent = 'mutual-identity', observe } = options
  const url = new URL(access.server)
  const prefix = url.pathname.replace(/\/+$/, '')
  const retired = new Set<Dispatcher>()
  let pools: Pools | undefined
  let closed = false

  /** The pools for this TLS material; when it changed, new ones, and the old end with what they carry. */
  const poolsFor = (tls: TlsMaterial): Pools => {
    if (pools?.tls === tls) return pools
    if (pools !== undefined) {
      for (const old of [pools.requests, pools.streams]) {
        retired.add(old)
        old.close(() => retired.delete(old))
      }
    }
    pools = { tls, requests: openPool(url.origin, access.proxy, tls, connections), streams: openPool(url.origin, access.proxy, tls, null) }
    return pools
  }

  const attempt = async (call: Call, startedAt: number): Promise<Reply> => {
    const credentials = await access.credentials()
    if (closed) throw localError('Cancelled', `${call.verb} ${call.resource}: the connection to the cluster was closed`)
    const { requests, streams } = poolsFor(credentials.tls)
    return await exchange(call.idleMs === undefined ? requests : streams, url.origin, {
      call,
      path: prefix + call.path + queryText(call.query),
      headers: headersOf(call, credentials, userAgent),
      clock,
      deadlineMs: call.deadlineMs - (clock.monotonic() - startedAt),
    })
  }

  return {
    async request(call) {
      const startedAt = clock.monotonic()
      let code = 0
      try {
        let reply = await attempt(call, startedAt)
        if (reply.status === 401) {
          access.refused()
          reply = await attempt(call, startedAt)
        }
        code = reply.status
        return reply
      } catch (error) {
        if (error instanceof ApiError) code = error.code
        throw error
      } finally {
        observe?.({
          verb: call.verb,
          resource: call.resource,
          code,
          durationMs: clock.monotonic() - startedAt,
          throttled: code === 429,
        })
      }
    },
    async close() {
      closed = true
      const all = [...retired, ...(pools === undefined ? [] : [pools.requests, pools.streams])]
      pools = undefined
      await Promise.all(all.map((pool) => pool.destroy()))
    },
  }
}

function openPool(origin: string, proxy: string | undefined, tls: TlsMaterial, connections: number | null): Dispatcher {
  const connect = { ...tls, allowH2: false, timeout: CONNECT_TIMEOUT_MS, keepAlive: true, keepAliveInitialDelay: 30_000 }
  const common = {
    connections,
    pipelining: 1,
    allowH2: false,
    // Deadlines are ours: they follow the clock that was handed in.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
  }
  if (proxy === undefined) return new Pool(origin, { ...common, connect })
  return new ProxyAgent({ ...common, uri: proxy, requestTls: connect })
}

function queryText(query: Readonly<Record<string, string>> | undefined): string {
  let text = ''
  for (const name in query) text += `${text === '' ? '?' : '&'}${name}=${encodeURIComponent(query[name] as string)}`
  return text
}

/** A flat list of names and values, the cheapest form. No accept-encoding: unpacking costs more CPU than the network saves. */
function headersOf(call: Call, credentials: Credentials, userAgent: string): string[] {
  const headers = ['accept', 'application/json', 'user-agent', userAgent]
  if (call.body !== undefined) headers.push('content-type', call.contentType ?? 'application/json')
  for (const name in credentials.headers) headers.push(name, credentials.headers[name] as string)
  return headers
}
