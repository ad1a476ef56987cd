// A plain HTTP server on the loopback interface that a test scripts: what an API server, or a proxy before it, says or does not say.
// Used by the tests of transport and client. It knows nothing of Kubernetes.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { ClusterAccess } from '../../src/k8s/access.ts'

/** What came in, with its whole body. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Answer = (response: ServerResponse, seen: Seen) => void

export interface LoopbackApi extends AsyncDisposable {
  readonly access: ClusterAccess
  readonly seen: readonly Seen[]
  /** Connections opened so far. */
  readonly connections: number
  /** How often the credentials were called refused. */
  readonly refusals: number
}

/** Answers the n-th request by the n-th answer; the last one serves all that follow. */
export async function loopbackApi(...answers: readonly Answer[]): Promise<LoopbackApi> {
  const seen: Seen[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  let refusals = 0
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body }
    seen.push(one)
    answers[Math.min(seen.length, answers.length) - 1]?.(response, one)
  })
  server.on('connection', (socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const tls = {}
  return {
    access: {
      server: `http://127.0.0.1:${port}`,
      describe: 'loopback',
      namespace: undefined,
      credentials: async () => ({ tls, headers: { authorization: `Bearer token-${refusals}` } }),
      refused: () => {
        refusals++
      },
    },
    seen,
    get connections() {
      return connections
    },
    get refusals() {
      return refusals
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Answers with a status and a JSON body. */
export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(body))
  }

/** Answers with a metav1.Status. */
export const failure = (
  code: number,
  reason: string,
  more: { message?: string; details?: object } = {},
  headers: Record<string, string> = {},
): Answer =>
  json(
    code,
    {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      code,
      reason,
      message: more.message ?? `${reason} it is`,
      details: more.details,
    },
    headers,
  )

/** Never answers. */
export const hang: Answer = () => {}

/** Breaks the connection without an answer. */
export const reset: Answer = (response) => {
  response.socket?.resetAndDestroy()
}
