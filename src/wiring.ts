// Which change wakes which controller. Only keys travel; what a pass does it decides from the caches. Used by the composition root.

import { bundleKey } from './controllers/bundle/controller.ts'
import { copiesOfAuthority, copiesOfNamespace, copyOfIdentity } from './controllers/bundle/triggers.ts'
import { identityKey } from './controllers/identity/controller.ts'
import {
  identitiesOfAuthority,
  identitiesOfNamespace,
  identitiesOfPod,
  identitiesOfService,
  identityOfSecret,
} from './controllers/identity/triggers.ts'
import { equalData } from './k8s/equality.ts'
import type { Change } from './k8s/store.ts'
import type { Controller } from './runtime/controller.ts'
import { trigger } from './runtime/triggers.ts'
import type { Stores } from './stores.ts'

/** Subscribes the controllers; returns nothing to undo, since they end with the process. */
export function connectTriggers(stores: Stores, controllers: { authority: Controller; identity: Controller; bundle: Controller }): void {
  const { authority, identity, bundle } = controllers

  // A pass ends with its own writes in the cache: they are no reason for another one.
  trigger(stores.identities, identity, (change) =>
    change.own ? [] : both(change, ({ namespace, name }) => [identityKey(namespace, name)]),
  )
  trigger(stores.leafSecrets, identity, (change) => (change.own ? [] : both(change, identityOfSecret)))
  trigger(stores.pods, identity, (change) => both(change, (pod) => identitiesOfPod(pod, stores.identities)))
  trigger(stores.services, identity, (change) => both(change, (service) => identitiesOfService(service, stores)))
  trigger(stores.namespaces, identity, (change) => both(change, ({ name }) => identitiesOfNamespace(name, stores.identities)))
  trigger(stores.authorities, identity, (change) =>
    onlyStatus(change) ? [] : both(change, ({ name }) => identitiesOfAuthority(name, stores.identities)),
  )
  trigger(stores.caSecrets, identity, (change) => both(change, (secret) => identitiesOfAuthority(secret.authority.name, stores.identities)))
  trigger(stores.bundleRecords, identity, (change) =>
    both(change, (record) => identitiesOfAuthority(record.authority.name, stores.identities)),
  )

  // One authority may wait for another to give up a trust domain.
  trigger(stores.authorities, authority, (change) =>
    change.own || onlyStatus(change) ? [] : [...stores.authorities.all()].map(({ name }) => name),
  )
  trigger(stores.caSecrets, authority, (change) => (change.own ? [] : both(change, (secret) => [secret.authority.name])))
  trigger(stores.bundleRecords, authority, (change) => (change.own ? [] : both(change, (record) => [record.authority.name])))

  trigger(stores.identities, bundle, (change) => (change.own ? [] : both(change, (object) => [copyOfIdentity(object)])))
  trigger(stores.bundleRecords, bundle, (change) => both(change, (record) => copiesOfAuthority(record.authority.name, stores)))
  trigger(stores.bundleCopies, bundle, (change) =>
    change.own ? [] : both(change, (copy) => [bundleKey(copy.authority.name, copy.namespace)]),
  )
  trigger(stores.namespaces, bundle, (change) => both(change, ({ name }) => copiesOfNamespace(name, stores)))
}

/** The keys for an object as it was and as it is. */
function both<T>({ before, after }: Change<T>, keysOf: (object: T) => Iterable<string>): Set<string> {
  return new Set([...(before ? keysOf(before) : []), ...(after ? keysOf(after) : [])])
}

/** Statuses are caches: nobody decides by them but the controller that writes them. */
function onlyStatus({ before, after }: Change<{ spec: unknown; uid: string; deleting: boolean; problem: string | undefined }>): boolean {
  return (
    before !== undefined &&
    after !== undefined &&
    before.uid === after.uid &&
    before.deleting === after.deleting &&
    before.problem === after.problem &&
    equalData(before.spec, after.spec)
  )
}
