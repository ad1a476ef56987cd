// An API server in memory, in virtual time, behind the Transport interface: the real client, watchers, stores, election and recorder run on it as
// they are. Used by scenarios. The conformance file (test/contract/api-server.ts) holds it against the real one.
// Not modelled: RBAC (hooks refuse), CEL rules, admission, quotas, managedFields in the objects, fields of built-in kinds but Secrets and ConfigMaps,
// foreground deletion, the 3 s that a list of a future version waits, what the cache of the real one lags behind.

import type { Clock } from '../../../src/base/clock.ts'
import type { Call, Reply } from '../../../src/k8s/call.ts'
import { localError } from '../../../src/k8s/errors.ts'
import type { RawObject, Resource } from '../../../src/k8s/resource.ts'
import type { Transport } from '../../../src/k8s/transport.ts'
import { badRequest, collectionName, Failure, notFound, notServed, statusOf } from './failure.ts'
import type { Arrival, Fault, FaultHook, RecordedRequest } from './faults.ts'
import { Garbage } from './garbage.ts'
import { type Kind, kindOf, kindsOf } from './kinds.ts'
import { listAnswer } from './lists.ts'
import { MAX_BODY } from './rules.ts'
import { type Snapshot, Storage, type StoredEvent } from './storage.ts'
import { type Delivery, Watches, type WatchStream } from './watches.ts'
import { type Preconditions, Writes } from './writes.ts'

/** The transport of one process. */
export interface Connection extends Transport {
  /** The process is dead: nothing more is carried out for it, and nothing answered. */
  kill(): void
  readonly dead: boolean
}

export interface MemoryApi {
  connect(options?: { readonly user?: string; readonly hook?: FaultHook }): Connection
  /** All that arrived, in order. */
  readonly requests: readonly RecordedRequest[]
  /** What is stored, seen from outside; copies. */
  object(resource: Resource, ref: { readonly namespace?: string; readonly name: string }): RawObject | undefined
  objects(resource: Resource, namespace?: string): RawObject[]
  /** How events reach the watches; change its fields. releaseEvents() lets go what was held. */
  readonly delivery: Delivery
  releaseEvents(): void
  /** All watches and pages from before now are answered 410. */
  compact(): void
  endWatches(): void
  breakWatches(): void
  silenceWatches(): void
  readonly openWatches: number
  /** Requests whose answer waits for time to pass. */
  readonly held: number
  /** Something was made to fail, so that callers may wait for another try. */
  readonly disturbed: boolean
  snapshot(): Snapshot
  restore(snapshot: Snapshot): void
  /** Hears of every change that is stored, at once; returns a function that ends it. What it is given must not be changed. */
  listen(listener: (change: StoredEvent) => void): () => void
  /** Garbage collection and the end of namespaces wait, or go on. */
  holdGarbage(held: boolean): void
}

/** An empty cluster but for the namespaces default and kube-system. */
export function memoryApi({ clock }: { readonly clock: Clock }): MemoryApi {
  const storage = new Storage()
  const namespaceKind = kindOf('', 'v1', 'namespaces') as Kind
  const writes = new Writes(storage, clock, (name) => storage.get(namespaceKind, '', name))
  const garbage = new Garbage(storage, writes, clock)
  const watches = new Watches(storage, clock)
  const requests: RecordedRequest[] = []
  for (const name of ['default', 'kube-system']) {
    writes.create({ kind: namespaceKind, namespace: '', name, subresource: '' }, { metadata: { name } }, false)
  }
  const kindOfResource = ({ group, version, plural }: Resource): Kind => {
    const kind = kindOf(group, version, plural)
    if (!kind) throw new Error(`${plural} is not served`)
    return kind
  }
  const server: Server = { storage, writes, watches, clock, requests, held: 0, disturbed: false }
  return {
    connect: (options = {}) => connect(server, options),
    requests,
    object: (resource, { namespace = '', name }) => copyOf(storage.get(kindOfResource(resource), namespace, name)),
    objects: (resource, namespace) => storage.list(kindOfResource(resource), namespace).map((object) => structuredClone(object)),
    delivery: watches.delivery,
    releaseEvents() {
      watches.delivery.held = false
      for (const stream of watches.open) stream.release()
    },
    compact: () => storage.compact(),
    endWatches() {
      for (const stream of watches.open) stream.end()
    },
    breakWatches() {
      for (const stream of watches.open) stream.break(localError('ConnectionLost', 'the connection broke'))
    },
    silenceWatches() {
      for (const stream of watches.open) stream.silence()
    },
    get held() {
      return server.held
    },
    get disturbed() {
      return server.disturbed
    },
    get openWatches() {
      return watches.open.length
    },
    snapshot: () => storage.snapshot(),
    restore(snapshot) {
      storage.restore(snapshot)
      garbage.restored()
    },
    listen: (listener) => storage.listen(listener),
    holdGarbage: (held) => garbage.hold(held),
  }
}

