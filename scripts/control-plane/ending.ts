// Ends instances by their record: at once, in order, or those whose owner died. Used by start.ts, warden.ts, main.ts.
// Must not touch a process whose command line does not name the instance's folder, nor a folder without a record.
import { rmSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Part } from './parts.ts'
import { beginningOf, belongsTo, endProcess, signalIfOurs } from './processes.ts'
import { type InstanceRecord, listRecords, removeRecord } from './record.ts'

// Clients first, so that none spends its end on reconnecting to what is already gone.
const endingOrder: readonly Part[] = ['kube-controller-manager', 'kube-apiserver', 'etcd']
const patience = 5_000 // ms; then SIGKILL: nothing here has anything to save

export async function endInstance(instances: string, record: InstanceRecord): Promise<void> {
  for (const part of endingOrder) {
    const pid = record.pids[part]
    if (pid !== undefined) await endProcess(pid, record.directory, patience)
  }
  forgetInstance(instances, record)
}

/** Synchronous, for the exit of a process. */
export function killInstance(instances: string, record: InstanceRecord): void {
  for (const part of endingOrder) {
    const pid = record.pids[part]
    if (pid !== undefined) signalIfOurs(pid, record.directory, 'SIGKILL')
  }
  forgetInstance(instances, record)
}

export function livePids(record: InstanceRecord): Readonly<Partial<Record<Part, number>>> {
  return Object.fromEntries(Object.entries(record.pids).filter(([, pid]) => belongsTo(pid, record.directory)))
}

/** Ends instances that were to end with their owner, whose owner is dead: killed together with the warden, or the machine was. */
export async function sweepOrphans(instances: string, say: (line: string) => void): Promise<void> {
  for (const record of listRecords(instances)) {
    if (record.detached || record.host !== hostname() || isInUse(record)) continue
    say(`removing the control plane ${record.name}, whose owner (pid ${record.owner.pid}) is gone`)
    await endInstance(instances, record)
  }
}

export function isOwnerAlive(record: InstanceRecord): boolean {
  return beginningOf(record.owner.pid) === record.owner.began
}

/** Whether it ends with its owner, and that one lives: a test run, a demo, an `up` that is not done. */
export function isInUse(record: InstanceRecord): boolean {
  return !record.detached && record.host === hostname() && isOwnerAlive(record)
}

function forgetInstance(instances: string, record: InstanceRecord): void {
  // A process that was just killed may still be writing into the folder: retry.
  if (!record.keep) rmSync(record.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  removeRecord(instances, record.directory)
}
