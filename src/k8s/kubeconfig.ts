// Finds the way to the cluster: a kubeconfig, or the service account of this pod. Used by the entries (operator, kubectl plugin).
// The only importer of the Kubernetes client library, and only where there is a kubeconfig: the import costs 0.4 s and 60 MB more than undici alone.

import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type Clock, sleep } from '../base/clock.ts'
import { messageOf, OperatorError } from '../base/errors.ts'
import type { ClusterAccess, Credentials } from './access.ts'
import type { KubeConfig } from './kubeconfig-library.ts'
import { rereading } from './rereading.ts'
import { SERVICE_ACCOUNT_FOLDER, serviceAccountAccess } from './service-account.ts'

export interface AccessOptions {
  readonly clock: Clock
  /** A file given by a flag: it alone is read. */
  readonly kubeconfig?: string | undefined
  /** A context of the kubeconfig instead of its current one. */
  readonly context?: string | undefined
  /** The values of these variables, read by whoever may read the environment. */
  readonly environment: {
    readonly KUBECONFIG?: string | undefined
    readonly KUBERNETES_SERVICE_HOST?: string | undefined
    readonly KUBERNETES_SERVICE_PORT?: string | undefined
  }
  /** Folder of the service account, for tests. */
  readonly serviceAccountFolder?: string
}

/**
 * In this order: the file of the flag; within a pod its service account (unless KUBECONFIG is set); the files of KUBECONFIG, the first naming a thing
 * wins; ~/.kube/config. Rejects with OperatorError `NoClusterAccess` (blocked) that says what was looked for.
 */
export async function loadAccess(options: AccessOptions): Promise<ClusterAccess> {
  const { clock, context, environment, serviceAccountFolder = SERVICE_ACCOUNT_FOLDER } = options
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment
  if (!options.kubeconfig && !environment.KUBECONFIG && context === undefined && host && existsSync(join(serviceAccountFolder, 'token'))) {
    return serviceAccountAccess({ host, port, folder: serviceAccountFolder, clock })
  }
  return await kubeconfigAccess(kubeconfigFiles(options), context, clock)
}

function kubeconfigFiles({ kubeconfig, environment }: AccessOptions): readonly string[] {
  if (kubeconfig) {
    if (!existsSync(kubeconfig)) throw noAccess(`the kubeconfig ${kubeconfig} does not exist`)
    return [kubeconfig]
  }
  const named = environment.KUBECONFIG?.split(delimiter).filter((file) => file !== '') ?? []
  const candidates = named.length > 0 ? named : [join(homedir(), '.kube', 'config')]
  const files = candidates.filter((file) => existsSync(file))
  if (files.length > 0) return files
  throw noAccess(`this is no pod with a service account, and there is no kubeconfig at ${candidates.join(', ')}`)
}

async function kubeconfigAccess(files: readonly string[], context: string | undefined, clock: Clock): Promise<ClusterAccess> {
  let config = await readKubeconfig(files, context)
  const { server, proxyUrl } = config.getCurrentCluster() as { server: string; proxyUrl?: string }
  if (proxyUrl && !/^https?:/.test(proxyUrl)) throw noAccess(`the proxy-url of the kubeconfig is not http or https`)
  return {
    server,
    ...(proxyUrl ? { proxy: proxyUrl } : {}),
    describe: `${server} as ${config.getCurrentUser()?.name} (context ${config.getCurrentContext()})`,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    ...rereading(clock, async (refused) => {
      // A new object has forgotten what a credential plugin gave it.
      if (refused) config = await readKubeconfig(files, context)
      return await credentialsOf(config, clock)
    }),
  }
}

