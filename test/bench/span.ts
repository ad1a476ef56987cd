// What a stretch of time cost: writes by kind, and CPU by process. Used by every measurement of the bench.

import { type Counts, countAllocated, countWrites, difference, settledWrites } from './api-counts.ts'
import { cpuOf } from './cpu.ts'
import type { MeasuredController } from './measured-controller.ts'
import type { Stage } from './stage.ts'

export interface Span {
  /** Writes that were carried out since, without Leases; waits until none comes any more. */
  writes(): Promise<Counts>
  /** Those that were carried out by now. */
  writesSoFar(): Promise<Counts>
  /** Bytes that the API server has allocated since. */
  allocated(): Promise<number>
  /** CPU seconds since, by process; `bench` is who looks on. */
  cpu(): Record<string, number>
}

export async function openSpan({ plane, admin }: Stage, controller?: MeasuredController): Promise<Span> {
  const pids = { ...plane.pids, ...(controller ? { controller: controller.process.pid } : {}) }
  const before = await countWrites(admin.access)
  const allocatedBefore = await countAllocated(admin.access)
  const cpuBefore = cpuOf(pids)
  const ownBefore = process.cpuUsage()
  return {
    writes: async () => difference(await settledWrites(admin.access), before),
    writesSoFar: async () => difference(await countWrites(admin.access), before),
    allocated: async () => (await countAllocated(admin.access)) - allocatedBefore,
    cpu() {
      const { user, system } = process.cpuUsage(ownBefore)
      const others = Object.entries(cpuOf(pids)).map(([name, seconds]) => [name, seconds - (cpuBefore[name] as number)])
      return { ...Object.fromEntries(others), bench: (user + system) / 1e6 }
    },
  }
}

/** Of objects of ours: Secrets, statuses, events. */
export function ofIdentities(writes: Counts): number {
  return Object.entries(writes).reduce((sum, [key, count]) => sum + (/^(secrets|mutualidentities|events)/.test(key) ? count : 0), 0)
}
