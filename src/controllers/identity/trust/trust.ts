// Whom an identity trusts: the anchors of its own authority, of others that it accepts, and of those that it was switched away from while
// what they signed is in use. What is known of them, and the files that come of it. Pure.

import type { Format } from '../../../api/mutual-identity.ts'
import { type AuthorityRef, authorityKey, authorityText } from '../../../api/names.ts'
import type { PublishedBundle } from '../../../api/stored/bundle.ts'
import type { FormerAuthority } from '../../../api/stored/former-authorities.ts'
import { spiffeBundleFile, type TRUST_STORES } from '../../../api/stored/leaf-files.ts'
import { hours, minutes } from '../../../base/duration.ts'
import type { Instant } from '../../../base/instant.ts'
import { poolBundles, type TrustBundle } from '../../../pki/bundle.ts'
import { type Fingerprint, fingerprintOf } from '../../../pki/fingerprint.ts'

/** An authority besides the own one. */
export interface TrustSource {
  readonly ref: AuthorityRef
  /** The last published bundle; undefined: none, or it cannot be read just now. */
  readonly bundle: PublishedBundle | undefined
  /** It was published but cannot be read: what was made of it before must stay. */
  readonly unreadable: boolean
  /** Its anchors go into ca.crt too. */
  readonly pooled: boolean
}

/** One that signed before. */
export interface FormerSource extends TrustSource {
  readonly until: Instant
  /** Identities of the namespace name it, or hold what it signed: it stays for as long as they do. */
  readonly usedByPeers: boolean
  /** When the last certificate ends that it signed for those which went over to another one since. */
  readonly peersUntil: Instant
}

export interface TrustFacts {
  readonly additional: readonly TrustSource[]
  readonly former: readonly FormerSource[]
}

/** What an identity's Secret holds of anchors. */
export interface Trust {
  /** The own authority's, and those of pooled ones. */
  readonly bundle: TrustBundle
  /** The trust domains that are accepted, the own one first. */
  readonly trustDomains: readonly string[]
  /** A file for each of the others, by name. */
  readonly files: Readonly<Record<string, string>>
  /** The keystores of anchors that are asked for. */
  readonly stores: readonly (keyof typeof TRUST_STORES)[]
  /** Of all that is above. */
  readonly hash: Fingerprint
  readonly formerAuthorities: readonly FormerAuthority[]
  /** Authorities that have not published a bundle yet. */
  readonly missing: readonly string[]
  /** When a former authority may go, or is to be looked at again. */
  readonly next: Instant | undefined
}

/** Peers that live by a former authority are looked at again so often: that the last one has gone over wakes nobody else. */
const LOOK_AGAIN = minutes(5)

/** No leaf outlives a year (authority-schema.ts), so nothing that a former one signed is in use after it, whatever somebody writes into an annotation. */
const LONGEST_LEAF = hours(8760)

/** What may go wrong: a bundle that was published cannot be read, so nothing is changed. */
export type TrustOrProblem = Trust | { readonly problem: string }

/**
 * The trust of an identity whose own authority is `own`. `also`: an authority that it is being switched from or to, which is pooled. Throws
 * `BundleInvalid` where the pool is too large.
 */
export function trustFor(
  own: { readonly ref: AuthorityRef; readonly bundle: PublishedBundle },
  { additional, former }: TrustFacts,
  options: {
    readonly also: readonly (FormerAuthority & { readonly bundle: PublishedBundle; readonly former: boolean })[]
    readonly formats: readonly Format[]
    readonly now: Instant
  },
): TrustOrProblem {
  const ownKey = authorityKey(own.ref)
  const kept = keptFormer(former, own.ref, options.now)
  const also = options.also.map(({ ref, bundle }) => ({ ref, bundle, unreadable: false, pooled: true }))
  const sources = distinct([...also, ...additional, ...kept]).filter(({ ref }) => authorityKey(ref) !== ownKey)
  const unreadable = sources.find((source) => source.unreadable)
  if (unreadable) return { problem: `the published bundle of ${authorityText(unreadable.ref)} cannot be read` }
  const known = sources.filter((source): source is TrustSource & { bundle: PublishedBundle } => source.bundle !== undefined)
  const bundle = poolBundles([own.bundle, ...known.filter(({ pooled }) => pooled).map((source) => source.bundle)])
  const ofSpiffe = options.formats.includes('SPIFFE') ? [own.bundle] : []
  const files = Object.fromEntries(
    [...ofSpiffe, ...known.map((source) => source.bundle)].map(({ trustDomain, text }) => [spiffeBundleFile(trustDomain), text]),
  )
  const stores = (['PKCS12', 'JKS'] as const).filter((format) => options.formats.includes(format))
  // Whether peers live by one that is just being left is seen once the Secret says that it was.
  const left = options.also.filter((source) => source.former).map(() => options.now + LOOK_AGAIN)
  const untils = [...left, ...kept.map((source) => (source.usedByPeers ? options.now + LOOK_AGAIN : lasts(source)))]
  return {
    bundle,
    trustDomains: [...new Set([own.bundle, ...known.map((source) => source.bundle)].map(({ trustDomain }) => trustDomain))],
    files,
    stores,
    hash: hashOf(bundle, files, stores),
    formerAuthorities: mergedFormer([...options.also.filter((source) => source.former), ...kept]).filter(
      ({ ref }) => authorityKey(ref) !== ownKey,
    ),
    missing: sources.filter((source) => source.bundle === undefined).map(({ ref }) => authorityText(ref)),
    next: untils.length > 0 ? Math.min(...untils) : undefined,
  }
}

/** Those of the former authorities that stay: identities live by them, or what they signed may be in use. */
export function keptFormer(former: readonly FormerSource[], own: AuthorityRef, now: Instant): readonly FormerSource[] {
  const latest = now + LONGEST_LEAF
  return former
    .map((source) => ({ ...source, until: Math.min(source.until, latest), peersUntil: Math.min(source.peersUntil, latest) }))
    .filter((source) => authorityKey(source.ref) !== authorityKey(own) && (source.usedByPeers || lasts(source) > now))
}

const lasts = ({ until, peersUntil }: FormerSource): Instant => Math.max(until, peersUntil)

function hashOf(bundle: TrustBundle, files: Readonly<Record<string, string>>, stores: readonly string[]): Fingerprint {
  const entries = Object.entries(files)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => [name, fingerprintOf(Buffer.from(text))])
  return fingerprintOf(Buffer.from(JSON.stringify([bundle.fingerprint, entries, stores])))
}

/** Each authority once; pooled where one mention is. */
function distinct(sources: readonly TrustSource[]): readonly TrustSource[] {
  const byKey = new Map<string, TrustSource>()
  for (const source of sources) {
    const key = authorityKey(source.ref)
    const known = byKey.get(key)
    byKey.set(key, known ? { ...known, pooled: known.pooled || source.pooled } : source)
  }
  return [...byKey.values()]
}

/** Each authority once, until the latest of its instants. */
export function mergedFormer(former: readonly FormerAuthority[]): readonly FormerAuthority[] {
  const byKey = new Map<string, FormerAuthority>()
  for (const { ref, until } of former) {
    const key = authorityKey(ref)
    byKey.set(key, { ref, until: Math.max(until, byKey.get(key)?.until ?? 0) })
  }
  return [...byKey.values()]
}
