// What the codecs of stored objects share: the metadata of a projected object, base64 fields, decoding without exceptions.
// Used by the codecs beside it only.

import { messageOf } from '../../base/errors.ts'
import { labels } from '../names.ts'

/** An object as the API server sends it, as far as the codecs look at it. */
export interface RawStored {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly resourceVersion?: string
    readonly creationTimestamp?: string
    readonly deletionTimestamp?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly ownerReferences?: readonly {
      readonly kind: string
      readonly name: string
      readonly uid: string
      readonly apiVersion?: string
      readonly controller?: boolean
    }[]
  }
  readonly [field: string]: unknown
}

/** The identity of one version of an object: what every projection begins with. */
export interface StoredMeta {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
}

/** Takes the metadata out of a raw object. */
export function storedMeta(raw: RawStored): StoredMeta {
  const { namespace = '', name, uid = '', resourceVersion = '' } = raw.metadata
  return { namespace, name, uid, resourceVersion }
}

/** Keys that are ours. */
export const OWN_LABELS: ReadonlySet<string> = new Set(Object.values(labels))

/** The labels of ours on an object. */
export function ownLabels(raw: RawStored): Record<string, string> {
  return Object.fromEntries(Object.entries(raw.metadata.labels ?? {}).filter(([key]) => OWN_LABELS.has(key)))
}

/** The text of one field of `data`; undefined when it is absent, or no text. */
export function dataText(raw: RawStored, field: string): string | undefined {
  const text = (raw.data as Readonly<Record<string, unknown>> | null | undefined)?.[field]
  return typeof text === 'string' ? text : undefined
}

/** The bytes of one field of a Secret's `data`; undefined when it is absent or empty. */
export function dataField(raw: RawStored, field: string): Buffer | undefined {
  const text = dataText(raw, field)
  return text ? Buffer.from(text, 'base64') : undefined
}

/** What others may put beside our entries: an object holds 1 MiB, and ours, with as many anchors as a bundle may have, need nearly half. */
const ROOM_FOR_OTHERS = 512 * 1024

/**
 * Names of the entries of others where they take the room of ours; as a rule none, and then they are left alone. Whoever fills an object up must not
 * keep an edited bundle from being put right.
 */
export function crowding(raw: RawStored, isOurs: (name: string) => boolean): readonly string[] {
  const entries = [raw.data, raw.binaryData].flatMap((map) =>
    Object.entries((map as Readonly<Record<string, unknown>> | null | undefined) ?? {}),
  )
  const others = entries.filter(([name]) => !isOurs(name))
  const bytes = others.reduce((sum, [, text]) => sum + Buffer.byteLength(String(text)), 0)
  return bytes > ROOM_FOR_OTHERS ? others.map(([name]) => name) : []
}

/** A value, or why there is none. `undefined` problem and `undefined` value: nothing was there. */
export interface Read<T> {
  readonly value: T | undefined
  readonly problem: string | undefined
}

/** Runs a parser whose errors carry messages for people; never throws. */
export function read<T>(parse: () => T): Read<T> {
  try {
    return { value: parse(), problem: undefined }
  } catch (error) {
    return { value: undefined, problem: messageOf(error) }
  }
}
