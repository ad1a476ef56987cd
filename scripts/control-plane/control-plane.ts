// What a control plane is to those who start one: the demo, the tests, the command. Types only.
import type { Part } from './parts.ts'

export interface ControlPlane {
  /** Its own folder: certificates, kubeconfigs, data, logs. Absolute. */
  readonly directory: string
  /** https://127.0.0.1:PORT, the same for its whole life */
  readonly url: string
  /** PEM of the authority of the API server's and all clients' certificates */
  readonly caFile: string
  /** The administrator's (group system:masters), with a client certificate inside. */
  readonly kubeconfigFile: string
  /** Writes a kubeconfig with a client certificate for that user and groups (e.g. system:node:n1, system:nodes); returns its path. */
  clientKubeconfig(user: string, groups: readonly string[]): Promise<string>
  /** Ends the API server, at once by default, and resolves when it is gone. Its data stay. */
  stopApiServer(signal?: NodeJS.Signals): Promise<void>
  /** Starts it again on the same port with the same data; resolves when /readyz says so. */
  startApiServer(): Promise<void>
  /** By part, of those that were started and not stopped since. */
  readonly pids: Readonly<Record<string, number>>
  /** Path of a part's log file. */
  logs(part: Part): string
  /** Ends all parts by pid (SIGTERM, then SIGKILL) and removes the folder unless it is to be kept. May be called again. */
  stop(): Promise<void>
}

export interface ControlPlaneOptions {
  /** Must be absent or empty. By default a new one in the cache. */
  readonly directory?: string
  /** Without it namespaces get no service account and nothing is garbage collected. Default true. */
  readonly controllerManager?: boolean
  /** Keep the folder after stop() or a failed start, to look into. Default false. */
  readonly keep?: boolean
  /** Added after ours, so that they win. */
  readonly apiServerFlags?: readonly string[]
  /** Progress, a line at a time. By default to standard error. */
  readonly say?: (line: string) => void
  /** Outlive this process (main.ts down ends it). Default false: the control plane ends with this process, however that ends. */
  readonly detached?: boolean
}
