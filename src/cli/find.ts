// Looks up what a person named, and says what is wrong where it is not there: absent, or not to be read. Pure but for the lookups.

import type { Authority } from '../api/authority.ts'
import type { MutualIdentity } from '../api/mutual-identity.ts'
import { type AuthorityKind, authorityRef } from '../api/names.ts'
import { OperatorError } from '../base/errors.ts'
import { authorityOf } from '../controllers/caches.ts'
import type { Stores } from '../stores.ts'
import { guess } from './usage-error.ts'

/** One identity, or all of the namespace, sorted. Throws where it is not there, or may not be read. */
export function findIdentities(stores: Pick<Stores, 'identities'>, namespace: string, name: string | undefined): readonly MutualIdentity[] {
  const { identities } = stores
  if (!identities.readable) throw unreadable('MutualIdentities', namespace)
  const all = identities.inNamespace(namespace)
  if (name === undefined) return all
  const found = identities.get(namespace, name)
  if (found) return [found]
  const known = all.map((identity) => identity.name)
  throw notFound(`there is no MutualIdentity ${name} in namespace ${namespace}${guess(name, known)} (kubectl get mid -n ${namespace})`)
}

type AuthorityStores = Pick<Stores, 'authorities' | 'namespacedAuthorities'>

/** Those of a name (there may be one of the cluster and one of the namespace), or all. */
export function findAuthorities(
  stores: AuthorityStores,
  namespace: string,
  { name, of }: { readonly name: string | undefined; readonly of: readonly AuthorityKind[] },
): readonly Authority[] {
  const storeOf = (kind: AuthorityKind) => (kind === 'ClusterMutualAuthority' ? stores.authorities : stores.namespacedAuthorities)
  const whereOf = (kind: AuthorityKind): string => (kind === 'ClusterMutualAuthority' ? '' : namespace)
  const unread = of.filter((kind) => !storeOf(kind).readable)
  const found = of.flatMap((kind) => {
    if (name === undefined) return storeOf(kind).inNamespace(whereOf(kind))
    const one = authorityOf(stores, authorityRef(kind, namespace, name))
    return one ? [one] : []
  })
  if (found.length > 0) return found
  const [kind] = unread
  if (kind) throw unreadable(kind === 'MutualAuthority' ? 'MutualAuthorities' : 'ClusterMutualAuthorities', whereOf(kind))
  if (name === undefined) return []
  throw notFound(`there is no ${of.join(' or ')} ${name}${of.includes('MutualAuthority') ? ` in namespace ${namespace}` : ''}`)
}

export function unreadable(what: string, namespace: string): OperatorError {
  const where = namespace === '' ? 'the cluster' : `namespace ${namespace}`
  return new OperatorError('blocked', 'Forbidden', `${what} of ${where} may not be read by this account`)
}

const notFound = (message: string): OperatorError => new OperatorError('blocked', 'NotFound', message)
