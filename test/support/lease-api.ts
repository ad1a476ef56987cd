// The part of the API that an election needs, in memory: one Lease, versions, conflicts, and faults that a test switches on.
// Used by the tests of the election, which run in virtual time. The same election runs against the real API server in test/cluster.

import { type Clock, sleep } from '../../src/base/clock.ts'
import type { CallOptions, Client } from '../../src/k8s/client.ts'
import { ApiError, localError } from '../../src/k8s/errors.ts'
import type { RawObject } from '../../src/k8s/resource.ts'

export type LeaseClient = Pick<Client, 'get' | 'create' | 'mergePatch'>

/** What happens to the calls of one client. `lost`: carried out, but the answer does not come; `writesLost`: of writes alone. `hang`: neither, until signal or deadline. */
export type Fault = 'none' | 'unreachable' | 'lost' | 'writesLost' | 'hang'

export interface LeaseApi {
  lease: RawObject | undefined
  /** False: creates are answered as where the namespace does not exist. */
  namespaceExists: boolean
  /** Successful writes of all clients. */
  readonly writes: number
  /** Changes the Lease as a person with kubectl does. */
  edit(spec: Record<string, unknown>, labels?: Record<string, string>): void
  /** A client whose fault may be changed at any time. */
  connect(): { client: LeaseClient; fault: Fault }
}

export function leaseApi(clock: Clock): LeaseApi {
  let version = 0
  let writes = 0
  const status = (code: number, reason: 'NotFound' | 'AlreadyExists' | 'Conflict') =>
    new ApiError(reason, { code, status: reason, message: reason })

  const store = (before: RawObject | undefined, change: RawObject): RawObject => {
    version++
    return {
      ...before,
      metadata: {
        ...before?.metadata,
        ...change.metadata,
        uid: before?.metadata.uid ?? `uid-${version}`,
        resourceVersion: String(version),
      },
      spec: { ...(before?.spec as object), ...(change.spec as object) },
    }
  }

  const api: LeaseApi = {
    lease: undefined,
    namespaceExists: true,
    get writes() {
      return writes
    },
    edit(spec, labels = {}) {
      api.lease = store(api.lease, { metadata: { name: 'l', labels }, spec })
    },
    connect() {
      const connection = { fault: 'none' as Fault, client: {} as LeaseClient }
      const through = async (
        writes: boolean,
        carryOut: () => RawObject,
        { signal, deadlineMs = 30_000 }: CallOptions = {},
      ): Promise<RawObject> => {
        await Promise.resolve()
        if (signal?.aborted) throw localError('Cancelled', 'cancelled')
        if (connection.fault === 'unreachable') throw localError('NotSent', 'nobody listens')
        if (connection.fault === 'hang') {
          await sleep(clock, deadlineMs, signal)
          throw signal?.aborted ? localError('Cancelled', 'cancelled') : localError('TimedOut', 'no answer in time')
        }
        const result = structuredClone(carryOut())
        if (connection.fault === 'lost' || (writes && connection.fault === 'writesLost')) throw localError('ConnectionLost', 'no answer')
        return result
      }
      connection.client = {
        get: (_resource, _ref, options) =>
          through(
            false,
            () => {
              if (api.lease === undefined) throw status(404, 'NotFound')
              return api.lease
            },
            options,
          ),
        create: (_resource, object, options) =>
          through(
            true,
            () => {
              if (!api.namespaceExists)
                throw new ApiError('NotFound', { code: 404, status: 'NotFound', message: 'namespaces "system" not found' })
              if (api.lease !== undefined) throw status(409, 'AlreadyExists')
              writes++
              api.lease = store(undefined, object)
              return api.lease
            },
            options,
          ),
        mergePatch: (_resource, _ref, patch, options) =>
          through(
            true,
            () => {
              if (api.lease === undefined) throw status(404, 'NotFound')
              const change = patch as RawObject
              const { uid, resourceVersion } = api.lease.metadata
              if (change.metadata.resourceVersion !== resourceVersion || change.metadata.uid !== uid) throw status(409, 'Conflict')
              writes++
              api.lease = store(api.lease, change)
              return api.lease
            },
            options,
          ),
      }
      return connection
    },
  }
  return api
}
