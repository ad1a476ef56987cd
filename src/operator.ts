// The composition root: the only place that wires the cluster, caches, election, controllers and telemetry. Holds no decisions about certificates.
//
//   telemetry -> watches (all replicas) -> election -> controllers (while this replica leads)

import { MANAGER } from './api/names.ts'
import type { Clock } from './base/clock.ts'
import { messageOf } from './base/errors.ts'
import type { Log } from './base/log.ts'
import type { Random } from './base/random.ts'
import type { Config } from './config.ts'
import { type ControllerSet, createControllerSet } from './controller-set.ts'
import { certificateReadings } from './controllers/identity/readings.ts'
import { authorityEnds, objectReadings } from './controllers/object-readings.ts'
import { createClient } from './k8s/client.ts'
import { fencedClient } from './k8s/fenced-client.ts'
import { loadAccess } from './k8s/kubeconfig.ts'
import { Election } from './k8s/lease.ts'
import { createTransport } from './k8s/transport.ts'
import { ConcurrencyLimit } from './runtime/concurrency-limit.ts'
import { Manager, type Part, together } from './runtime/manager.ts'
import { createStores, restartWatchers, storeWatchers } from './stores.ts'
import { serveTelemetry, type TelemetryServer } from './telemetry/http.ts'
import { createMetrics } from './telemetry/metrics.ts'

export interface Operator {
  /** Resolves when caches are filled, telemetry answers and this replica stands for election. */
  start(): Promise<void>
  /** Finishes the steps at hand, gives the lease back, closes everything. */
  stop(): Promise<void>
}

export interface OperatorOptions {
  readonly config: Config
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Finds the cluster and wires everything; nothing runs before start(). Rejects when no cluster can be found. */
export async function createOperator(options: OperatorOptions): Promise<Operator> {
  const { config, clock, random, log } = options
  const access = await loadAccess({ clock, kubeconfig: config.kubeconfig, context: config.context, environment: config.environment })
  log.info('cluster configured', { detail: access.describe })
  const stores = createStores(
    (problem) =>
      log.error('an object cannot be read', { namespace: problem.namespace, name: problem.name, error: messageOf(problem.error) }),
    config.watchNamespaces,
  )
  const metrics = createMetrics({
    leading: () => terms.leading,
    queueDepths: () =>
      Object.fromEntries(Object.entries(terms.current?.controllers ?? {}).map(([name, controller]) => [name, controller.figures.depth])),
    silences: () =>
      Object.fromEntries(
        Object.entries({ ...watchers, ...workloadWatchers }).map(([name, ofStore]) => [
          name,
          Math.max(...ofStore.map((watcher) => watcher.silentMs ?? 0)),
        ]),
      ),
    certificates: () => certificateReadings(stores, clock.now()),
    objects: () => objectReadings(stores),
    authorityEnds: () => authorityEnds(stores),
    identitiesAtOnce: () => identitiesAtOnce.now,
  })
  const identitiesAtOnce = new ConcurrencyLimit({ clock, most: config.concurrency })
  const transport = createTransport(access, {
    clock,
    connections: config.connections,
    userAgent: MANAGER,
    observe(sample) {
      metrics.request(sample)
      identitiesAtOnce.observe(sample)
    },
  })
  const client = createClient(transport, { clock, random, fieldManager: MANAGER })
  const watching = { client, clock, random, log, operatorNamespace: config.namespace }
  const watchers = storeWatchers(stores, watching)
  const workloadWatchers: Partial<ReturnType<typeof restartWatchers>> = config.restartWorkloads ? restartWatchers(stores, watching) : {}
  const terms = createTerms(log, (term) =>
    createControllerSet({ ...options, client: fencedClient(client, term, () => election.check()), stores, metrics, identitiesAtOnce }),
  )
  const lease = { namespace: config.namespace, name: MANAGER }
  const identity = `${config.instance}_${Buffer.from(random.bytes(4)).toString('hex')}`
  const election = new Election({ client, clock, random, log, lease, identity, onAcquired: terms.begin, onLost: terms.end })

  let telemetry: TelemetryServer | undefined
  let synced = false
  const parts: Part[] = [
    {
      name: 'telemetry',
      start: async () => {
        const health = { sick: () => undefined, unready: () => (synced ? undefined : 'the caches are not filled yet') }
        telemetry = await serveTelemetry({ host: config.httpAddress, port: config.httpPort, metrics, health })
        log.info('telemetry served', { address: telemetry.address, detail: '/metrics /healthz /readyz' })
      },
      stop: async () => telemetry?.close(),
    },
    { name: 'transport', start: async () => {}, stop: () => transport.close() },
    together('watches', Object.values(watchers).flat(), log),
    aside(together('watches of workloads', Object.values(workloadWatchers).flat(), log)),
    {
      name: 'election',
      start: async () => {
        synced = true
        if (config.leaderElection) election.start()
      },
      stop: () => election.stop(),
    },
    // Stopped first: the controllers end their steps before the lease is given back, so that no two replicas ever work at once.
    {
      name: 'controllers',
      start: async () => {
        if (!config.leaderElection) terms.begin(new AbortController().signal)
      },
      stop: () => terms.finish(),
    },
  ]
  const manager = new Manager(parts, { log })
  return { start: () => manager.start(), stop: () => manager.stop() }
}

/** A part that nobody waits for: certificates are issued without it. Its start fails only where it is stopped. */
function aside(part: Part): Part {
  return { name: part.name, start: async () => void part.start().catch(() => undefined), stop: () => part.stop() }
}

/** Terms of leadership, one after the other: a new one begins when the former has come to rest. */
interface Terms {
  readonly leading: boolean
  readonly current: ControllerSet | undefined
  /** `term` aborts when the lease is lost. */
  readonly begin: (term: AbortSignal) => void
  readonly end: () => void
  /** Ends for good. */
  finish(): Promise<void>
}

function createTerms(log: Log, create: (term: AbortSignal) => ControllerSet): Terms {
  let current: ControllerSet | undefined
  let finished = false
  let chain: Promise<void> = Promise.resolve()
  const then = (step: () => Promise<void>): Promise<void> => {
    chain = chain.then(step).catch((error: unknown) => log.error('the controllers could not be started', { error: messageOf(error) }))
    return chain
  }
  const end = async (): Promise<void> => {
    const ending = current
    current = undefined
    await ending?.stop()
  }
  return {
    get leading() {
      return current !== undefined
    },
    get current() {
      return current
    },
    begin(term) {
      void then(async () => {
        if (finished || term.aborted) return
        current = create(term)
        await current.start(term)
      })
    },
    end: () => void then(end),
    finish() {
      finished = true
      return then(end)
    },
  }
}
