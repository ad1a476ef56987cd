// Installs the operator and runs its controller for the show, under the rights of its own account. Used by show.ts.
// Must not run it as an administrator.

import { join } from 'node:path'
import type { Cluster } from '../install/cluster.ts'
import { type ControllerProcess, startController } from '../install/controller-process.ts'
import { CONTROLLER_ACCOUNT, type Installed, installOperator } from '../install/install.ts'
import { controllerKubeconfig } from '../install/service-account.ts'
import { shortLine } from './controller-lines.ts'
import { DemoFailure } from './failure.ts'
import { OPERATOR_NAMESPACE } from './names.ts'
import { secondsSince } from './screen.ts'
import type { Stage } from './stage.ts'

/** Kinds, namespace, account, rights. `onInstalled` hears of each object. */
export async function install(stage: Stage, cluster: Cluster, onInstalled: (installed: Installed) => void): Promise<void> {
  const { screen } = stage
  const tell = (installed: Installed): void => {
    const { kind, metadata } = installed.object
    onInstalled(installed)
    screen.say(`${installed.created ? 'created' : 'was there, left as it is:'} ${kind} ${metadata.name}`)
  }
  await installOperator(cluster.client, { namespace: OPERATOR_NAMESPACE, onInstalled: tell })
  screen.good(`the kinds are served, and account ${CONTROLLER_ACCOUNT} has the rights of src/api/rights.ts, no more`)
}

export interface Operator {
  /** All it prints, as JSON lines. */
  readonly logFile: string
  readonly pid: number
  lastLines(): readonly string[]
  /** Hears each JSON line from now on. */
  onLine(hear: (line: string) => void): () => void
  /** kill -9, and a new one in its place. */
  crash(): Promise<void>
}

/** Resolves when the controller is ready. The show breaks off when it ends unasked. */
export async function runController(stage: Stage, cluster: Cluster): Promise<Operator> {
  const { screen } = stage
  const listeners = new Set<(line: string) => void>()
  const logFile = join(stage.folder, 'controller.log')
  const kubeconfig = await controllerKubeconfig(cluster, {
    namespace: OPERATOR_NAMESPACE,
    file: join(stage.folder, 'controller.kubeconfig'),
  })
  screen.say(`node src/main.ts under a token of ServiceAccount ${OPERATOR_NAMESPACE}/${CONTROLLER_ACCOUNT}; its log: ${logFile}`)

  const onLine = (line: string): void => {
    const short = shortLine(line)
    if (short !== undefined) screen.quote('controller', short)
    for (const hear of listeners) hear(line)
  }
  /** Undefined while none should run. */
  let running: ControllerProcess | undefined
  let lastLines = (): readonly string[] => []
  const start = async (): Promise<ControllerProcess> => {
    const from = performance.now()
    let untrack = (): void => undefined
    const onStarted = (pid: number): void => {
      untrack = stage.track(pid)
    }
    const started = await startController({
      kubeconfig,
      namespace: OPERATOR_NAMESPACE,
      logFile,
      onLine,
      onStarted,
      ownGroup: true,
      signal: stage.signal,
    })
    running = started
    lastLines = started.lastLines
    const ended = ({ code, signal }: { code: number | null; signal: string | null }): void => {
      untrack()
      if (running !== started) return
      running = undefined
      stage.breakOff(new DemoFailure(`the controller ended unasked (${signal ?? `exit code ${code}`})`))
    }
    started.ended.then(ended, (error: Error) => stage.breakOff(error))
    screen.good(`ready (pid ${started.pid}, in ${secondsSince(from)}): http://${started.address}/metrics`)
    return started
  }
  await stage.own('the controller', async () => {
    const last = running
    running = undefined
    const ended = await last?.stop()
    if (ended !== undefined && ended.code !== 0)
      throw new DemoFailure(`the controller did not end in order (${ended.signal ?? `exit code ${ended.code}`})`)
  })
  await start()
  return {
    logFile,
    get pid() {
      return running?.pid ?? 0
    },
    lastLines: () => lastLines(),
    onLine(hear) {
      listeners.add(hear)
      return () => listeners.delete(hear)
    },
    async crash() {
      const victim = running
      running = undefined
      await victim?.kill()
      await start()
    },
  }
}
