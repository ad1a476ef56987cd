// The controller as a child process, as a person starts it: `node src/main.ts --kubeconfig FILE ...`. Used by the demo and cluster tests.
// Ends what it started by pid; must not parse or judge log lines beyond finding the address of telemetry.

import { type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { PROJECT_FOLDER } from './manifests.ts'

export interface ControllerOptions {
  readonly kubeconfig: string
  /** The operator's own namespace. */
  readonly namespace: string
  /** All that it prints is added to this file. */
  readonly logFile?: string
  /** Hears each line it prints, without the line end. */
  readonly onLine?: (line: string) => void
  /** More flags of src/main.ts; the last of a name wins. */
  readonly flags?: readonly string[]
  /** What Node runs; default src/main.ts of this checkout. */
  readonly entry?: string
  /** More flags of Node itself, before the entry. */
  readonly nodeFlags?: readonly string[]
  /** Hears the pid as soon as there is one. */
  readonly onStarted?: (pid: number) => void
  /** In a process group of its own, so that Ctrl-C in the terminal reaches only the caller, who then ends it. Default false. */
  readonly ownGroup?: boolean
  /** Ends the wait for readiness, and the process with it. */
  readonly signal?: AbortSignal
  /** How long it may take until /readyz says yes; default 60 s. */
  readonly readyWithinMs?: number
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ControllerProcess {
  readonly pid: number
  /** HOST:PORT of /metrics, /healthz and /readyz. */
  readonly address: string
  /** Resolves when it is gone, for whatever reason. */
  readonly ended: Promise<Ended>
  /** The last lines it printed. */
  lastLines(): readonly string[]
  /** SIGTERM, and SIGKILL after 10 s; resolves when it is gone. */
  stop(): Promise<Ended>
  /** SIGKILL at once; resolves when it is gone. */
  kill(): Promise<Ended>
}

const REMEMBERED_LINES = 20
const STOP_WITHIN_MS = 10_000

/** Resolves when /readyz says yes. Rejects with its last words when it ends before, or is not ready in time (then it is ended). */
export async function startController(options: ControllerOptions): Promise<ControllerProcess> {
  const { ownGroup: detached = false, signal: interrupt } = options
  interrupt?.throwIfAborted()
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe']
  const child = spawn(process.execPath, argumentsOf(options), { cwd: PROJECT_FOLDER, env: environment(), stdio, detached })
  // 'close' comes after the last line; without a pid it never started.
  const ended = once(child, 'close').then(([code, signal]): Ended => ({ code, signal }))
  await once(child, 'spawn')
  const pid = child.pid as number
  options.onStarted?.(pid)

  const lines: string[] = []
  const log = options.logFile === undefined ? undefined : createWriteStream(options.logFile, { flags: 'a' })
  const address = Promise.withResolvers<string>()
  const hear = (line: string): void => {
    if (lines.push(line) > REMEMBERED_LINES) lines.shift()
    log?.write(`${line}\n`)
    const found = addressIn(line)
    if (found !== undefined) address.resolve(found)
    options.onLine?.(line)
  }
  for (const stream of [child.stdout, child.stderr] as Readable[]) createInterface({ input: stream }).on('line', hear)
  ended.then(
    () => log?.end(),
    () => log?.end(),
  )

  const end = async (signal: NodeJS.Signals): Promise<Ended> => {
    child.kill(signal)
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
    return await ended.finally(() => clearTimeout(late))
  }
  const started = { pid, ended, lastLines: () => lines, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
  const within = options.readyWithinMs ?? 60_000
  const giveUp = new AbortController()
  const killNow = (): void => void child.kill('SIGKILL')
  interrupt?.addEventListener('abort', killNow)
  try {
    const ready = address.promise.then(async (found) => {
      await untilReady(found, giveUp.signal)
      return found
    })
    const tooLate = sleep(within, undefined, { signal: giveUp.signal }).then(() => fail(`is not ready after ${within / 1000} s`, lines))
    const gone = ended.then(({ code, signal }) => fail(`ended (${signal ?? `exit code ${code}`}) before it was ready`, lines))
    for (const loser of [ready, tooLate, gone]) loser.catch(() => undefined) // the race below tells who was first
    return { ...started, address: await Promise.race([ready, tooLate, gone]) }
  } catch (error) {
    await started.kill()
    throw error
  } finally {
    giveUp.abort()
    interrupt?.removeEventListener('abort', killNow)
  }
}

function argumentsOf({
  kubeconfig,
  namespace,
  entry = join('src', 'main.ts'),
  flags = [],
  nodeFlags = [],
}: ControllerOptions): readonly string[] {
  const main = ['--max-semi-space-size=8', '--heap-growing-percent=35', ...nodeFlags, entry]
  return [...main, '--kubeconfig', kubeconfig, '--namespace', namespace, '--http-address', '127.0.0.1:0', '--log-format', 'json', ...flags]
}

/** Of this process without what is meant for it alone, and without what would stand in for a flag; with what the image sets. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, KUBECONFIG: _kubeconfig, POD_NAMESPACE: _namespace, POD_NAME: _name, ...rest } = process.env
  return { ...rest, MALLOC_ARENA_MAX: '1' }
}

function addressIn(line: string): string | undefined {
  return line.includes('"telemetry served"') ? /"address":"([^"]+)"/.exec(line)?.[1] : undefined
}

async function untilReady(address: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const reply = await fetch(`http://${address}/readyz`, { signal })
    await reply.body?.cancel()
    if (reply.ok) return
    await sleep(50, undefined, { signal })
  }
}

function fail(what: string, lines: readonly string[]): never {
  throw new Error([`the controller ${what}. Its last words:`, ...lines.map((line) => `  ${line}`)].join('\n'))
}
