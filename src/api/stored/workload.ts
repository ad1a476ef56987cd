// A workload that may be restarted (Deployment, StatefulSet, DaemonSet): what of it is kept in the cache, and the one annotation we write to its
// pod template. Used by the restart controller. No IO; the annotation can be edited by whoever owns the workload, so it proves nothing.

import { formatInstant, type Instant, parseInstant } from '../../base/instant.ts'
import { annotations } from '../names.ts'
import { asRecord } from '../reading.ts'
import { type RawStored, type StoredMeta, storedMeta } from './common.ts'

export type WorkloadKind = 'Deployment' | 'StatefulSet' | 'DaemonSet'

/** For which certificate a workload was restarted, and when. */
export interface Restarted {
  /** Lower-case hex. */
  readonly serialNumber: string
  readonly at: Instant
}

export interface Workload extends StoredMeta {
  readonly kind: WorkloadKind
  readonly createdAt: Instant
  /** Its owner lets it be restarted, and it is not being deleted. */
  readonly optedIn: boolean
  /** Of its pods. */
  readonly templateLabels: Readonly<Record<string, string>>
  /** As its pod template says; undefined: it says nothing, or nothing that can be read. */
  readonly restartedFor: Restarted | undefined
}

/** Projects an object of the kind; total. */
export const projectWorkload =
  (kind: WorkloadKind) =>
  (raw: RawStored): Workload => {
    const template = asRecord(asRecord(asRecord(raw.spec)?.template)?.metadata)
    return {
      ...storedMeta(raw),
      kind,
      createdAt: parseInstant(raw.metadata.creationTimestamp ?? '') ?? 0,
      optedIn: raw.metadata.annotations?.[annotations.restartOnRenewal] === 'true' && raw.metadata.deletionTimestamp === undefined,
      templateLabels: texts(template?.labels),
      restartedFor: readRestarted(texts(template?.annotations)[annotations.restartedFor]),
    }
  }

/** The merge patch that restarts this very version: its pod template changes by one annotation, as with `kubectl rollout restart`. */
export function restartPatch({ uid, resourceVersion }: Workload, { serialNumber, at }: Restarted): object {
  const template = { metadata: { annotations: { [annotations.restartedFor]: `${serialNumber} ${formatInstant(at)}` } } }
  return { metadata: { uid, resourceVersion }, spec: { template } }
}

/** Serial numbers have at most 20 octets (RFC 5280 s. 4.1.2.2). */
const RESTARTED = /^([0-9a-f]{1,40}) (\S{1,40})$/

function readRestarted(text: string | undefined): Restarted | undefined {
  const [, serialNumber, time = ''] = RESTARTED.exec(text ?? '') ?? []
  const at = parseInstant(time)
  return serialNumber === undefined || at === undefined ? undefined : { serialNumber, at }
}

function texts(value: unknown): Record<string, string> {
  const entries = Object.entries(asRecord(value) ?? {})
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}
