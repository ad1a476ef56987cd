// The composition root: the only place that wires clients, caches, controllers, lease and telemetry. Holds no decisions about certificates.
//
//   telemetry -> watches (all replicas) -> election -> controllers (the leader)

import { MANAGER } from './api/names.ts'
import type { Clock } from './base/clock.ts'
import { messageOf } from './base/errors.ts'
import type { Log } from './base/log.ts'
import type { Random } from './base/random.ts'
import type { Config } from './config.ts'
import { reconcileAuthority } from './controllers/authority/controller.ts'
import { ensureDefaultAuthority } from './controllers/authority/default-authority.ts'
import { reconcileBundle } from './controllers/bundle/controller.ts'
import { copiesOfAuthority } from './controllers/bundle/triggers.ts'
import { identityKey, reconcileIdentity } from './controllers/identity/controller.ts'
import { certificateReadings } from './controllers/identity/readings.ts'
import type { Issuers } from './issuers/issuer.ts'
import { createSelfManagedIssuer } from './issuers/self-managed.ts'
import { type Client, createClient } from './k8s/client.ts'
import { createRecorder } from './k8s/events.ts'
import { loadAccess } from './k8s/kubeconfig.ts'
import { Election } from './k8s/lease.ts'
import { createTransport } from './k8s/transport.ts'
import { Controller, type Next, type Pass } from './runtime/controller.ts'
import { Manager, type Part, together } from './runtime/manager.ts'
import { createStores, type Stores, storeWatchers } from './stores.ts'
import { serveTelemetry, type TelemetryServer } from './telemetry/http.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { connectTriggers } from './wiring.ts'

export interface Operator {
  /** Resolves when caches are filled, telemetry answers and this replica stands for election. */
  start(): Promise<void>
  /** Finishes the steps at hand, gives the lease back, closes everything. */
  stop(): Promise<void>
  /** HOST:PORT of telemetry, once started. */
  readonly telemetryAddress: string | undefined
}

export interface OperatorOptions {
  readonly config: Config
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** The lease is lost: what the leader did must end, and the process restarts as a candidate. */
  readonly onLost: () => void
}

/** The controllers, by name. */
interface Controllers {
  readonly authority: Controller
  readonly identity: Controller
  readonly bundle: Controller
}

/** Finds the cluster and wires everything; nothing runs before start(). */
export async function createOperator(options: OperatorOptions): Promise<Operator> {
  const { config, clock, random, log } = options
  const access = await loadAccess({ clock, kubeconfig: config.kubeconfig, context: config.context, environment: config.environment })
  log.info('cluster found', { detail: access.describe })
  const stores = createStores((problem) =>
    log.error('an object cannot be read', { namespace: problem.namespace, name: problem.name, error: messageOf(problem.error) }),
  )
  let controllers: Controllers | undefined
  let election: Election | undefined
  let telemetry: TelemetryServer | undefined
  let synced = false
  const metrics = createMetrics({
    leading: () => leads(),
    queueDepths: () =>
      Object.fromEntries(Object.values(controllers ?? {}).map((controller: Controller) => [controller.name, controller.figures.depth])),
    silences: () => Object.fromEntries(watchers.map((watcher) => [watcher.name, watcher.silentMs ?? 0])),
    certificates: () => certificateReadings(stores.leafSecrets, clock.now()),
  })
  const transport = createTransport(access, { clock, connections: config.connections, userAgent: MANAGER, observe: metrics.request })
  const client = createClient(transport, { clock, random, fieldManager: MANAGER })
  const watchers = storeWatchers(stores, { client, clock, random, log, operatorNamespace: config.namespace })
  const leads = (): boolean => (config.leaderElection ? (election?.leading ?? false) : controllers !== undefined)

  const lead = async (): Promise<void> => {
    const ready = createControllers({ ...options, client, stores, observe: metrics })
    controllers = ready
    connectTriggers(stores, ready)
    if (config.defaultAuthority)
      await ensureDefaultAuthority({ caches: stores, client, log, wroteAuthority: (raw) => stores.authorities.wrote(raw) })
    enqueueAll(stores, ready)
    for (const controller of Object.values(ready)) await controller.start()
    log.info('controllers started', {
      count: stores.identities.size,
      detail: `${stores.identities.size} identities, ${stores.authorities.size} authorities`,
    })
  }
  const startLeading = (): void => {
    leading = lead().catch((error: unknown) => {
      log.error('the controllers could not be started', { error: messageOf(error) })
      options.onLost()
    })
  }
  let leading: Promise<void> = Promise.resolve()

  const telemetryPart: Part = {
    name: 'telemetry',
    start: async () => {
      const health = { sick: () => undefined, unready: () => (synced ? undefined : 'the caches are not filled yet') }
      telemetry = await serveTelemetry({ host: config.httpAddress, port: config.httpPort, metrics, health })
      log.info('telemetry served', { address: telemetry.address, detail: '/metrics /healthz /readyz' })
    },
    stop: async () => telemetry?.close(),
  }
  const controllersPart: Part = {
    name: 'controllers',
    start: async () => {
      synced = true
      if (!config.leaderElection) startLeading()
    },
    stop: async () => {
      await leading
      await Promise.all(Object.values(controllers ?? {}).map((controller: Controller) => controller.stop()))
    },
  }
  const electionPart: Part = {
    name: 'election',
    start: async () => {
      if (!config.leaderElection) return
      const lease = { namespace: config.namespace, name: MANAGER }
      const identity = `${config.instance}_${Buffer.from(random.bytes(4)).toString('hex')}`
      election = new Election({ client, clock, random, log, lease, identity, onAcquired: startLeading, onLost: options.onLost })
      election.start()
    },
    stop: async () => election?.stop(),
  }
  // Stopped in reverse: first the controllers end their steps, then the lease is given back, so that no two replicas ever work at once.
  const manager = new Manager(
    [
      telemetryPart,
      { name: 'transport', start: async () => {}, stop: () => transport.close() },
      together('watches', watchers, log),
      electionPart,
      controllersPart,
    ],
    { log },
  )
  return {
    start: () => manager.start(),
    stop: () => manager.stop(),
    get telemetryAddress() {
      return telemetry?.address
    },
  }
}

