// The controller as the bench runs it: the ordinary entry under its own account, with a preload that tells its memory. Used by the bench.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ControllerProcess, startController } from '../../scripts/install/controller-process.ts'

export interface Memory {
  /** Bytes. */
  readonly rss: number
  readonly heapUsed: number
  readonly external: number
}

export interface MeasuredController {
  readonly process: ControllerProcess
  /** When the log told the first issuance, milliseconds since 1970. */
  firstIssuedAt(): number | undefined
  /** After a forced collection. */
  memory(): Promise<Memory>
  /** CPU seconds so far, user and system. */
  cpuSeconds(): number
}

/** Starts it; resolves when it is ready. */
export async function startMeasured(options: {
  kubeconfig: string
  namespace: string
  logFile: string
  flags: readonly string[]
}): Promise<MeasuredController> {
  let firstIssuedAt: number | undefined
  let hearMemory: ((memory: Memory) => void) | undefined
  const onLine = (line: string): void => {
    if (firstIssuedAt === undefined && line.includes('"certificate issued"'))
      firstIssuedAt = Date.parse((JSON.parse(line) as { time: string }).time)
    if (line.includes('"bench":"memory"')) hearMemory?.(JSON.parse(line) as Memory)
  }
  const nodeFlags = ['--expose-gc', '--import', join(import.meta.dirname, 'collect-on-signal.mjs')]
  const child = await startController({ ...options, onLine, nodeFlags })
  return {
    process: child,
    firstIssuedAt: () => firstIssuedAt,
    memory: () =>
      new Promise((resolve) => {
        hearMemory = resolve
        process.kill(child.pid, 'SIGUSR2')
      }),
    cpuSeconds: () => cpuSecondsOf(child.pid),
  }
}

/** From the process table of Linux; 100 ticks a second. */
function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}
