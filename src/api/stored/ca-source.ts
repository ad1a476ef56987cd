// A Secret of the operator's namespace that somebody else keeps and an authority takes its CA from: what of it is remembered. Used by the
// authority controller and explain. No IO; the key is looked at and dropped.

import { type AuthorityRef, annotations, labels, MANAGER } from '../names.ts'
import { type CaPair, readCaPair } from './ca-pair.ts'
import { type RawStored, type StoredMeta, storedMeta } from './common.ts'

/** Such a Secret. */
export interface CaSource extends StoredMeta, CaPair {
  /** It is a generation of ours, or anything else that we made: never eligible. */
  readonly own: boolean
  /** `namespace/name` of the namespaced authority that an administrator named on it. */
  readonly allowedAuthority: string | undefined
  readonly terminating: boolean
}

/** Projects a Secret; total. */
export function projectCaSource(raw: RawStored): CaSource {
  const { labels: ownLabels, annotations: own, deletionTimestamp } = raw.metadata
  return {
    ...storedMeta(raw),
    ...readCaPair(raw),
    own: ownLabels?.[labels.managedBy] === MANAGER || own?.[annotations.generation] !== undefined,
    allowedAuthority: own?.[annotations.allowedAuthority],
    terminating: deletionTimestamp !== undefined,
  }
}

/**
 * Why an authority may not take its CA from the Secret of this name; undefined when it may, or there is none and that may be told. Whether the pair can
 * sign is another question (`problem`). A tenant asks for whatever names he likes: what is not there, ours or meant for others is told alike, so that
 * nobody learns which Secrets the operator's namespace holds.
 */
export function refusedFor(source: CaSource | undefined, name: string, ref: AuthorityRef): string | undefined {
  if (ref.namespace === '') return source?.own ? `Secret ${name} is one of this operator's own` : undefined
  const wanted = `${ref.namespace}/${ref.name}`
  if (source && !source.own && source.allowedAuthority === wanted) return undefined
  return `no Secret ${name} is meant for it: an administrator must annotate it ${annotations.allowedAuthority}: ${wanted}`
}
