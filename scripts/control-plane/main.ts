// The command: up, down, status, build (usage in arguments.ts). For people, by `npm run cluster:up` and `cluster:down`.
// Standard output carries only results, so that `eval "$(... up)"` works; all else goes to standard error.
import { join } from 'node:path'
import { type Command, parseCommand, UsageError, usage } from './arguments.ts'
import { provideBinaries } from './binaries.ts'
import { instancesDirectory } from './cache.ts'
import { endInstance, isInUse, isOwnerAlive, livePids } from './ending.ts'
import { ControlPlaneFailure } from './failure.ts'
import { BUILD_KUBECTL, isKubectlThere } from './kubectl.ts'
import { type InstanceRecord, listRecords, readRecord, recordFile } from './record.ts'
import { startControlPlane } from './start.ts'

const print = (line: string) => process.stdout.write(`${line}\n`)
const say = (line: string) => process.stderr.write(`${line}\n`)

async function run(command: Command): Promise<void> {
  switch (command.verb) {
    case 'up':
      return up(command.name, command.controllerManager)
    case 'down':
      return down(command.name)
    case 'down-all':
      return downAll()
    case 'status':
      return status()
    case 'build': {
      const binaries = await provideBinaries(command.parts, say)
      for (const part of command.parts) print(binaries[part])
      return
    }
    case 'help':
      process.stdout.write(usage)
  }
}

async function up(name: string, controllerManager: boolean): Promise<void> {
  const record = findRecord(name)
  if (record !== undefined && (await isRunning(record))) {
    say(`control plane ${name} is running already at ${record.url}`)
    return tellHowToUse(name, record.kubeconfigFile ?? '')
  }
  const directory = join(instancesDirectory(), name)
  const { kubeconfigFile } = await startControlPlane({ directory, controllerManager, detached: true, say })
  tellHowToUse(name, kubeconfigFile)
}

/** False once it is out of the way: what is left of one that did not end by `down` is removed. */
async function isRunning(record: InstanceRecord): Promise<boolean> {
  const live = livePids(record)
  const dead = Object.keys(record.pids).filter((part) => !(part in live))
  if (record.detached && dead.length === 0) return true
  if (!record.detached && isOwnerAlive(record)) {
    throw new ControlPlaneFailure(`control plane ${record.name} is being started by process ${record.owner.pid}`)
  }
  const why = record.detached ? `does not run any more: ${dead.join(', ')}` : 'was never started completely'
  say(`control plane ${record.name} ${why}; it is removed and started anew`)
  await endInstance(instancesDirectory(), record)
  return false
}

function tellHowToUse(name: string, kubeconfigFile: string): void {
  const option = name === 'default' ? '' : ` -- --name ${name}`
  say(`to end it: npm run cluster:down${option}`)
  if (!isKubectlThere()) say(`kubectl is not on PATH; to build one: ${BUILD_KUBECTL}`)
  print(`export KUBECONFIG='${kubeconfigFile.replaceAll("'", `'\\''`)}'`)
}

async function down(name: string): Promise<void> {
  const record = findRecord(name)
  if (record === undefined) {
    say(`control plane ${name} is not there`)
    return
  }
  await end(record)
}

async function downAll(): Promise<void> {
  const records = listRecords(instancesDirectory())
  if (records.length === 0) say('there is no control plane')
  await Promise.all(records.map((record) => (isInUse(record) ? leave(record) : end(record))))
}

/** Its owner, a test run or a demo, needs it and ends it. */
async function leave({ name, owner }: InstanceRecord): Promise<void> {
  say(`control plane ${name} is left: process ${owner.pid}, which started it for itself, is running and ends it`)
}

async function end(record: InstanceRecord): Promise<void> {
  await endInstance(instancesDirectory(), record)
  say(`control plane ${record.name} has ended${record.keep ? `; kept: ${record.directory}` : ''}`)
}

async function status(): Promise<void> {
  const records = listRecords(instancesDirectory())
  if (records.length === 0) say('there is no control plane')
  for (const record of records) {
    const live = livePids(record)
    const parts = Object.entries(record.pids).map(([part, pid]) => `${part} ${part in live ? `pid ${pid}` : 'not running'}`)
    const owner = record.detached ? '' : `, of process ${record.owner.pid}${isOwnerAlive(record) ? '' : ' (gone)'}`
    print(`${record.name}${owner}, since ${record.startedAt}: ${record.url ?? 'starting'}; ${parts.join(', ')}`)
    if (record.kubeconfigFile !== undefined) print(`  KUBECONFIG=${record.kubeconfigFile}`)
  }
}

function findRecord(name: string): InstanceRecord | undefined {
  const instances = instancesDirectory()
  return readRecord(recordFile(instances, join(instances, name)))
}

try {
  await run(parseCommand(process.argv.slice(2)))
} catch (error) {
  if (error instanceof UsageError) {
    say(`${error.message}\n\n${usage}`)
    process.exitCode = 2
  } else if (error instanceof ControlPlaneFailure) {
    say(error.message)
    process.exitCode = 1
  } else {
    throw error
  }
}