async function readKubeconfig(files: readonly string[], context: string | undefined): Promise<KubeConfig> {
  const { KubeConfig } = await import('./kubeconfig-library.ts')
  const merged = new KubeConfig()
  merged.loadFromOptions({ clusters: [], users: [], contexts: [], currentContext: '' })
  for (const file of files) {
    const config = new KubeConfig()
    try {
      config.loadFromFile(file)
    } catch (error) {
      // A YAML error quotes the text around it, which may be a token.
      throw noAccess(`the kubeconfig ${file} cannot be read: ${(messageOf(error).split('\n', 1)[0] as string).slice(0, 120)}`)
    }
    for (const cluster of config.getClusters()) if (!merged.getCluster(cluster.name)) merged.addCluster(cluster)
    for (const user of config.getUsers()) if (!merged.getUser(user.name)) merged.addUser(user)
    for (const entry of config.getContexts()) if (!merged.getContextObject(entry.name)) merged.addContext(entry)
    if (!merged.getCurrentContext() && config.getCurrentContext()) merged.setCurrentContext(config.getCurrentContext())
  }
  if (context !== undefined) merged.setCurrentContext(context)
  const chosen = merged.getCurrentContext()
  if (!chosen) throw noAccess(`the kubeconfig ${files.join(', ')} has no current context`)
  if (!merged.getContextObject(chosen)) throw noAccess(`the kubeconfig ${files.join(', ')} has no context ${chosen}`)
  const cluster = merged.getCurrentCluster()
  if (!cluster) throw noAccess(`the context ${chosen} of the kubeconfig names a cluster that it does not have`)
  // The library refuses plain http without this; there is no TLS then that could be skipped.
  if (cluster.server.startsWith('http:')) merged.clusters = [{ ...cluster, skipTLSVerify: true }]
  return merged
}

/** A plugin may ask a person to log in. */
const PLUGIN_DEADLINE_MS = 120_000

async function credentialsOf(config: KubeConfig, clock: Clock): Promise<Credentials> {
  const opts: HttpsOptions = { headers: {} }
  const done = new AbortController()
  const late = sleep(clock, PLUGIN_DEADLINE_MS, done.signal).then(() => {
    if (!done.signal.aborted) throw new Error('no answer in time')
  })
  try {
    await Promise.race([config.applyToHTTPSOptions(opts as Parameters<KubeConfig['applyToHTTPSOptions']>[0]), late])
  } catch {
    // What a plugin wrote to its error output, or what a provider answered, may hold a credential.
    throw new OperatorError(
      'retry',
      'NoClusterAccess',
      `the credentials of ${config.getCurrentUser()?.name} cannot be had: ${sourceOf(config)} failed`,
    )
  } finally {
    done.abort()
  }
  return { tls: tlsOf(opts), headers: headersOf(opts) }
}

/** What the library fills in of https.RequestOptions. */
interface HttpsOptions {
  headers: Record<string, string>
  ca?: Buffer | string
  cert?: Buffer | string
  key?: Buffer | string
  servername?: string
  rejectUnauthorized?: boolean
  auth?: string
}

function tlsOf({ ca, cert, key, servername, rejectUnauthorized }: HttpsOptions): Credentials['tls'] {
  return {
    ...(ca ? { ca: ca.toString() } : {}),
    ...(cert ? { cert: cert.toString() } : {}),
    ...(key ? { key: key.toString() } : {}),
    ...(servername ? { servername } : {}),
    ...(rejectUnauthorized === false ? { rejectUnauthorized } : {}),
  }
}

function headersOf({ headers, auth }: HttpsOptions): Record<string, string> {
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.trim()])
  const basic = auth === undefined ? {} : { authorization: `Basic ${Buffer.from(auth).toString('base64')}` }
  return { ...basic, ...Object.fromEntries(named) }
}

function sourceOf(config: KubeConfig): string {
  const user = config.getCurrentUser()
  const command = (user?.exec as { command?: string } | undefined)?.command
  if (command) return `the credential plugin ${command}`
  if (user?.authProvider) return `the auth provider ${user.authProvider.name}`
  return 'reading its files'
}

const noAccess = (message: string): OperatorError => new OperatorError('blocked', 'NoClusterAccess', message)
