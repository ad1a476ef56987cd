// A real cluster in which the chart was installed by a real Helm, and the controller as a process that has the chart's account and the chart's
// flags. Used by the tests under test/cluster/chart. Only what the chart made gives the account anything.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { provideBinaries } from '../../scripts/control-plane/index.ts'
import { type Cluster, connectCluster } from '../../scripts/install/cluster.ts'
import type { ControllerProcess } from '../../scripts/install/controller-process.ts'
import { controllerKubeconfig } from '../../scripts/install/service-account.ts'
import type { Client } from '../../src/k8s/client.ts'
import { type ApiError, isForbidden } from '../../src/k8s/errors.ts'
import { CHART, containerOf, createHelm, type Helm, RELEASE, type Values } from './chart.ts'
import { eventually } from './cluster-eventually.ts'
import { type ClusterOptions, OPERATOR_NAMESPACE, type StartOptions, startCluster, type TestCluster } from './cluster-operator.ts'

export interface ChartCluster extends TestCluster {
  readonly helm: Helm
  /** The controller's account, with the rights that the chart gives it. */
  readonly account: Client
  /** As the Deployment runs it: with its flags. */
  startAsDeployed(options?: StartOptions): Promise<ControllerProcess>
  /** `kubectl ARGS` as administrator, or as that user; rejects with what it said. */
  kubectl(args: readonly string[], as?: string): Promise<string>
}

export interface ChartOptions {
  readonly values?: Values
  readonly watchNamespaces?: ClusterOptions['watchNamespaces']
  /** Done before the chart is installed; default: nothing, and Helm makes the namespace. */
  readonly before?: (client: Client) => Promise<unknown>
}

/** Arguments of `helm VERB` for the release under test. */
export const releaseArguments = (verb: string, ...more: readonly string[]): readonly string[] => [
  verb,
  RELEASE,
  ...more,
  '--namespace',
  OPERATOR_NAMESPACE,
]

export async function startChartCluster({ values = {}, watchNamespaces = [], before }: ChartOptions = {}): Promise<ChartCluster> {
  let helm: Helm | undefined
  const all = watchNamespaces.length === 0 ? values : { ...values, watchNamespaces }
  const cluster = await startCluster({
    watchNamespaces,
    async install(plane, client) {
      await before?.(client)
      helm = await createHelm(plane.kubeconfigFile)
      await helm.run(releaseArguments('install', CHART, '--create-namespace'), all)
    },
  })
  if (!helm) throw new Error('the chart was not installed')
  const ready = helm
  const { kubectl } = await provideBinaries(['kubectl'], (line) => process.stderr.write(`${line}\n`))
  const administrator = await connectCluster(cluster.plane.kubeconfigFile, 'cluster-test')
  const account: Cluster = await connectCluster(cluster.kubeconfig, 'mutual-identity')
  const manifests = await ready.template(all, OPERATOR_NAMESPACE)
  return {
    ...cluster,
    helm: ready,
    account: account.client,
    async startAsDeployed(options = {}) {
      // With a token of the account as it is now: one of an account that was deleted and made again by that name is worth nothing.
      await controllerKubeconfig(administrator, { namespace: OPERATOR_NAMESPACE, file: cluster.kubeconfig })
      return cluster.start({ ...options, flags: [...processFlags(containerOf(manifests)['args']), ...(options.flags ?? [])] })
    },
    async kubectl(args, as) {
      const impersonated = as === undefined ? [] : ['--as', as]
      const { stdout } = await promisify(execFile)(kubectl, ['--kubeconfig', cluster.plane.kubeconfigFile, ...impersonated, ...args])
      return stdout
    },
    async close() {
      ready.close()
      await account.close()
      await administrator.close()
      await cluster.close()
    },
  }
}

/** The tests read the log as JSON at level debug, and several controllers share a machine. */
const processFlags = (flags: readonly string[]): readonly string[] =>
  flags.filter((flag) => !/^--(http-address|log-level|log-format)=/.test(flag))

/** What the API server said when it refused; throws where it did not, or did so for another reason. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call
  } catch (error) {
    if (isForbidden(error)) return (error as ApiError).message
    throw error
  }
  throw new Error('it was not refused')
}

/** The API server learns of new policies by a watch of its own: asks until it refuses as `said`. The call must be one that may be repeated. */
export function eventuallyRefused(call: () => Promise<unknown>, said: RegExp): Promise<string> {
  return eventually(async () => {
    const message = await refusal(call())
    if (!said.test(message)) throw new Error(`refused otherwise: ${message}`)
    return message
  })
}
