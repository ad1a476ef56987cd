// Looks up what a person named, and says what is wrong where it is not there: absent, in a namespace that is absent, or not to be read.

import type { Authority } from '../api/authority.ts'
import type { MutualIdentity } from '../api/mutual-identity.ts'
import { type AuthorityKind, authorityRef } from '../api/names.ts'
import { OperatorError } from '../base/errors.ts'
import { authorityOf } from '../controllers/caches.ts'
import type { Client } from '../k8s/client.ts'
import type { Stores } from '../stores.ts'
import { requireNamespace } from './namespace-there.ts'
import { guess } from './usage-error.ts'

/** One identity, or all of the namespace, sorted. Throws where it, or its namespace, is not there or may not be read. */
export async function findIdentities(
  client: Client,
  { identities }: Pick<Stores, 'identities'>,
  namespace: string,
  name: string | undefined,
): Promise<readonly MutualIdentity[]> {
  if (!identities.readable) throw unreadable('MutualIdentities', namespace)
  const all = identities.inNamespace(namespace)
  if (all.length === 0) await requireNamespace(client, namespace)
  if (name === undefined) return all
  const found = identities.get(namespace, name)
  if (found) return [found]
  const known = all.map((identity) => identity.name)
  throw notFound(`there is no MutualIdentity ${name} in namespace ${namespace}${guess(name, known)} (kubectl get mid -n ${namespace})`)
}

type AuthorityStores = Pick<Stores, 'authorities' | 'namespacedAuthorities'>

/** Those of a name (there may be one of the cluster and one of the namespace), or all. */
export async function findAuthorities(
  client: Client,
  stores: AuthorityStores,
  namespace: string,
  { name, of }: { readonly name: string | undefined; readonly of: readonly AuthorityKind[] },
): Promise<readonly Authority[]> {
  const storeOf = (kind: AuthorityKind) => (kind === 'ClusterMutualAuthority' ? stores.authorities : stores.namespacedAuthorities)
  const whereOf = (kind: AuthorityKind): string => (kind === 'ClusterMutualAuthority' ? '' : namespace)
  const unread = of.filter((kind) => !storeOf(kind).readable)
  const found = of.flatMap((kind) => {
    if (name === undefined) return storeOf(kind).inNamespace(whereOf(kind))
    const one = authorityOf(stores, authorityRef(kind, namespace, name))
    return one ? [one] : []
  })
  // A list that lacks those of the namespace must not look like one of a namespace that has none.
  const isAsked = of.includes('MutualAuthority') && (name === undefined || found.length === 0)
  if (isAsked && !found.some(({ ref }) => ref.namespace === namespace)) await requireNamespace(client, namespace)
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
