// The controllers of one term of leadership: made when it begins, stopped when it ends. Used by the composition root; holds no decisions
// about certificates.

import type { MutualIdentity } from './api/mutual-identity.ts'
import { authorityKey, MANAGER } from './api/names.ts'
import { projectLeafSecret } from './api/stored/leaf-secret.ts'
import { type Clock, type Instant, sleep } from './base/clock.ts'
import type { Log } from './base/log.ts'
import type { Random } from './base/random.ts'
import type { Config } from './config.ts'
import { reconcileAuthority } from './controllers/authority/controller.ts'
import { ensureDefaultAuthority } from './controllers/authority/default-authority.ts'
import { reconcileBundle } from './controllers/bundle/controller.ts'
import { copiesOfAuthority } from './controllers/bundle/triggers.ts'
import { allAuthorities } from './controllers/caches.ts'
import { identityKey, reconcileIdentity } from './controllers/identity/controller.ts'
import { Patience } from './controllers/identity/patience.ts'
import { PodCounts } from './controllers/identity/pods/pod-counts.ts'
import { reconcileRestart } from './controllers/restart/controller.ts'
import { workloadCache } from './controllers/restart/observe.ts'
import { Pace } from './controllers/restart/pace.ts'
import { asking } from './controllers/restart/triggers.ts'
import { createGenerationIssuer } from './issuers/generation.ts'
import type { Issuers } from './issuers/issuer.ts'
import type { Client } from './k8s/client.ts'
import { createRecorder, type Recorder } from './k8s/events.ts'
import type { ObjectRef, RawObject } from './k8s/resource.ts'
import { turns } from './k8s/turn.ts'
import type { ConcurrencyLimit } from './runtime/concurrency-limit.ts'
import { Controller, type Next, type Pass } from './runtime/controller.ts'
import type { Stores } from './stores.ts'
import type { Metrics } from './telemetry/metrics.ts'
import { type Controllers, connectTriggers } from './wiring.ts'

export interface ControllerSetOptions {
  readonly config: Config
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Fenced by the term. */
  readonly client: Client
  readonly stores: Stores
  readonly metrics: Metrics
  /** How many identities are worked on at once. */
  readonly identitiesAtOnce: ConcurrencyLimit
}

export interface ControllerSet {
  readonly controllers: Controllers
  /** Begins with every object that the caches hold; begins nothing once `term` aborts. */
  start(term: AbortSignal): Promise<void>
  /** Asks for a pass of every object. */
  enqueueAll(): Promise<void>
  /** Lets the steps at hand end; resolves when all is at rest. */
  stop(): Promise<void>
}

/** Makes them; nothing runs before start(). */
export function createControllerSet(options: ControllerSetOptions): ControllerSet {
  const { config, stores, log, clock, random, client } = options
  const events = createRecorder({
    client,
    clock,
    random,
    log,
    controller: `mutualidentity.io/${MANAGER}`,
    instance: config.instance,
    // Certificates first: whoever waits for one waits for it in earnest.
    busy: () => controllers.identity.isBusy,
  })
  const controllers = createControllers(options, events)
  let disconnect: (() => void) | undefined
  const everything = (): Promise<void> => enqueueAll(stores, controllers, turns(clock))
  return {
    controllers,
    enqueueAll: everything,
    async start(term) {
      disconnect = connectTriggers(stores, controllers)
      if (config.defaultAuthority) controllers.authority.enqueue(DEFAULT_AUTHORITY)
      await everything()
      if (term.aborted) return
      for (const controller of Object.values(controllers)) await controller.start()
      log.info('controllers started', {
        detail: `${stores.identities.size} identities, ${stores.authorities.size + stores.namespacedAuthorities.size} authorities`,
      })
    },
    async stop() {
      disconnect?.()
      await Promise.all(Object.values(controllers).map((controller) => controller.stop()))
      await Promise.race([events.settled(), sleep(clock, LAST_EVENTS_MS)])
    },
  }
}

/** No authority's name: the key of the one pass that makes the default authority; the queue repeats it until it went well. */
const DEFAULT_AUTHORITY = ''

/** How long the last events may still take when a term ends. */
const LAST_EVENTS_MS = 2000