interface ControllerParts extends OperatorOptions {
  readonly client: Client
  readonly stores: Stores
  readonly observe: ReturnType<typeof createMetrics>
}

function createControllers({ config, clock, random, log, client, stores, observe: metrics }: ControllerParts): Controllers {
  const events = createRecorder({ client, clock, random, log, controller: `mutualidentity.io/${MANAGER}`, instance: config.instance })
  const issuers: Issuers = { selfManaged: createSelfManagedIssuer({ client, namespace: config.namespace, random }) }
  const shared = { client, clock, random, events, caches: stores }
  const controller = (
    name: string,
    concurrency: number,
    keys: () => Iterable<string>,
    reconcile: (pass: Pass) => Promise<Next>,
  ): Controller =>
    new Controller({
      name,
      concurrency,
      clock,
      random,
      log,
      reconcile,
      observe: metrics.pass,
      resync: { keys, everyMs: config.resyncMinutes * 60_000 },
    })

  return {
    authority: controller(
      'authority',
      4,
      () => authorityKeys(stores),
      (pass) =>
        reconcileAuthority(pass, {
          ...shared,
          namespace: config.namespace,
          defaultTrustDomain: config.trustDomain,
          wroteAuthority: (raw) => stores.authorities.wrote(raw),
          wroteCaSecret: (raw) => stores.caSecrets.wrote(raw),
          wroteRecord: (raw) => stores.bundleRecords.wrote(raw),
          removedRecord: (ref, uid) => stores.bundleRecords.removed(ref, uid),
        }),
    ),
    identity: controller(
      'identity',
      config.concurrency,
      () => identityKeys(stores),
      (pass) =>
        reconcileIdentity(pass, {
          ...shared,
          issuers,
          surroundings: { operatorNamespace: config.namespace, clusterDomain: config.clusterDomain },
          wroteIdentity: (raw) => stores.identities.wrote(raw),
          wroteSecret: (raw) => stores.leafSecrets.wrote(raw),
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
  }
}

const authorityKeys = (stores: Stores): string[] => [...stores.authorities.all()].map(({ name }) => name)
const identityKeys = (stores: Stores): string[] => [...stores.identities.all()].map(({ namespace, name }) => identityKey(namespace, name))
const bundleKeys = (stores: Stores): string[] => [...new Set(authorityKeys(stores).flatMap((name) => copiesOfAuthority(name, stores)))]

/** What was listed before this replica led woke nobody. */
function enqueueAll(stores: Stores, controllers: Controllers): void {
  for (const key of authorityKeys(stores)) controllers.authority.enqueue(key)
  for (const key of identityKeys(stores)) controllers.identity.enqueue(key)
  for (const key of bundleKeys(stores)) controllers.bundle.enqueue(key)
}
