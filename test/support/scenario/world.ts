// A cluster in memory with operators in it, in virtual time: the real client, watches, stores and controllers on the API server in memory.
// Used by scenarios. It decides nothing about right and wrong: that is for the oracles and the tests.

// Loaded before the first root is made: a library takes longer than settling waits for a pass that does not move. In this order.
import 'reflect-metadata'
import '@peculiar/x509'
import type { Clock } from '../../../src/base/clock.ts'
import { createLog } from '../../../src/base/log.ts'
import type { Random } from '../../../src/base/random.ts'
import { type Config, parseConfig } from '../../../src/config.ts'
import { type ControllerSet, createControllerSet } from '../../../src/controller-set.ts'
import { type Client, createClient } from '../../../src/k8s/client.ts'
import { fencedClient } from '../../../src/k8s/fenced-client.ts'
import { ConcurrencyLimit } from '../../../src/runtime/concurrency-limit.ts'
import { createStores, restartWatchers, type Stores, storeWatchers } from '../../../src/stores.ts'
import type { Metrics } from '../../../src/telemetry/metrics.ts'
import { OPERATOR_NAMESPACE, steadyRandom } from '../material.ts'
import type { FaultHook } from '../memory-api/faults.ts'
import { type Connection, type MemoryApi, memoryApi } from '../memory-api/server.ts'
import { type VirtualClock, virtualClock } from '../virtual-clock.ts'

/** One operator. */
export interface OperatorProcess {
  readonly stores: Stores
  readonly connection: Connection
  /** Passes that are due or run. */
  readonly busy: number
  /** As kill -9. */
  kill(): void
  /** As SIGTERM. */
  stop(): Promise<void>
  /** Asks for a pass of everything, as the periodic resync does. */
  resync(): void
}

export interface World {
  readonly clock: VirtualClock
  readonly api: MemoryApi
  /** What people do; never faulted. */
  readonly person: Client
  /** Every line that any operator logged, at level debug. */
  readonly lines: readonly string[]
  readonly processes: readonly OperatorProcess[]
  /** Starts another operator; resolves when its caches are filled and its controllers run, or it is dead. */
  start(options?: StartOptions): Promise<OperatorProcess>
  /** Lets everything happen that needs no time. */
  settle(): Promise<void>
  /** Lets time pass, and what it brings happen. */
  pass(ms: number): Promise<void>
  /** Kills every operator; nobody starts another one before `act` is done. */
  withoutOperator(act: () => Promise<void>): Promise<void>
}

export interface StartOptions {
  readonly hook?: FaultHook
  readonly flags?: readonly string[]
  /** Default: the middle of every range. */
  readonly random?: Random
}

/** When worlds begin. */
export const BEGIN = Date.parse('2026-11-24T12:00:00Z')

/** `keeper` is called whenever everything has come to rest: it may start another operator in the place of a dead one. */
export function createWorld(keeper: (world: World) => Promise<void> = async () => {}): World {
  const clock = virtualClock(BEGIN)
  const api = memoryApi({ clock })
  const lines: string[] = []
  const processes: OperatorProcess[] = []
  const person = createClient(api.connect({ user: 'person' }), { clock, random: steadyRandom, fieldManager: 'kubectl' })
  const passes = { count: 0 }
  const activity = (): number => api.requests.length + lines.length + passes.count
  /** Nothing runs but what waits for an answer that is held back. */
  const quiet = (): boolean => processes.reduce((sum, { connection, busy }) => sum + (connection.dead ? 0 : busy), 0) <= api.held
  const patience = (): number => (api.disturbed ? BRIEFLY_MS : STUCK_MS)

  /** A few turns of the event loop without anything moving; or, where a pass waits for time, many of them. */
  async function rest(): Promise<void> {
    let last = activity()
    let still = 0
    for (let from = worked(); still < 4 || !(quiet() || worked() - from > patience()); still++) {
      await new Promise((resolve) => setImmediate(resolve))
      if (activity() !== last) {
        last = activity()
        still = 0
        from = worked()
      }
    }
  }

  let kept = false
  /** The keeper's own doings need no keeper. */
  async function settle(): Promise<void> {
    await rest()
    if (kept) return
    kept = true
    await keeper(world)
    kept = false
  }

  const world: World = {
    clock,
    api,
    person,
    lines,
    processes,
    settle,
    async start(options = {}) {
      const started = startOperator({ api, clock, lines, passes, ...options })
      processes.push(started.process)
      let ready = false
      void started.running.then(() => {
        ready = true
      })
      // Where a request is held up, its fillers need time.
      while (!ready && !started.process.connection.dead) {
        await rest()
        if (!ready && !started.process.connection.dead) await clock.advance(clock.nextIn ?? 0)
      }
      return started.process
    },
    async pass(ms) {
      const until = clock.monotonic() + ms
      await settle()
      for (;;) {
        const next = clock.nextIn
        if (next === undefined || clock.monotonic() + next > until) break
        const before = activity()
        await clock.advance(next)
        if (activity() !== before || !quiet()) await settle()
      }
      await clock.advance(until - clock.monotonic())
      await settle()
    },
    async withoutOperator(act) {
      for (const process of processes) process.kill()
      kept = true
      await act()
      kept = false
      await settle()
    },
  }
  return world
}

