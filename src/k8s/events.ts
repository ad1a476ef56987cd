// Writes Kubernetes events (events.k8s.io/v1) for people who describe an object. Used by the reports of the controllers.
// An event is a courtesy: nobody waits for it, one that fails is forgotten, and where other work waits it goes on slowly, warnings first, until that is
// done. Notes must hold no key material.

import { type Clock, formatMicroInstant, type Instant, sleep } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { printable } from '../base/printable.ts'
import type { Random } from '../base/random.ts'
import type { Client } from './client.ts'
import { isNotFound } from './errors.ts'
import { events, type RawObject } from './resource.ts'

/** The object an event is about (core/v1 ObjectReference). */
export interface Regarding {
  readonly apiVersion: string
  readonly kind: string
  /** Empty for cluster-scoped ones; their events are in `default`. */
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion?: string
}

export interface EventInput {
  readonly regarding: Regarding
  readonly type: 'Normal' | 'Warning'
  /** Why, PascalCase, at most 128 characters. */
  readonly reason: string
  /** What was done or failed, PascalCase (Issue, Rotate), at most 128 characters. */
  readonly action: string
  /** A sentence for people; cut to 1024 bytes. Keep times that change at each pass out of it, or repeats are not recognised. */
  readonly note: string
}

export interface Recorder {
  /** Never rejects. Resolves when the event was written, suppressed or given up: passes do not wait for that. */
  record(event: EventInput): Promise<void>
  /** Resolves when no event is waiting or under way. */
  settled(): Promise<void>
}

export interface RecorderOptions {
  readonly client: Pick<Client, 'create' | 'mergePatch'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** The kind of reporter, a qualified name (`example.io/operator`). */
  readonly controller: string
  /** This reporter among its like: the pod. */
  readonly instance: string
  /** Whether work waits that matters more: events then go ten a second. */
  readonly busy?: () => boolean
}

/** A repeat is told at most so often. */
const QUIET_MS = 10 * 60_000
/** Of so many events is remembered what they said; the least recently written is forgotten first. */
const REMEMBERED = 4096
/** k8s.io/api/events/v1: note at most 1 kB, reportingInstance at most 128 characters. */
const MAX_NOTE_BYTES = 1024
const MAX_INSTANCE = 128
const DEADLINE_MS = 10_000
/** Writes at once. */
const LANES = 4
/**
 * While work that matters more waits there is one lane, which pauses for so long after each event that is no warning: an event costs the API server as
 * much as a Secret, and a burst of certificates would take a tenth longer for them. Warnings are few, and somebody has to act on them.
 */
const PAUSE_MS = 100
/** Events that wait for their turn at most; the oldest is left out first, warnings last. A burst of more is told by the log alone. */
const MAX_WAITING = 4096

interface Told {
  /** The event object, once it exists. */
  name: string | undefined
  writtenAt: number
  /** How often it happened, with what was suppressed. */
  count: number
}

interface Waiting {
  /** By what it is remembered. */
  readonly key: string
  readonly event: EventInput
  /** When it happened, which may be long before it is written. */
  readonly at: Instant
  readonly entry: Told
  readonly over: () => void
}