const copyOf = <T>(value: T | undefined): T | undefined => (value === undefined ? undefined : structuredClone(value))

interface Server {
  readonly storage: Storage
  readonly writes: Writes
  readonly watches: Watches
  readonly clock: Clock
  readonly requests: RecordedRequest[]
  held: number
  disturbed: boolean
}

function connect(server: Server, { user = 'operator', hook }: { user?: string; hook?: FaultHook }): Connection {
  let dead = false
  let closed = false
  const streams = new Set<WatchStream>()
  const never = (): Promise<never> => new Promise(() => {})
  return {
    async request(call) {
      if (dead) return never()
      if (closed || call.signal?.aborted) throw localError('Cancelled', `${call.verb} ${call.resource} was cancelled`)
      const arrival = arrivalOf(server, call, user)
      const fault = hook?.(arrival)
      if (fault?.kind === 'dieBefore') dead = true
      if (fault && !/^(die|delay)/.test(fault.kind)) server.disturbed = true
      const answer = carriesOut(fault) ? answerOf(server, arrival) : undefined
      server.requests.push(recordOf(server, arrival, fault, answer?.status ?? 0))
      if (fault?.kind === 'dieAfter') dead = true
      // As on a network, the answer comes later.
      await Promise.resolve()
      if (dead) return never()
      const reply = await afterFault(server, call, fault, answer)
      if (dead) return never()
      if (reply.stream) streams.add(reply.stream)
      return replyOf(reply, () => dead)
    },
    async close() {
      closed = true
      for (const stream of streams) stream.break(localError('Cancelled', 'the connection to the cluster was closed'))
    },
    kill() {
      dead = true
    },
    get dead() {
      return dead
    },
  }
}

interface Answer {
  readonly status: number
  readonly body: string
  readonly retryAfterMs?: number | undefined
  readonly stream?: WatchStream | undefined
}

const carriesOut = (fault: Fault | undefined): boolean =>
  fault === undefined || fault.kind === 'breakAfter' || fault.kind === 'hangAfter' || fault.kind === 'dieAfter' || fault.kind === 'delay'

/** What of the answer reaches the caller. */
async function afterFault(server: Server, call: Call, fault: Fault | undefined, answer: Answer | undefined): Promise<Answer> {
  switch (fault?.kind) {
    case 'refuse': {
      const { status, reason = reasonFor(status), message = `refused with ${status}`, retryAfterMs, details = {} } = fault
      // Whoever is told to wait is waited for by nobody.
      if (retryAfterMs !== undefined) holdFor(server, retryAfterMs * LATEST_RETRY)
      return { status, retryAfterMs, body: JSON.stringify(statusOf({ code: status, reason, message, details })) }
    }
    case 'answer':
      return { status: fault.status, body: fault.body }
    case 'breakBefore':
    case 'breakAfter':
      answer?.stream?.end()
      throw localError('ConnectionLost', `${call.verb} ${call.resource}: the connection broke`)
    case 'hangBefore':
    case 'hangAfter':
      answer?.stream?.end()
      server.held++
      return await silence(server, call).finally(() => {
        server.held--
      })
    case 'delay':
      server.held++
      await new Promise<void>((resolve) => server.clock.after(fault.ms, resolve))
      server.held--
  }
  return answer as Answer
}

/** The client spreads its next try over the quarter behind Retry-After. */
const LATEST_RETRY = 1.25

function holdFor(server: Server, ms: number): void {
  server.held++
  server.clock.after(ms, () => {
    server.held--
  })
}

const REASONS: Readonly<Record<number, string>> = {
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}
const reasonFor = (status: number): string => REASONS[status] ?? 'Unknown'

function silence({ clock }: Server, { verb, resource, deadlineMs, signal }: Call): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = clock.after(deadlineMs, () => reject(localError('TimedOut', `${verb} ${resource}: no answer came in time`)))
    const cancel = (): void => {
      stop()
      reject(localError('Cancelled', `${verb} ${resource} was cancelled`))
    }
    signal?.addEventListener('abort', cancel, { once: true })
    if (signal?.aborted) cancel()
  })
}

