// The sequence of the demo, step by step, and the summary on one screen. Started by main.ts; each step has a file of its own.
// Must not hold more than the order, the counts and what is said between the steps.

import type { Installed } from '../install/install.ts'
import type { Options } from './arguments.ts'
import { shortLine } from './controller-lines.ts'
import { crashOnFirstStep } from './crash.ts'
import { applyExample, type Example, readExample } from './example.ts'
import { DemoFailure } from './failure.ts'
import { announce, REMOVED_WITHIN_MS, refuseIfInUse, removeAll } from './given-cluster.ts'
import { keepRunning } from './hints.ts'
import { followIdentities, type Identities, listing, untilReady } from './identities.ts'
import { type Kubelet, startKubelet } from './kubelet.ts'
import { CLIENT, SERVER } from './names.ts'
import { install, type Operator, runController } from './operator.ts'
import { certificateTable, readPapers, whoTrustsWhom } from './picture.ts'
import { givenPlace, localPlace, type Place } from './place.ts'
import { refuseIntruders } from './refusals.ts'
import { renewWhileTheyTalk } from './renewal.ts'
import { secondsSince, style, table } from './screen.ts'
import type { Stage } from './stage.ts'
import { letThemTalk } from './talk.ts'
import { showEvents, showExplanation } from './telling.ts'

/** Of Show.perform. */
export const STEPS = 10

export interface Show {
  /** Resolves when all was shown. Rejects with what was not as it should be. */
  readonly perform: () => Promise<void>
  /** All was shown, and runs only because it was to be kept. */
  isOver(): boolean
  /** Of the controller, for whoever wonders why it failed. */
  lastWords(): readonly string[]
}

/** What was shown, the result, a figure. */
type Row = readonly [string, string, string]

export function createShow(stage: Stage, options: Options): Show {
  let operator: Operator | undefined
  let over = false
  const perform = async (): Promise<void> => {
    const from = performance.now()
    const rows: Row[] = []
    const place = await takePlace(stage, options)
    operator = await prepare(stage, place, options)
    await playExample(stage, place, operator, { options, rows })
    summarise(stage, rows, secondsSince(from))
    over = true
    if (options.keep) await keepRunning(stage, place)
  }
  const lastWords = (): readonly string[] => {
    const lines = (operator?.lastLines() ?? []).flatMap((line) => shortLine(line) ?? [])
    return lines.length === 0 ? [] : ['the last words of the controller:', ...lines.map((line) => `  ${line}`)]
  }
  return { perform, isOver: () => over, lastWords }
}

async function takePlace(stage: Stage, { kubeconfig }: Options): Promise<Place> {
  stage.screen.step(kubeconfig === undefined ? 'A Kubernetes control plane on this machine' : `The cluster of ${kubeconfig}`)
  if (kubeconfig === undefined) return await localPlace(stage)
  const place = await givenPlace(stage, kubeconfig)
  await refuseIfInUse(place.cluster.client)
  announce(stage.screen)
  return place
}

async function prepare(stage: Stage, place: Place, { keep }: Options): Promise<Operator> {
  stage.screen.step('The operator is installed')
  const made: Installed[] = []
  if (!place.local && !keep)
    await stage.own('the removal of what was made', () => removeAll(place.cluster.client, stage.screen, made), REMOVED_WITHIN_MS)
  await install(stage, place.cluster, (installed) => made.push(installed))
  stage.screen.step('Its controller runs, under its own account')
  return await runController(stage, place.cluster)
}

interface Script {
  readonly options: Options
  readonly rows: Row[]
}

async function playExample(stage: Stage, place: Place, operator: Operator, { options, rows }: Script): Promise<void> {
  const { screen } = stage
  const { cluster } = place
  const example = readExample(stage)
  const { identities, seconds } = await issue(stage, place, operator, example, options)
  rows.push(['two identities become Ready', options.crash ? 'yes, in spite of a kill -9' : 'yes', `${seconds} from the first object`])

  const kubelet = await mountSecrets(stage, place, example)
  screen.step('They talk')
  const talk = await letThemTalk(stage, example, kubelet)

  screen.step('Who does not belong is refused')
  const { refused, clients } = await refuseIntruders({ stage, cluster, example, kubelet, identities, talk })
  rows.push(['no certificate, another CA, wrong identity', 'refused', `${clients} of ${clients} clients`])
  rows.push(['a server with the wrong identity', 'refused by the client', `${refused - clients} of ${refused - clients} servers`])

  screen.step('Both certificates are renewed while they talk')
  const renewal = await renewWhileTheyTalk(stage, cluster, identities, talk)
  rows.push(['renewal, new files picked up', 'yes', `in use after ${renewal.seconds}`])
  rows.push(['calls that failed meanwhile', 'none', `0 of ${renewal.callsMeanwhile}`])

  screen.step('What the operator tells people')
  await showExplanation(stage, place.kubeconfig, SERVER)
  screen.say()
  const reasons = await showEvents(stage, cluster, SERVER)
  rows.push(['explain, events', 'yes', reasons.join(', ')])
  const { ok, failed } = talk.calls()
  if (failed > 0) throw new DemoFailure(`${failed} of ${ok + failed} calls from orders to payments failed`)
  rows.splice(1, 0, ['mutual TLS, both identities verified', 'yes', `${ok} calls answered, none failed`])
}

async function issue(
  stage: Stage,
  { cluster, local }: Place,
  operator: Operator,
  example: Example,
  { crash }: Options,
): Promise<{ identities: Identities; seconds: string }> {
  const { screen } = stage
  screen.step(`The example is applied: ${example.folder}`)
  screen.say(style('dim', `$ kubectl apply -f ${example.folder}`))
  const from = performance.now()
  const crashed = crash ? crashOnFirstStep(stage, operator) : Promise.resolve()
  crashed.catch(() => undefined) // awaited below
  await applyExample(stage, cluster, example)
  const identities = await followIdentities(stage, cluster)
  await crashed
  await Promise.all([CLIENT, SERVER].map((name) => untilReady(stage, identities, name)))
  const seconds = secondsSince(from)
  screen.good(`both Ready after ${style('bold', seconds)}`)
  screen.block(listing(identities))
  if (local)
    screen.say(
      style('dim', 'No kubelet and no scheduler here: the pods stay Pending, and the operator learns their service accounts all the same.'),
    )
  return { identities, seconds }
}

async function mountSecrets(stage: Stage, { cluster, local }: Place, example: Example): Promise<Kubelet> {
  const { screen } = stage
  screen.step('The Secrets become files, as in a pod')
  screen.say(
    `${local ? 'In the place of the kubelet' : 'Besides the pods of your cluster'}, the demo keeps the files in its own folder: ${stage.folder}`,
  )
  const kubelet = await startKubelet(stage, cluster)
  const [client, server] = await Promise.all(
    [CLIENT, SERVER].map(async (name) => readPapers(await kubelet.mount(example.workload(name).secretName))),
  )
  if (client === undefined || server === undefined) throw new Error('two Secrets are needed')
  screen.block(certificateTable(client, server))
  screen.say()
  screen.block(whoTrustsWhom(client, server))
  return kubelet
}

function summarise(stage: Stage, rows: readonly Row[], seconds: string): void {
  const { screen } = stage
  screen.step('Summary')
  const text = table([['SHOWN', 'RESULT', 'FIGURE'], ...rows])
  screen.block(text)
  screen.good(style('bold', `All as it should be, in ${seconds}.`))
}
