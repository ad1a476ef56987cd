// A real cluster with the operator installed, for the tests under test/cluster/operator and test/cluster/chart: control plane, kinds, account and rights, and the controller as
// child processes that have the rights of that account and no others. It must not let a controller run as administrator,
// and everything that it started is ended by close(), by pid.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ControlPlane, startControlPlane } from '../../scripts/control-plane/index.ts'
import { type Cluster, connectCluster } from '../../scripts/install/cluster.ts'
import { type ControllerProcess, startController } from '../../scripts/install/controller-process.ts'
import { CONTROLLER_ACCOUNT, installOperator } from '../../scripts/install/install.ts'
import { controllerKubeconfig } from '../../scripts/install/service-account.ts'
import { clusterMutualAuthorities, mutualIdentities } from '../../src/api/kinds.ts'
import type { Client } from '../../src/k8s/client.ts'
import { isNotFound } from '../../src/k8s/errors.ts'
import { configMaps, events, leases, namespaces, type RawObject, type Resource, secrets } from '../../src/k8s/resource.ts'
import { type AuditLog, auditLog } from './cluster-audit.ts'
import { eventually } from './cluster-eventually.ts'
import { collectKeys, type KeyCollection } from './cluster-secrecy.ts'

export const OPERATOR_NAMESPACE = 'mutual-identity-system'
/** Who the controller is to the API server. */
export const OPERATOR = `system:serviceaccount:${OPERATOR_NAMESPACE}:${CONTROLLER_ACCOUNT}`
/** A person who may look at some things; a kubeconfig comes from plane.clientKubeconfig. */
export const VIEWER = 'viewer'
export const ADMINISTRATOR = 'administrator'

/** A line that a controller printed. */
export interface LogEntry {
  readonly pid: number
  readonly line: string
  /** Undefined: the line is no JSON object. */
  readonly fields: Readonly<Record<string, unknown>> | undefined
}

export interface TestCluster {
  readonly plane: ControlPlane
  /** The administrator's. */
  readonly client: Client
  /** Of the controller's service account. */
  readonly kubeconfig: string
  readonly audit: AuditLog
  readonly keys: KeyCollection
  /** All that controllers printed so far. */
  readonly log: readonly LogEntry[]
  /** Starts a controller under its own account, at log level debug; resolves when it is ready. */
  start(options?: StartOptions): Promise<ControllerProcess>
  /** Kills all controllers that still run: what a failed test left must not fail the next one. */
  killAll(): void
  /** Resolves when the operator has made the authority `default`: a test that makes others before that gets none. */
  defaultAuthority(): Promise<unknown>
  /** Whatever people and programs other than Secret readers can see: logs, events, our kinds, ConfigMaps. */
  visibleText(): Promise<string>
  close(): Promise<void>
}

export interface StartOptions {
  readonly flags?: readonly string[]
  readonly onStarted?: (pid: number) => void
  readonly onEntry?: (entry: LogEntry) => void
}

export interface ClusterOptions {
  /** The account gets rights in these only, which are made; default: in all. */
  readonly watchNamespaces?: readonly string[]
  /** Puts kinds, namespace, account and rights there; default: scripts/install. */
  readonly install?: (plane: ControlPlane, client: Client) => Promise<void>
}

export async function startCluster({ watchNamespaces = [], install }: ClusterOptions = {}): Promise<TestCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'operator-test-'))
  const audit = auditLog(folder, [OPERATOR, VIEWER, ADMINISTRATOR])
  const plane = await startControlPlane({ apiServerFlags: audit.flags, say: () => undefined })
  const cluster = await connectCluster(plane.kubeconfigFile, 'cluster-test')
  const { client } = cluster
  for (const name of watchNamespaces) await client.create(namespaces, { metadata: { name } })
  if (install) await install(plane, client)
  else await installOperator(client, { namespace: OPERATOR_NAMESPACE, watchNamespaces })
  const kubeconfig = await controllerKubeconfig(cluster, { namespace: OPERATOR_NAMESPACE, file: join(folder, 'controller.kubeconfig') })
  await rightsKnown(kubeconfig, watchNamespaces[0] ?? 'default')
  const keys = await collectKeys(client)
  const log: LogEntry[] = []
  const pids = new Set<number>()
  const killAll = (): void => {
    for (const pid of pids) endIfThere(pid)
  }
  return {
    plane,
    client,
    kubeconfig,
    audit,
    keys,
    log,
    async start({ flags = [], onStarted, onEntry } = {}) {
      let pid = 0
      const controller = await startController({
        kubeconfig,
        namespace: OPERATOR_NAMESPACE,
        flags: ['--log-level', 'debug', ...flags],
        onStarted(startedPid) {
          pid = startedPid
          pids.add(pid)
          onStarted?.(pid)
        },
        onLine(line) {
          const entry = { pid, line, fields: fieldsOf(line) }
          log.push(entry)
          onEntry?.(entry)
        },
      })
      controller.ended.then(
        () => pids.delete(pid),
        () => pids.delete(pid),
      )
      return controller
    },
    killAll,
    defaultAuthority: () => eventually(() => client.get(clusterMutualAuthorities, { namespace: '', name: 'default' })),
    visibleText: () => visibleText(client, log),
    async close() {
      keys.close()
      killAll()
      await closeAll(plane, cluster)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The authorizer learns of new roles by a watch of its own: until then it refuses what the account may do. */
async function rightsKnown(kubeconfig: string, watched: string): Promise<void> {
  const account = await connectCluster(kubeconfig, 'cluster-test')
  const answered = (call: Promise<unknown>): Promise<boolean> =>
    call.then(
      () => true,
      (error: unknown) => isNotFound(error),
    )
  await eventually(async () => {
    const lease = answered(account.client.get(leases, { namespace: OPERATOR_NAMESPACE, name: 'none' }))
    const secret = answered(account.client.get(secrets, { namespace: watched, name: 'none' }))
    return (await lease) && (await secret)
  })
  await account.close()
}

async function closeAll(plane: ControlPlane, cluster: Cluster): Promise<void> {
  await plane.stop()
  await cluster.close()
}

function endIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

function fieldsOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

async function visibleText(client: Client, log: readonly LogEntry[]): Promise<string> {
  const objects: RawObject[] = []
  const read = async (resource: Resource): Promise<void> => {
    for await (const page of client.listPages(resource)) objects.push(...page.items)
  }
  for (const resource of [events, configMaps, mutualIdentities, clusterMutualAuthorities]) await read(resource)
  return [...log.map(({ line }) => line), ...objects.map((object) => JSON.stringify(object))].join('\n')
}