/** The first of its kind (object, type, reason, action, note) is written at once; a repeat within 10 min only counted, a later one patches the series. */
export function createRecorder(options: RecorderOptions): Recorder {
  const { client, clock, log, busy = () => false } = options
  const told = new Map<string, Told>()
  const warnings: Waiting[] = []
  const others: Waiting[] = []
  const settling = new Set<() => void>()
  let lanes = 0
  let leftOut = 0

  const remember = (key: string, entry: Told): void => {
    told.delete(key)
    told.set(key, entry)
    if (told.size > REMEMBERED) told.delete(told.keys().next().value as string)
  }

  const write = async ({ event, at, entry }: Waiting): Promise<void> => {
    if (entry.name !== undefined && (await patchSeries(event, at, entry))) return
    const object = eventObject(event, at, options)
    await client.create(events, object, { deadlineMs: DEADLINE_MS })
    entry.name = object.metadata.name
    entry.count = 1
  }

  /** False when the server has forgotten the event (after an hour by default). */
  const patchSeries = async (event: EventInput, at: Instant, { name = '', count }: Told): Promise<boolean> => {
    const series = { count, lastObservedTime: formatMicroInstant(at) }
    try {
      await client.mergePatch(events, { namespace: namespaceOf(event), name }, { series }, { deadlineMs: DEADLINE_MS })
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }

  const openLanes = (): void => {
    const most = busy() ? 1 : LANES
    while (lanes < Math.min(most, lanes + warnings.length + others.length)) void lane()
  }

  const lane = async (): Promise<void> => {
    lanes++
    while (lanes === 1 || !busy()) {
      const next = warnings.shift() ?? others.shift()
      if (next === undefined) break
      try {
        await write(next)
      } catch (error) {
        log.debug('event not written', { reason: next.event.reason, error: messageOf(error) })
      }
      next.over()
      if (next.event.type !== 'Warning' && lanes === 1 && busy()) await sleep(clock, PAUSE_MS)
      openLanes()
    }
    lanes--
    if (lanes > 0) return
    if (leftOut > 0)
      log.info('events left out', { count: leftOut, detail: 'more came at once than are kept; the log has all that was done' })
    leftOut = 0
    for (const settled of settling) settled()
    settling.clear()
  }

  const enqueue = (waiting: Omit<Waiting, 'over'>): Promise<void> =>
    new Promise((over) => {
      ;(waiting.event.type === 'Warning' ? warnings : others).push({ ...waiting, over })
      if (warnings.length + others.length > MAX_WAITING) leaveOut((others.shift() ?? warnings.shift()) as Waiting)
      openLanes()
    })

  /** It was not told, so the next of its kind is no repeat. */
  const leaveOut = ({ key, entry, over }: Waiting): void => {
    if (told.get(key) === entry) told.delete(key)
    leftOut++
    over()
  }

  return {
    settled: () => (lanes === 0 ? Promise.resolve() : new Promise((resolve) => settling.add(resolve))),
    async record(given) {
      // Before it is remembered: who may write names and annotations chooses how long a note becomes.
      const event = { ...given, note: cutBytes(printable(given.note), MAX_NOTE_BYTES) }
      const key = JSON.stringify([event.regarding.uid, event.type, event.reason, event.action, event.note])
      const before = told.get(key)
      if (before !== undefined) {
        before.count++
        if (clock.monotonic() - before.writtenAt < QUIET_MS) return
      }
      const entry = before ?? { name: undefined, writtenAt: 0, count: 1 }
      entry.writtenAt = clock.monotonic()
      remember(key, entry)
      await enqueue({ key, event, at: clock.now(), entry })
    },
  }
}

const namespaceOf = ({ regarding }: EventInput): string => (regarding.namespace === '' ? 'default' : regarding.namespace)

function eventObject(event: EventInput, at: Instant, { random, controller, instance }: RecorderOptions): RawObject {
  const { regarding } = event
  return {
    metadata: { name: eventName(regarding.name, random), namespace: namespaceOf(event) },
    eventTime: formatMicroInstant(at),
    reportingController: controller,
    reportingInstance: instance.slice(0, MAX_INSTANCE),
    action: event.action,
    reason: event.reason,
    type: event.type,
    regarding: { ...regarding },
    note: event.note,
  }
}

/** A DNS subdomain of at most 253 characters; names of some kinds hold colons. */
function eventName(name: string, random: Random): string {
  const suffix = Buffer.from(random.bytes(8)).toString('hex')
  const stem = name.replace(/[^a-z0-9.-]/g, '-').slice(0, 253 - 1 - suffix.length)
  return `${stem.replace(/[^a-z0-9]+$/, '')}.${suffix}`
}

/** At most `max` bytes of UTF-8, cut between characters, with an ellipsis (3 bytes). */
function cutBytes(text: string, max: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= max) return text
  let end = max - 3
  while (((bytes[end] as number) & 0xc0) === 0x80) end--
  return `${bytes.toString('utf8', 0, end)}…`
}
