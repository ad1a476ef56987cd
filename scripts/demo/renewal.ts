// A renewal while the two talk: asked for by annotation, as a person does it, and followed to the programs. Used by show.ts.
// A single failed call breaks the demo.

import { mutualIdentities } from '../../src/api/kinds.ts'
import type { MutualIdentity } from '../../src/api/mutual-identity.ts'
import { annotations } from '../../src/api/names.ts'
import type { Cluster } from '../install/cluster.ts'
import { attempt, credentialsIn, oneConnection } from './attempt.ts'
import { DemoFailure } from './failure.ts'
import { until } from './follow.ts'
import type { Identities } from './identities.ts'
import { CLIENT, SERVER, SHOP } from './names.ts'
import type { Program } from './program.ts'
import { secondsSince, style, table } from './screen.ts'
import type { Stage } from './stage.ts'
import type { Conversation } from './talk.ts'

export interface Renewal {
  readonly seconds: string
  readonly callsMeanwhile: number
}

/** Calls after the renewal that are waited for: old and new certificates may still meet in the first of them. */
const CALLS_AFTER = 10

export async function renewWhileTheyTalk(stage: Stage, cluster: Cluster, identities: Identities, talk: Conversation): Promise<Renewal> {
  const { screen } = stage
  const held = oneConnection(talk)
  await stage.own('a connection', () => held.destroy())
  // An agent keeps its connections by what they were made with, so the old material is what finds the old connection.
  const credentials = credentialsIn(talk.clientFolder)
  const first = await attempt(talk, credentials, held)
  if (first.kind !== 'answered' || first.status !== 200) throw new DemoFailure('a connection to hold open was refused')
  const before = talk.calls()
  const from = performance.now()

  const renewed = await Promise.all([
    renew(stage, cluster, identities, SERVER, talk.server),
    renew(stage, cluster, identities, CLIENT, talk.client),
  ])
  const [server, client] = renewed as [Renewed, Renewed]
  // What each of them saw on the wire, not what they think they use.
  await talk.client.line(new RegExp(`^call \\d+ ok: .*certificate ${server.after}\\).*certificate ${client.after}\\)$`))
  const seconds = secondsSince(from)
  screen.block(table([['', 'SERIAL BEFORE', 'SERIAL AFTER'], ...renewed.map(({ name, before: old, after }) => [name, old, after])]))
  screen.good(`asked for, issued, mounted and in use after ${style('bold', seconds)} (a real kubelet turns the files within 90 s)`)

  await talk.client.line(new RegExp(`^call ${talk.calls().ok + CALLS_AFTER} `))
  const second = await attempt(talk, credentials, held)
  if (second.kind === 'refused') throw new DemoFailure(`the connection from before the renewal broke: ${second.code} ${second.message}`)
  if (second.socket !== first.socket) throw new DemoFailure('the connection from before the renewal was closed by the server')
  screen.good('a connection that was open all the time was answered before and after')

  const { ok, failed } = talk.calls()
  const callsMeanwhile = ok - before.ok
  if (failed > 0) throw new DemoFailure(`${failed} calls failed: ${talk.client.lines.find((line) => / FAILED: /.test(line))}`)
  screen.good(`${callsMeanwhile} calls meanwhile, ${failed} failed`)
  return { seconds, callsMeanwhile }
}

interface Renewed {
  readonly name: string
  readonly before: string
  readonly after: string
}

async function renew(stage: Stage, cluster: Cluster, identities: Identities, name: string, program: Program): Promise<Renewed> {
  const before = serialOf(identities.get(SHOP, name))
  const said = program.lines.length
  const value = new Date().toISOString()
  stage.screen.say(style('dim', `$ kubectl annotate mid -n ${SHOP} ${name} ${annotations.renewRequestedAt}=${value}`))
  const patch = { metadata: { annotations: { [annotations.renewRequestedAt]: value } } }
  await cluster.client.mergePatch(mutualIdentities, { namespace: SHOP, name }, patch)
  const after = await until(stage, identities, `a new certificate for ${name}`, () => {
    const serial = serialOf(identities.get(SHOP, name))
    return serial === before ? undefined : serial
  })
  await program.line(new RegExp(`^new certificate ${after},`), said)
  return { name, before, after }
}

function serialOf(identity: MutualIdentity | undefined): string {
  const serial = identity?.status.certificate?.serialNumber
  if (serial === undefined) throw new DemoFailure(`${identity?.name ?? 'an identity'} lost its certificate`)
  return serial
}
