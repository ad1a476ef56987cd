// Which change wakes which controller. Only keys travel; what a pass does it decides from the caches. Used by the composition root.

import { type AuthorityRef, authorityKey } from './api/names.ts'
import { bundleKey } from './controllers/bundle/controller.ts'
import { copiesOfAuthority, copiesOfIdentity, copiesOfNamespace } from './controllers/bundle/triggers.ts'
import { allAuthorities } from './controllers/caches.ts'
import { identityKey } from './controllers/identity/controller.ts'
import {
  identitiesBeside,
  identitiesOfAuthority,
  identitiesOfNamespace,
  identitiesOfPodChange,
  identitiesOfSecret,
  identitiesOfService,
  identitiesTrusting,
} from './controllers/identity/triggers.ts'
import { asking, restartsBeside, restartsOfSecret, restartsOfWorkload } from './controllers/restart/triggers.ts'
import { equalData } from './k8s/equality.ts'
import type { Change } from './k8s/store.ts'
import type { Controller } from './runtime/controller.ts'
import { trigger } from './runtime/triggers.ts'
import type { Stores } from './stores.ts'

/** The controllers by what they keep true. */
export interface Controllers {
  readonly authority: Controller
  readonly identity: Controller
  readonly bundle: Controller
  /** Only where workloads may be restarted. */
  readonly restart?: Controller
}

/** Subscribes the controllers; returns a function that undoes it. */
export function connectTriggers(stores: Stores, controllers: Controllers): () => void {
  const ends = [
    ...identityTriggers(stores, controllers.identity),
    ...authorityTriggers(stores, controllers.authority),
    ...bundleTriggers(stores, controllers.bundle),
    ...(controllers.restart ? restartTriggers(stores, controllers.restart) : []),
  ]
  return () => {
    for (const end of ends) end()
  }
}

/** A pass ends with its own writes in the cache: they are no reason for another one. */
function byOthers<T>(change: Change<T>, keysOf: (object: T) => Iterable<string>): Iterable<string> {
  return change.own ? [] : both(change, keysOf)
}

function identityTriggers(stores: Stores, identity: Controller): (() => void)[] {
  const ofAuthority = (ref: AuthorityRef): string[] => identitiesOfAuthority(authorityKey(ref), stores.identities)
  const trusting = (ref: AuthorityRef): string[] => identitiesTrusting(authorityKey(ref), stores)
  return [
    trigger(stores.identities, identity, (change) => byOthers(change, (object) => [identityKey(object.namespace, object.name)])),
    trigger(stores.identities, identity, (change) =>
      onlyStatus(change) ? [] : both(change, (object) => identitiesBeside(object, stores)),
    ),
    // One that we deleted may be what another identity waits for.
    trigger(stores.leafSecrets, identity, (change) =>
      change.own && change.after !== undefined ? [] : both(change, (secret) => identitiesOfSecret(secret, stores.identities)),
    ),
    podTrigger(stores, identity),
    trigger(stores.services, identity, (change) => both(change, (service) => identitiesOfService(service, stores))),
    trigger(stores.namespaces, identity, (change) => both(change, ({ name }) => identitiesOfNamespace(name, stores.identities))),
    ...[stores.authorities, stores.namespacedAuthorities].map((authorities) =>
      trigger(authorities, identity, (change) => (onlyStatus(change) ? [] : both(change, ({ ref }) => ofAuthority(ref)))),
    ),
    trigger(stores.caSecrets, identity, (change) => both(change, (secret) => ofAuthority(secret.authority))),
    trigger(stores.bundleRecords, identity, (change) => both(change, (record) => trusting(record.authority))),
  ]
}

/**
 * The longest that a number of pods waits to be counted anew. During a rollout it changes with every pod, and each pass looks at all of them; what is
 * lost or late here is made up for by the next change, and by the periodic look at every identity.
 */
const COUNTED_WITHIN_MS = 5000

function podTrigger(stores: Stores, identity: Controller): () => void {
  return stores.pods.subscribe((change) => {
    const { atOnce, soon } = identitiesOfPodChange(change, stores)
    for (const key of atOnce) identity.enqueue(key)
    for (const key of soon) identity.enqueueWithin(key, COUNTED_WITHIN_MS)
  })
}

function authorityTriggers(stores: Stores, authority: Controller): (() => void)[] {
  return [
    // One authority may wait for another to give up a trust domain.
    ...[stores.authorities, stores.namespacedAuthorities].map((authorities) =>
      trigger(authorities, authority, (change) =>
        change.own || onlyStatus(change) ? [] : [...allAuthorities(stores)].map(({ ref }) => authorityKey(ref)),
      ),
    ),
    trigger(stores.caSecrets, authority, (change) => byOthers(change, (secret) => [authorityKey(secret.authority)])),
    trigger(stores.bundleRecords, authority, (change) => byOthers(change, (record) => [authorityKey(record.authority)])),
  ]
}

function bundleTriggers(stores: Stores, bundle: Controller): (() => void)[] {
  const ofAuthority = (ref: AuthorityRef): string[] => copiesOfAuthority(ref, stores)
  return [
    trigger(stores.identities, bundle, (change) => byOthers(change, copiesOfIdentity)),
    trigger(stores.authorities, bundle, (change) => (onlyStatus(change) ? [] : both(change, ({ ref }) => ofAuthority(ref)))),
    trigger(stores.bundleRecords, bundle, (change) => both(change, (record) => ofAuthority(record.authority))),
    trigger(stores.bundleCopies, bundle, (change) => byOthers(change, (copy) => [bundleKey(copy.authority, copy.namespace)])),
    trigger(stores.namespaces, bundle, (change) => both(change, ({ name }) => copiesOfNamespace(name, stores))),
  ]
}

/** The identity's own writes count here: the Secret and the status that reports it are what is waited for. */
function restartTriggers(stores: Stores, restart: Controller): (() => void)[] {
  return [
    trigger(stores.identities, restart, (change) => {
      if (!onlyStatus(change)) return both(change, (identity) => restartsBeside(identity, stores))
      const { before, after } = change
      return after && before?.status.certificate?.serialNumber !== after.status.certificate?.serialNumber ? asking([after]) : []
    }),
    trigger(stores.leafSecrets, restart, (change) => both(change, (secret) => restartsOfSecret(secret, stores))),
    ...[stores.deployments, stores.statefulSets, stores.daemonSets].map((workloads) =>
      trigger(workloads, restart, (change) => byOthers(change, (workload) => restartsOfWorkload(workload, stores))),
    ),
  ]
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
