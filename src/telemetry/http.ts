// Serves /metrics, /healthz and /readyz on a port of their own. Answers GET and HEAD only and reads no bodies.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Metrics } from './metrics.ts'

export interface HealthReadings {
  /** Undefined: alive. */
  readonly sick: () => string | undefined
  /** Undefined: ready. */
  readonly unready: () => string | undefined
}

export interface TelemetryServer {
  /** HOST:PORT, as it was bound. */
  readonly address: string
  close(): Promise<void>
}

/** Listens; rejects when the port is taken. */
export async function serveTelemetry(options: {
  host: string
  port: number
  metrics: Metrics
  health: HealthReadings
}): Promise<TelemetryServer> {
  const { metrics, health } = options
  const server = createServer((request, response) => {
    const answer = (code: number, text: string, contentType = 'text/plain; charset=utf-8'): void => {
      // Node sends no body to HEAD.
      response.writeHead(code, { 'content-type': contentType }).end(text)
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'only GET\n')
    switch (request.url?.split('?', 1)[0]) {
      case '/metrics':
        metrics.render().then(
          ({ contentType, text }) => answer(200, text, contentType),
          () => answer(500, 'the metrics could not be read\n'),
        )
        return
      case '/healthz':
        return verdict(health.sick(), answer)
      case '/readyz':
        return verdict(health.unready(), answer)
      default:
        return answer(404, 'there are /metrics, /healthz and /readyz\n')
    }
  })
  server.headersTimeout = 5_000
  server.requestTimeout = 10_000
  await listening(server, options.host, options.port)
  const { address, port } = server.address() as AddressInfo
  return {
    address: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function verdict(problem: string | undefined, answer: (code: number, text: string) => void): void {
  answer(problem === undefined ? 200 : 503, `${problem ?? 'ok'}\n`)
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // Taken, not an address of this machine, or a port that takes rights: the remedy is the same.
    const refuse = (cause: Error): void =>
      reject(new Error(`${cause.message}: choose another --http-address (port 0 takes a free one)`, { cause }))
    server.once('error', refuse)
    server.listen(port, host, () => {
      server.off('error', refuse)
      resolve()
    })
  })
}
