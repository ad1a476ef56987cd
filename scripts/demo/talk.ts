// Starts the two programs of the example with the material of their Secrets and lets them talk. Used by show.ts; the later steps listen to them.

import type { Example, Workload } from './example.ts'
import type { Kubelet } from './kubelet.ts'
import { CLIENT, SERVER } from './names.ts'
import { type Program, startProgram } from './program.ts'
import type { Stage } from './stage.ts'

const EVERY_MS = 50
const SHOWN_CALLS = 3

export interface Conversation {
  readonly server: Program
  readonly client: Program
  readonly port: number
  /** A DNS name that the server's certificate must hold: that of its Service. */
  readonly serverName: string
  /** Folders with the mounted Secrets. */
  readonly serverFolder: string
  readonly clientFolder: string
  /** Of the client, up to now. */
  calls(): { readonly ok: number; readonly failed: number }
}

/** Resolves when the first calls were answered. */
export async function letThemTalk(stage: Stage, example: Example, kubelet: Kubelet): Promise<Conversation> {
  const { screen } = stage
  const [server, client] = [example.workload(SERVER), example.workload(CLIENT)]
  const [serverFolder, clientFolder] = [await kubelet.mount(server.secretName), await kubelet.mount(client.secretName)]
  const { program: serverProgram, port } = await startServer(stage, SERVER, server, serverFolder)
  const { hostname: serverName } = new URL(client.environment.SERVER_URL as string)
  const clientProgram = await startClient(stage, CLIENT, client, { folder: clientFolder, port, serverName, everyMs: EVERY_MS })
  clientProgram.show(isNews)
  await clientProgram.line(new RegExp(`^call ${SHOWN_CALLS} ok: `))
  screen.good(`${SHOWN_CALLS} calls, each a handshake of its own, both sides verified; they go on, ${1000 / EVERY_MS} a second at most`)
  const calls = (): { ok: number; failed: number } => ({ ok: count(clientProgram, / ok: /), failed: count(clientProgram, / FAILED: /) })
  return { server: serverProgram, client: clientProgram, port, serverName, serverFolder, clientFolder, calls }
}

/** The server of the example on a free port of the loopback interface. */
export async function startServer(
  stage: Stage,
  name: string,
  workload: Workload,
  folder: string,
): Promise<{ program: Program; port: number }> {
  const { script, environment } = workload
  const program = await startProgram(stage, {
    name,
    script,
    environment: { ...environment, HOST: '127.0.0.1', PORT: '0', IDENTITY_FOLDER: folder },
  })
  const [, port] = await program.line(/^listening on port (\d+);/)
  return { program, port: Number(port) }
}

export interface ClientSettings {
  readonly folder: string
  readonly port: number
  readonly serverName: string
  readonly everyMs?: number
  /** Ends after so many. */
  readonly calls?: number
}

/** The client of the example against a server on the loopback interface. */
export async function startClient(stage: Stage, name: string, workload: Workload, settings: ClientSettings): Promise<Program> {
  const { folder, port, serverName, everyMs = 0, calls } = settings
  const environment = {
    ...workload.environment,
    IDENTITY_FOLDER: folder,
    SERVER_URL: `https://127.0.0.1:${port}`,
    SERVER_NAME: serverName,
    EVERY_MS: String(everyMs),
    ...(calls === undefined ? {} : { CALLS: String(calls) }),
  }
  return await startProgram(stage, { name, script: workload.script, environment, endsByItself: calls !== undefined })
}

/** All but the calls that went well after the first few. */
function isNews(line: string): boolean {
  const [, number] = /^call (\d+) ok: /.exec(line) ?? []
  return number === undefined || Number(number) <= SHOWN_CALLS
}

const count = ({ lines }: Program, pattern: RegExp): number => lines.filter((line) => line.startsWith('call ') && pattern.test(line)).length
