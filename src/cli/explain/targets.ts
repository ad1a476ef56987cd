// Which objects a person means: `payments`, `authority default`, `mauth/internal`, or none at all, which is every identity. Pure.

import type { AuthorityKind } from '../../api/names.ts'
import { guess, usageError } from '../usage-error.ts'

/** What is asked about. */
export type Target =
  | { readonly kind: 'identity' /** Undefined: all of the namespace. */; readonly name: string | undefined }
  | {
      readonly kind: 'authority'
      readonly name: string | undefined
      /** Which kinds of authority may be meant. */
      readonly of: readonly AuthorityKind[]
    }

const CLUSTER = ['ClusterMutualAuthority'] as const
const NAMESPACED = ['MutualAuthority'] as const
const BOTH = [...CLUSTER, ...NAMESPACED]

/** As kubectl names kinds, and `identity` and `authority` for short. */
const KINDS: Readonly<Record<string, 'identity' | readonly AuthorityKind[]>> = {
  identity: 'identity',
  mid: 'identity',
  mutualidentity: 'identity',
  mutualidentities: 'identity',
  authority: BOTH,
  authorities: BOTH,
  cmauth: CLUSTER,
  clustermutualauthority: CLUSTER,
  clustermutualauthorities: CLUSTER,
  mauth: NAMESPACED,
  mutualauthority: NAMESPACED,
  mutualauthorities: NAMESPACED,
}

/** The words after the verb. An identity that is called like a kind is named `identity authority`. */
export function readTarget(words: readonly string[], all: boolean): Target {
  const [first, second, ...more] = words.flatMap((word, index) => (index === 0 && word.includes('/') ? word.split('/', 2) : [word]))
  const kind = first === undefined ? 'identity' : KINDS[first.toLowerCase()]
  const name = kind === undefined || first === undefined ? first : second
  const rest = kind === undefined ? [second, ...more].filter((word) => word !== undefined) : more
  if (rest.length > 0) throw usageError(extraWord(first ?? '', rest))
  if (name !== undefined && all) throw usageError(`--all is every one and ${JSON.stringify(name)} is one: leave one of them out`)
  if (name !== undefined) checkName(name)
  return kind === undefined || kind === 'identity' ? { kind: 'identity', name } : { kind: 'authority', name, of: kind }
}

/** With other tools two words are kind and name, or namespace and name; here the first may be one of our kinds only. */
function extraWord(first: string, [second = '', ...more]: readonly string[]): string {
  const nearest = guess(first, Object.keys(KINDS))
  const kinds = `explain takes NAME, identity/NAME or authority/NAME`
  const inNamespace = more.length > 0 || second === '' ? '' : `; for identity ${second} of namespace ${first} say ${second} -n ${first}`
  return `${JSON.stringify(first)} is none of the kinds here${nearest || `: ${kinds}${inNamespace}`}`
}

const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/

/** Whatever else would change the path of the request. */
export function checkName(name: string): void {
  if (NAME.test(name)) return
  throw usageError(
    `${JSON.stringify(name)} is no name of an object: lower case letters, digits and hyphens, a letter or digit at both ends`,
  )
}