/** Milliseconds of CPU that this process has had: on a busy machine patience lasts longer by itself. */
function worked(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Where requests fail, passes wait for another try: then no more than what a key takes as a rule. */
const BRIEFLY_MS = 12
/** Longer than any key of an elliptic curve takes to be made, on a busy machine. */
const STUCK_MS = 200

function configOf(flags: readonly string[]): Config {
  const parsed = parseConfig(['--namespace', OPERATOR_NAMESPACE, '--leader-election', 'false', ...flags], {}, false)
  if (parsed.kind !== 'run') throw new Error(parsed.text)
  return parsed.config
}

interface Starting extends StartOptions {
  readonly api: MemoryApi
  readonly clock: VirtualClock
  readonly lines: string[]
  readonly passes: { count: number }
}

function startOperator({ api, clock: worldClock, lines, passes, hook, flags = [], random = steadyRandom }: Starting): {
  process: OperatorProcess
  running: Promise<void>
} {
  const config = configOf(flags)
  const connection = api.connect({ user: 'operator', ...(hook ? { hook } : {}) })
  const clock = mortalClock(worldClock, connection)
  const log = createLog('debug', (line) => lines.push(line))
  const stores = createStores(
    ({ name, part, error }) => log.error('an object cannot be read', { name, detail: part, error: String(error) }),
    config.watchNamespaces,
  )
  const client = createClient(connection, { clock, random, fieldManager: 'mutual-identity' })
  const watching = { client, clock, random, log, operatorNamespace: config.namespace }
  const watchers = Object.values(storeWatchers(stores, watching)).flat()
  const workloadWatchers = config.restartWorkloads ? Object.values(restartWatchers(stores, watching)).flat() : []
  const term = new AbortController()
  const set: ControllerSet = createControllerSet({
    config,
    clock,
    random,
    log,
    client: fencedClient(client, term.signal),
    stores,
    metrics: countingPasses(passes),
    identitiesAtOnce: new ConcurrencyLimit({ clock, most: config.concurrency }),
  })
  const controllers = Object.values(set.controllers)
  const running = (async () => {
    // Nobody waits for these.
    for (const watcher of workloadWatchers) void watcher.start().catch(() => undefined)
    await Promise.all(watchers.map((watcher) => watcher.start()))
    await set.start(term.signal)
  })()
  return {
    running,
    process: {
      stores,
      connection,
      get busy() {
        return controllers.reduce((sum, { figures }) => sum + figures.depth + figures.running, 0)
      },
      kill: () => connection.kill(),
      async stop() {
        await set.stop()
        term.abort()
        await Promise.all([...watchers, ...workloadWatchers].map((watcher) => watcher.stop()))
        connection.kill()
      },
      resync: () => void set.enqueueAll(),
    },
  }
}

/** The dead set no timers, and those they had set do not go off. */
function mortalClock(clock: VirtualClock, connection: Connection): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms, run) => (connection.dead ? () => {} : clock.after(ms, () => (connection.dead ? undefined : run()))),
  }
}

/** Of all that is measured only the number of passes is of interest. */
function countingPasses(passes: { count: number }): Metrics {
  const pass = (): void => {
    passes.count++
  }
  return { pass, step() {}, request() {}, render: async () => ({ contentType: '', text: '' }) }
}
