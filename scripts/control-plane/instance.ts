// One control plane while this process holds it: its processes, its record on disk, its credentials.
// Made by start.ts; everyone else sees it as ControlPlane. Every change of the processes is in the record at once,
// so that the warden or the next start can end what this process no longer can.
import { mkdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import type { ControlPlane } from './control-plane.ts'
import { authorityFile, type Credentials } from './credentials.ts'
import { endInstance } from './ending.ts'
import { ControlPlaneFailure } from './failure.ts'
import { apiServerFlags } from './flags.ts'
import { kubeconfigName, writeKubeconfig } from './kubeconfig.ts'
import { type Lifeline, tieToThisProcess } from './lifeline.ts'
import { logFileOf, type PartProcess, startPart, waitUntilReady } from './part-process.ts'
import type { Part } from './parts.ts'
import { createProber, type Prober } from './probe.ts'
import { beginningOf, signalIfOurs } from './processes.ts'
import { type InstanceRecord, writeRecord } from './record.ts'

const readyWithin = 60_000 // ms
const goneWithin = 60_000 // ms; an API server that ends in order waits that long for requests under way

export interface InstancePlan {
  readonly instances: string
  readonly directory: string
  readonly keep: boolean
  readonly binaries: Readonly<Partial<Record<Part, string>>>
  readonly apiServerFlags: readonly string[]
}

/** What is known once the API server has a port. */
export interface Access {
  readonly port: number
  readonly url: string
  readonly credentials: Credentials
  readonly prober: Prober
}

export class Instance implements ControlPlane {
  readonly directory: string
  readonly #plan: InstancePlan
  readonly #lifeline: Lifeline
  readonly #processes = new Map<Part, PartProcess>()
  #record: InstanceRecord
  #access: Access | undefined
  #stopping: Promise<void> | undefined

  /** The folder is there and empty. */
  constructor(plan: InstancePlan) {
    this.#plan = plan
    this.directory = plan.directory
    this.#record = {
      name: basename(plan.directory),
      directory: plan.directory,
      detached: false,
      keep: plan.keep,
      host: hostname(),
      owner: { pid: process.pid, began: beginningOf(process.pid) ?? '' },
      startedAt: new Date().toISOString(),
      pids: {},
    }
    writeRecord(plan.instances, this.#record)
    this.#lifeline = tieToThisProcess(plan.instances, plan.directory)
    mkdirSync(join(plan.directory, 'logs'))
  }

  get url(): string {
    return this.#reached.url
  }

  get caFile(): string {
    return authorityFile(this.directory)
  }

  get kubeconfigFile(): string {
    return join(this.directory, 'kubeconfig')
  }

  get pids(): Readonly<Record<string, number>> {
    return this.#record.pids
  }

  logs(part: Part): string {
    return logFileOf(this.directory, part)
  }

  async clientKubeconfig(user: string, groups: readonly string[]): Promise<string> {
    const { url, credentials } = this.#reached
    const client = await credentials.authority.issueClient(user, groups)
    mkdirSync(join(this.directory, 'clients'), { recursive: true, mode: 0o700 })
    const file = join(this.directory, 'clients', kubeconfigName(user, groups))
    return writeKubeconfig(file, { url, authority: credentials.authority.certificate, user, client })
  }

  async stopApiServer(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const part = 'kube-apiserver'
    const running = this.#processes.get(part)
    if (running === undefined) return
    signalIfOurs(running.pid, this.directory, signal)
    if (!(await running.endsWithin(goneWithin))) {
      throw new ControlPlaneFailure(`${part} (pid ${running.pid}) still runs ${goneWithin / 1000} s after ${signal}`)
    }
    this.#processes.delete(part)
    const { [part]: _, ...pids } = this.#record.pids
    this.#remember({ pids })
  }

  async startApiServer(): Promise<void> {
    await this.launchApiServer(this.#reached)
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    await endInstance(this.#plan.instances, this.#record)
    this.#lifeline.release()
    await Promise.all([...this.#processes.values()].map((ending) => ending.endsWithin(goneWithin)))
  }

  /** Starts a part and waits until it is ready; one that fails is left for stop(). */
  async launch(part: Part, flags: readonly string[], isReady: () => Promise<boolean>): Promise<void> {
    const binary = this.#plan.binaries[part]
    if (binary === undefined) throw new Error(`no executable was provided for ${part}`)
    if (this.#stopping !== undefined) throw new ControlPlaneFailure(`${part} is not started: the control plane was stopped`)
    const before = this.#processes.get(part)
    if (before !== undefined && before.ended() === undefined) {
      throw new ControlPlaneFailure(`${part} is running already (pid ${before.pid})`)
    }
    const started = await startPart({ part, binary, flags, directory: this.directory })
    this.#processes.set(part, started)
    this.#remember({ pids: { ...this.#record.pids, [part]: started.pid } })
    const needs = [...this.#processes.values()].filter((other) => other.part !== part)
    await waitUntilReady({ part: started, needs, isReady, within: readyWithin })
  }

  async launchApiServer(access: Access): Promise<void> {
    const flags = apiServerFlags({ directory: this.directory, port: access.port, extra: this.#plan.apiServerFlags })
    await this.launch('kube-apiserver', flags, () => access.prober.answers('/readyz'))
    this.#access = access
    this.#remember({ url: access.url, kubeconfigFile: this.kubeconfigFile })
  }

  /** Leaves the instance running when this process ends. */
  detach(): void {
    this.#remember({ detached: true })
    this.#lifeline.release()
  }

  get #reached(): Access {
    if (this.#access === undefined) throw new Error('the API server has not been started yet')
    return this.#access
  }

  #remember(change: Partial<InstanceRecord>): void {
    this.#record = { ...this.#record, ...change }
    writeRecord(this.#plan.instances, this.#record)
  }
}

export function accessOn(port: number, credentials: Credentials): Access {
  const url = `https://127.0.0.1:${port}`
  const prober = createProber(url, credentials.authority.certificate, credentials.administrator)
  return { port, url, credentials, prober }
}
