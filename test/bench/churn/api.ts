// The API server in memory behind HTTPS on the loopback interface, and a crowd of pods that it does not have to keep. Used by the bench of churn.
// So a controller is measured without what a real API server takes of the machine.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createAuthority } from '../../../scripts/control-plane/certificates.ts'
import { writeKubeconfig } from '../../../scripts/control-plane/kubeconfig.ts'
import type { Call } from '../../../src/k8s/call.ts'
import { ApiError } from '../../../src/k8s/errors.ts'
import type { Transport } from '../../../src/k8s/transport.ts'
import type { Crowd } from './crowd.ts'

export interface ServedApi {
  close(): Promise<void>
}

const DEADLINE_MS = 60_000

/** Serves until closed; writes how to get there into `kubeconfig`. */
export async function serveApi(connection: Transport, crowd: Crowd, kubeconfig: string): Promise<ServedApi> {
  const authority = await createAuthority()
  const own = await authority.issueServer([{ type: 'ip', value: '127.0.0.1' }])
  const server = createServer({ key: own.key, cert: own.certificate }, (request, response) => {
    answer(connection, crowd, request, response).catch((error: unknown) => fail(response, error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const client = await authority.issueClient('operator', [])
  writeKubeconfig(kubeconfig, { url: `https://127.0.0.1:${port}`, authority: authority.certificate, user: 'operator', client })
  return { close: () => closed(server) }
}

async function answer(connection: Transport, crowd: Crowd, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '', 'https://127.0.0.1')
  const query = Object.fromEntries(url.searchParams)
  const isWatch = query['watch'] === 'true'
  response.setHeader('content-type', 'application/json')
  if (url.pathname === '/api/v1/pods') {
    if (isWatch) crowd.follow(response)
    else response.end(crowd.page(Number(query['limit'] ?? 500), Number(query['continue'] ?? 0)))
    return
  }
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  const reply = await connection.request(await callOf(request, url.pathname, query, isWatch, gone.signal))
  response.statusCode = reply.status
  if (!isWatch || reply.status >= 300) return void response.end(await reply.text())
  response.flushHeaders()
  for await (const line of reply.lines()) response.write(`${line}\n`)
  response.end()
}

async function callOf(
  request: IncomingMessage,
  path: string,
  query: Readonly<Record<string, string>>,
  isWatch: boolean,
  signal: AbortSignal,
): Promise<Call> {
  let body = ''
  for await (const chunk of request) body += chunk
  return {
    method: request.method as Call['method'],
    verb: VERBS[request.method ?? ''] ?? 'get',
    resource: path,
    path,
    query,
    deadlineMs: DEADLINE_MS,
    signal,
    ...(body === '' ? {} : { body, contentType: request.headers['content-type'] ?? 'application/json' }),
    ...(isWatch ? { idleMs: Number.MAX_SAFE_INTEGER / 2 } : {}),
  }
}

const VERBS: Readonly<Record<string, string>> = { POST: 'create', PATCH: 'patch', PUT: 'update', DELETE: 'delete' }

/** Whoever left needs no answer; anything else is a defect of the bench. */
function fail(response: ServerResponse, error: unknown): void {
  response.destroy()
  if (!(error instanceof ApiError)) throw error
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}
