// The controller as the bench runs it: the bundle of the image with its flags, under its own account, with a preload that tells its memory. Used by the bench.

import { join } from 'node:path'
import { type ControllerProcess, startController } from '../../scripts/install/controller-process.ts'
import { cpuSecondsOf } from './cpu.ts'
import { OPERATOR, type Stage } from './stage.ts'

/** Milliseconds: how long the event loop was held at most, how long it computed at most in one such time, and the longest garbage collection. */
export interface Held {
  readonly heldMs: number
  readonly computedMs: number
  readonly collectedMs: number
}

/** Bytes, after a forced collection; and what the event loop had to wait for since the last time. */
export interface Memory extends Held {
  readonly rss: number
  readonly heapUsed: number
  readonly external: number
}

export interface MeasuredController {
  readonly process: ControllerProcess
  /** When the log first told of a step with this message, milliseconds since 1970. */
  firstAt(message: string): number | undefined
  /** How many lines of the log have this message. */
  count(message: string): number
  memory(): Promise<Memory>
  /** CPU seconds so far, user and system. */
  cpuSeconds(): number
}

/** Starts it; resolves when it is ready. `flags` are the operator's, `nodeFlags` those of Node. */
export async function startMeasured(
  { kubeconfig, entry }: Pick<Stage, 'kubeconfig' | 'entry'>,
  { flags = [], nodeFlags = [] }: { flags?: readonly string[]; nodeFlags?: readonly string[] } = {},
): Promise<MeasuredController> {
  const told = new Map<string, { readonly firstAt: number; count: number }>()
  const waiting: ((memory: Memory) => void)[] = []
  const onLine = (line: string): void => {
    if (line.includes('"bench":"memory"')) return waiting.shift()?.(JSON.parse(line) as Memory)
    const [, message] = /"message":"([^"]*)"/.exec(line) ?? []
    if (message === undefined) return
    const known = told.get(message)
    if (known) known.count++
    else told.set(message, { firstAt: Date.parse((JSON.parse(line) as { time: string }).time), count: 1 })
  }
  const child = await startController({
    kubeconfig,
    namespace: OPERATOR,
    flags,
    entry,
    onLine,
    nodeFlags: ['--expose-gc', '--import', join(import.meta.dirname, 'collect-on-signal.mjs'), ...nodeFlags],
  })
  // Loading its modules takes a fifth of a second, before there is anything to hold up.
  process.kill(child.pid, 'SIGHUP')
  return {
    process: child,
    firstAt: (message) => told.get(message)?.firstAt,
    count: (message) => told.get(message)?.count ?? 0,
    memory: () =>
      new Promise((resolve) => {
        waiting.push(resolve)
        process.kill(child.pid, 'SIGUSR2')
      }),
    cpuSeconds: () => cpuSecondsOf(child.pid),
  }
}
