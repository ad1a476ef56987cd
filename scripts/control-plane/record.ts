// One JSON file for each instance: where it is, who started it, its pids. Used to find instances again from another
// process: down, status, the warden and the sweep. Written before anything is started, so that nothing gets lost.
// Must not hold secrets.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { codeOf } from './failure.ts'
import type { Part } from './parts.ts'

export interface InstanceRecord {
  readonly name: string
  readonly directory: string
  /** started to outlive its owner */
  readonly detached: boolean
  /** keep the folder when it ends */
  readonly keep: boolean
  /** pids mean something on this machine (or container) only */
  readonly host: string
  /** the process that started it; `began` tells it from a later one with the same pid */
  readonly owner: { readonly pid: number; readonly began: string }
  readonly startedAt: string
  readonly pids: Readonly<Partial<Record<Part, number>>>
  /** known once the API server answers */
  readonly url?: string
  readonly kubeconfigFile?: string
}

export function recordFile(instances: string, directory: string): string {
  const exact = createHash('sha256').update(directory).digest('hex').slice(0, 8)
  return join(instances, `${basename(directory)}-${exact}.json`)
}

export function writeRecord(instances: string, record: InstanceRecord): void {
  mkdirSync(instances, { recursive: true, mode: 0o700 })
  const file = recordFile(instances, record.directory)
  const unfinished = `${file}.${process.pid}.tmp`
  writeFileSync(unfinished, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
  renameSync(unfinished, file) // a reader sees the old one or the new one
}

export function readRecord(file: string): InstanceRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as InstanceRecord
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

export function listRecords(instances: string): readonly InstanceRecord[] {
  let files: string[]
  try {
    files = readdirSync(instances)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
  return files.filter((file) => file.endsWith('.json')).flatMap((file) => readRecord(join(instances, file)) ?? [])
}

export function removeRecord(instances: string, directory: string): void {
  rmSync(recordFile(instances, directory), { force: true })
}
