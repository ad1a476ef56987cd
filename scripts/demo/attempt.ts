// One HTTPS request with whatever credentials somebody has, and what came of it: for the intruders, and for a connection that is held open.
// Used by the refusals and the renewal. Verifies the server like the example's client does: an intruder may do that too.

import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'

export interface Credentials {
  readonly ca: string
  readonly cert?: string
  readonly key?: string
}

export interface Target {
  readonly port: number
  /** DNS name that the server's certificate must hold. */
  readonly serverName: string
}

/** `socket` tells whether two answers came over one connection. */
export type Result =
  | { readonly kind: 'answered'; readonly status: number; readonly text: string; readonly socket: Socket }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }

const TIMEOUT_MS = 5_000

/** A connection of its own, unless an agent is given. Never rejects: a refusal is a result. */
export function attempt(target: Target, credentials: Credentials, agent: Agent | false = false): Promise<Result> {
  const { port, serverName } = target
  const check = agent === false ? { checkServerIdentity: checkName(serverName) } : {}
  const options = { agent, ...credentials, ...check, servername: serverName, timeout: TIMEOUT_MS }
  return new Promise((resolve) => {
    const refused = (error: NodeJS.ErrnoException): void => resolve({ kind: 'refused', code: error.code ?? '', message: error.message })
    const sent = request(`https://127.0.0.1:${port}/`, options, (response) => {
      let text = ''
      const { socket } = response
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('error', refused)
      response.on('end', () => resolve({ kind: 'answered', status: response.statusCode ?? 0, text: text.trim(), socket }))
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')))
    sent.on('error', refused)
    sent.end()
  })
}

/** An agent that holds one connection open. It does the check: Node never uses a connection again that a request brought a check of its own to. */
export const oneConnection = ({ serverName }: Target): Agent =>
  new Agent({ keepAlive: true, maxSockets: 1, checkServerIdentity: checkName(serverName) })

const checkName = (serverName: string) => (_host: string, certificate: PeerCertificate) => checkServerIdentity(serverName, certificate)

/** What a pod with this folder has. */
export function credentialsIn(folder: string): Required<Credentials> {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  return { ca: read('ca.crt'), cert: read('tls.crt'), key: read('tls.key') }
}
