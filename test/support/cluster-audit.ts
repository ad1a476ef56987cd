// What accounts asked of the API server, from its own audit log: the independent count of requests in cluster tests.
// Used by cluster-operator.ts and the tests under test/cluster/operator. It must not ask the operator anything.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** One request that was answered. */
export interface Request {
  readonly user: string
  readonly verb: string
  readonly resource: string
  readonly subresource: string | undefined
  readonly namespace: string
  /** Empty in a create whose name the body holds. */
  readonly name: string
  readonly code: number
  /** Milliseconds since 1970. */
  readonly at: number
}

export interface AuditLog {
  /** Flags of an API server that keeps this log. */
  readonly flags: readonly string[]
  /** All requests so far; the log is written before the answer is sent. */
  requests(): readonly Request[]
  /** Those that change something, of one user, Lease aside. */
  writes(user: string, of?: { readonly namespace?: string; readonly after?: number }): readonly Request[]
}

const WRITES: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])

/** An audit log in `folder` of what these users do; the end of a watch is no second request. */
export function auditLog(folder: string, users: readonly string[]): AuditLog {
  const policyFile = join(folder, 'audit-policy.json')
  const logFile = join(folder, 'audit.log')
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived', 'ResponseStarted'],
    rules: [{ level: 'Metadata', users }, { level: 'None' }],
  }
  writeFileSync(policyFile, JSON.stringify(policy))
  writeFileSync(logFile, '')
  const requests = (): readonly Request[] =>
    readFileSync(logFile, 'utf8')
      .split('\n')
      .flatMap((line) => (line.endsWith('}') ? [requestOf(JSON.parse(line))] : []))
  return {
    flags: [`--audit-policy-file=${policyFile}`, `--audit-log-path=${logFile}`, '--audit-log-mode=blocking-strict'],
    requests,
    writes: (user, { namespace, after = 0 } = {}) =>
      requests().filter(
        (request) =>
          request.user === user &&
          WRITES.has(request.verb) &&
          request.resource !== 'leases' &&
          request.at >= after &&
          (namespace === undefined || request.namespace === namespace),
      ),
  }
}

/** `create secrets`, `update mutualidentities/status`: for comparisons in which the object does not matter. */
export const inShort = ({ verb, resource, subresource }: Request): string =>
  `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`

interface AuditEvent {
  readonly user: { readonly username: string }
  readonly verb: string
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string; readonly namespace?: string; readonly name?: string }
  readonly responseStatus?: { readonly code?: number }
  readonly requestReceivedTimestamp: string
}

function requestOf({ user, verb, objectRef = {}, responseStatus, requestReceivedTimestamp }: AuditEvent): Request {
  const { resource = '', subresource, namespace = '', name = '' } = objectRef
  const at = Date.parse(requestReceivedTimestamp)
  return { user: user.username, verb, resource, subresource, namespace, name, code: responseStatus?.code ?? 0, at }
}