function replyOf({ status, body, retryAfterMs, stream }: Answer, isDead: () => boolean): Reply {
  return {
    status,
    retryAfterMs,
    text: async () => body,
    async *lines() {
      for await (const line of stream?.lines() ?? []) {
        if (isDead()) await new Promise(() => {})
        yield line
      }
    },
  }
}

function recordOf(server: Server, arrival: Arrival, fault: Fault | undefined, code: number): RecordedRequest {
  const { call, ...rest } = arrival
  const status = fault?.kind === 'refuse' || fault?.kind === 'answer' ? fault.status : code
  return { ...rest, at: server.clock.now(), code: status, fault: fault?.kind, body: call.body }
}

const PATH = /^\/(?:api\/(?<core>[^/]+)|apis\/(?<group>[^/]+)\/(?<version>[^/]+))(?<rest>\/.*)?$/

interface Place {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly namespace: string
  readonly name: string
  readonly subresource: string
}

function placeOf(path: string): Place {
  const { core, group = '', version = core ?? '', rest = '' } = PATH.exec(path)?.groups ?? {}
  const parts = rest.split('/').slice(1).map(decodeURIComponent)
  const inNamespace = parts[0] === 'namespaces' && parts.length > 2
  const [plural = '', name = '', subresource = ''] = inNamespace ? parts.slice(2) : parts
  return { group, version, plural, namespace: inNamespace ? (parts[1] ?? '') : '', name, subresource }
}

function arrivalOf({ requests }: Server, call: Call, user: string): Arrival {
  const { plural, namespace, name, subresource } = placeOf(call.path)
  const named = name || nameIn(call)
  return { number: requests.length + 1, user, verb: call.verb, resource: plural, subresource, namespace, name: named, call }
}

function nameIn({ method, body }: Call): string {
  if (method !== 'POST' || body === undefined) return ''
  try {
    return (JSON.parse(body) as RawObject).metadata?.name ?? ''
  } catch {
    return ''
  }
}

function answerOf(server: Server, { call, user }: Arrival): Answer {
  server.storage.by = user
  try {
    return route(server, call)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { status: error.code, body: JSON.stringify(statusOf(error)) }
  } finally {
    server.storage.by = 'cluster'
  }
}

function route(server: Server, call: Call): Answer {
  const place = placeOf(call.path)
  const { query = {} } = call
  if (place.plural === '') return { status: 200, body: JSON.stringify(discovery(place)) }
  const kind = kindOf(place.group, place.version, place.plural)
  if (!kind || (place.subresource !== '' && !(place.subresource === 'status' && kind.statusSubresource))) throw notServed()
  const { namespace, name, subresource } = place
  const target = { kind, namespace, name, subresource }
  const strict = query.fieldValidation === 'Strict'
  if (Buffer.byteLength(call.body ?? '') > MAX_BODY) {
    throw new Failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${MAX_BODY}`)
  }
  switch (name === '' ? call.method : `${call.method} one`) {
    case 'GET':
      if (query.watch !== 'true') return ok(listAnswer(server.storage, kind, namespace, query))
      return { status: 200, body: '', stream: server.watches.begin(kind, namespace, query, call.idleMs ?? 0, call.signal) }
    case 'GET one':
      return ok(found(server, kind, namespace, name))
    case 'POST':
      return { ...ok(server.writes.create(target, bodyOf(call), strict)), status: 201 }
    case 'PATCH one':
      return ok(server.writes.patch(target, bodyOf(call), strict))
    case 'PUT one':
      if (subresource === 'status') return ok(server.writes.replaceStatus(target, bodyOf(call), strict))
      throw notAllowed()
    case 'DELETE one': {
      const { preconditions = {} } = bodyOf(call) as unknown as { preconditions?: Preconditions }
      return ok(server.writes.delete(target, preconditions) ?? { kind: 'Status', apiVersion: 'v1', status: 'Success' })
    }
    default:
      throw notAllowed()
  }
}

const notAllowed = (): Failure => new Failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource')
const ok = (body: object): Answer => ({ status: 200, body: JSON.stringify(body) })

function found({ storage }: Server, kind: Kind, namespace: string, name: string): RawObject {
  const object = storage.get(kind, namespace, name)
  if (!object) throw notFound(collectionName(kind), name)
  return object
}

function bodyOf({ body = '{}' }: Call): RawObject {
  try {
    return JSON.parse(body) as RawObject
  } catch {
    throw badRequest('the object provided is unrecognized')
  }
}

function discovery({ group, version }: Place): object {
  const kinds = kindsOf(group, version)
  if (kinds.length === 0) throw notServed()
  return {
    kind: 'APIResourceList',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: kinds.map(({ plural }) => ({ name: plural })),
  }
}