function createControllers(options: ControllerSetOptions, events: Recorder): Controllers {
  const { config, clock, random, log, client, stores, metrics } = options
  const issuers: Issuers = { generations: createGenerationIssuer({ client, namespace: config.namespace, random }) }
  const patience = new Patience()
  const podCounts = new PodCounts()
  const pace = new Pace(clock.monotonic())
  const shared = { client, clock, random, events, caches: stores }
  const everyMs = config.resyncMinutes * 60_000
  const controller = (
    name: string,
    concurrency: number | ConcurrencyLimit,
    keys: () => Iterable<string>,
    reconcile: (pass: Pass) => Promise<Next>,
  ): Controller => new Controller({ name, concurrency, clock, random, log, reconcile, observe: metrics.pass, resync: { keys, everyMs } })

  return {
    authority: controller(
      'authority',
      4,
      () => authorityKeys(stores),
      (pass) =>
        (pass.key === DEFAULT_AUTHORITY ? ensureDefaultAuthority : reconcileAuthority)(pass, {
          ...shared,
          namespace: config.namespace,
          rules: {
            operatorNamespace: config.namespace,
            defaultTrustDomain: config.trustDomain,
            namespacedTrustDomains: config.namespacedTrustDomains,
          },
          wroteAuthority: (kind, raw) => (kind === 'MutualAuthority' ? stores.namespacedAuthorities : stores.authorities).wrote(raw),
          sawSource: (ref, raw) => rememberSource(stores, ref, raw),
          wroteCaSecret: (raw) => stores.caSecrets.wrote(raw),
          wroteRecord: (raw) => stores.bundleRecords.wrote(raw),
          removedRecord: (ref, uid) => stores.bundleRecords.removed(ref, uid),
        }),
    ),
    identity: controller(
      'identity',
      options.identitiesAtOnce,
      () => identityKeys(stores),
      (pass) =>
        reconcileIdentity(pass, {
          ...shared,
          issuers,
          patience,
          podCounts,
          surroundings: {
            operatorNamespace: config.namespace,
            clusterDomain: config.clusterDomain,
            restartWorkloads: config.restartWorkloads,
          },
          wroteIdentity: (raw) => stores.identities.wrote(raw),
          holdIdentity: (ref) => stores.identities.hold(ref),
          holdSecret: (ref) => stores.leafSecrets.hold(ref),
          wroteSecret: (raw, made) => stores.leafSecrets.wrote(raw, (raw) => projectLeafSecret(raw, made)),
          removedSecret: (ref, uid) => stores.leafSecrets.removed(ref, uid),
          onOutcome: metrics.step,
        }),
    ),
    bundle: controller(
      'bundle',
      8,
      () => bundleKeys(stores),
      (pass) =>
        reconcileBundle(pass, {
          ...shared,
          operatorNamespace: config.namespace,
          wroteCopy: (raw) => stores.bundleCopies.wrote(raw),
          removedCopy: (ref, uid) => stores.bundleCopies.removed(ref, uid),
        }),
    ),
    ...(config.restartWorkloads
      ? {
          restart: controller(
            'restart',
            4,
            () => restartKeys(stores),
            (pass) => reconcileRestart(pass, { ...shared, pace, wroteWorkload: (kind, raw) => stores[workloadCache[kind]].wrote(raw) }),
          ),
        }
      : {}),
  }
}

const authorityKeys = (stores: Stores): string[] => [...allAuthorities(stores)].map(({ ref }) => authorityKey(ref))
const identityKeys = (stores: Stores): string[] => [...stores.identities.all()].map(({ namespace, name }) => identityKey(namespace, name))
const restartKeys = (stores: Stores): string[] => asking(stores.identities.all())
const bundleKeys = (stores: Stores): string[] => [
  ...new Set([...allAuthorities(stores)].flatMap(({ ref }) => copiesOfAuthority(ref, stores))),
]

/** A Secret of others, as it was just found. */
function rememberSource({ caSources }: Stores, ref: ObjectRef, raw: RawObject | undefined): void {
  const known = caSources.get(ref.namespace, ref.name)
  if (raw) caSources.wrote(raw)
  else if (known) caSources.removed(ref, known.uid)
}

/** When the present certificate of an identity ends; undefined: it has none. */
function expiryOf({ leafSecrets }: Stores, { namespace, spec }: MutualIdentity): Instant | undefined {
  return leafSecrets.get(namespace, spec.delivery.secretName)?.leaf?.notAfter
}

/** What was listed before this replica led woke nobody. */
async function enqueueAll(
  stores: Stores,
  { authority, identity, bundle, restart }: Controllers,
  turn: ReturnType<typeof turns>,
): Promise<void> {
  for (const key of restart ? restartKeys(stores) : []) restart?.enqueue(key)
  for (const key of authorityKeys(stores)) authority.enqueue(key)
  for (const one of stores.identities.all()) {
    const deadline = expiryOf(stores, one)
    identity.enqueue(identityKey(one.namespace, one.name), deadline === undefined ? {} : { deadline })
    const pause = turn()
    if (pause !== undefined) await pause
  }
  for (const key of bundleKeys(stores)) bundle.enqueue(key)
}
