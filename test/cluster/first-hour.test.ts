// docs/first-hour.md, carried out: every command of it, in order, by a shell with real helm, kubectl and the plugin, on a real API server. The operator
// runs as a process under exactly the account and the flags of the installed chart, because nothing here runs pods; `kubectl logs` shows its log.

import { execFile } from 'node:child_process'
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { type ControlPlane, provideBinaries, startControlPlane } from '../../scripts/control-plane/index.ts'
import { type Cluster, connectCluster } from '../../scripts/install/cluster.ts'
import { type ControllerProcess, startController } from '../../scripts/install/controller-process.ts'
import { PROJECT_FOLDER } from '../../scripts/install/manifests.ts'
import { controllerKubeconfig } from '../../scripts/install/service-account.ts'
import { isNotFound } from '../../src/k8s/errors.ts'
import { deployments, type RawObject } from '../../src/k8s/resource.ts'
import { OPERATOR_NAMESPACE } from '../support/cluster-operator.ts'
import { type Exchange, exchangesOf, isShown } from '../support/transcript.ts'

const DOCUMENT = join(PROJECT_FOLDER, 'docs', 'first-hour.md')
const exchanges = exchangesOf(readFileSync(DOCUMENT, 'utf8'))
/** What may be asked again until it is as shown: it changes nothing, and the operator works beside it. */
const LOOKS = /^kubectl (get|events|logs|wait|mutual (explain|inspect|check|status))\b/
const PATIENCE_MS = 60_000

const folder = mkdtempSync(join(tmpdir(), 'first-hour-'))
const log = join(folder, 'operator.log')
let plane: ControlPlane
let cluster: Cluster
let environment: NodeJS.ProcessEnv
let operator: ControllerProcess | undefined

beforeAll(async () => {
  plane = await startControlPlane({ say: () => undefined })
  cluster = await connectCluster(plane.kubeconfigFile, 'first-hour')
  const { helm, kubectl } = await provideBinaries(['helm', 'kubectl'], () => undefined)
  writeFileSync(log, '')
  const shim = join(folder, 'kubectl')
  writeFileSync(shim, `#!/bin/sh\nif [ "$1" = logs ]; then exec cat '${log}'; fi\nexec '${kubectl}' "$@"\n`)
  chmodSync(shim, 0o755)
  // The very file that people install.
  await promisify(execFile)(process.execPath, ['scripts/bundle.ts'], { cwd: PROJECT_FOLDER })
  copyFileSync(join(PROJECT_FOLDER, 'dist', 'kubectl-mutual.mjs'), join(folder, 'kubectl-mutual'))
  const homes = Object.fromEntries(['CACHE', 'CONFIG', 'DATA'].map((name) => [`HELM_${name}_HOME`, join(folder, name)]))
  const path = [folder, dirname(helm), dirname(process.execPath), process.env['PATH']].join(delimiter)
  environment = { PATH: path, HOME: folder, KUBECONFIG: plane.kubeconfigFile, TZ: 'UTC', ...homes }
}, 300_000)

afterAll(async () => {
  await operator?.kill()
  await cluster?.close()
  await plane?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** What a person sees: standard output and standard error. */
function run(command: string): Promise<string> {
  return new Promise((resolve) => {
    execFile('sh', ['-c', command], { env: environment, cwd: PROJECT_FOLDER }, (_error, out, errors) => resolve(out + errors))
  })
}

let template: string | undefined

/** As the Deployment would: where its pod template changed, the operator is ended, and begun again with what the chart says now. */
async function deploy(): Promise<void> {
  const deployment = await cluster.client
    .get(deployments, { namespace: OPERATOR_NAMESPACE, name: 'mutual-identity' })
    .catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)))
  const wanted = deployment && JSON.stringify((deployment.spec as { template: object }).template)
  if (wanted === template) return
  template = wanted
  await operator?.stop()
  operator = undefined
  if (!deployment) return
  const kubeconfig = await controllerKubeconfig(cluster, { namespace: OPERATOR_NAMESPACE, file: join(folder, 'operator.kubeconfig') })
  operator = await startController({ kubeconfig, namespace: OPERATOR_NAMESPACE, logFile: log, flags: flagsOf(deployment), ownGroup: true })
}

const flagsOf = ({ spec }: RawObject): string[] =>
  (spec as { template: { spec: { containers: [{ args: string[] }] } } }).template.spec.containers[0].args.filter(
    (flag) => !flag.startsWith('--http-address'),
  )

async function carryOut({ command, shown }: Exchange): Promise<string> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const output = await run(command)
    if (command.startsWith('helm ')) await deploy()
    if (isShown(shown, output) || !LOOKS.test(command) || performance.now() > until) return output
    await sleep(300)
  }
}

it('the document has commands', () => {
  expect(exchanges.length).toBeGreaterThan(25)
})

it.each(exchanges.map((exchange) => [exchange.command.split('\n', 1)[0] as string, exchange] as const))(
  '$ %s',
  async (_command, exchange) => {
    const output = await carryOut(exchange)
    if (!isShown(exchange.shown, output)) expect(output.trimEnd().split('\n')).toEqual(exchange.shown)
  },
  PATIENCE_MS + 30_000,
)
