// Who is refused: a client without a certificate, one of another CA, one with a genuine certificate of the wrong identity, and a server with the wrong
// identity. Each is really tried against the running programs; a success where there must be none breaks the demo. Used by show.ts.

import { mutualIdentities } from '../../src/api/kinds.ts'
import { API_VERSION } from '../../src/api/names.ts'
import type { Cluster } from '../install/cluster.ts'
import { createOrChange, createUnlessThere } from '../install/install.ts'
import { attempt, type Credentials, credentialsIn, type Result } from './attempt.ts'
import type { Example } from './example.ts'
import { DemoFailure } from './failure.ts'
import { forgeIdentity } from './forgery.ts'
import { type Identities, untilReady } from './identities.ts'
import type { Kubelet } from './kubelet.ts'
import { CLIENT, INTRUDER, PATIENCE_MS, SERVER, SHOP } from './names.ts'
import { readPapers } from './picture.ts'
import { style } from './screen.ts'
import type { Stage } from './stage.ts'
import { type Conversation, startClient, startServer } from './talk.ts'

export interface RefusalParts {
  readonly stage: Stage
  readonly cluster: Cluster
  readonly example: Example
  readonly kubelet: Kubelet
  readonly identities: Identities
  readonly talk: Conversation
}

interface Trial {
  readonly who: string
  readonly credentials: Credentials
  /** The server's own word for why. */
  readonly serverSays: RegExp
  /** What the intruder must see: an answer of this status, or (undefined) a broken handshake. */
  readonly status?: number
}

/** How many were refused, of how many. */
export async function refuseIntruders(parts: RefusalParts): Promise<{ readonly refused: number; readonly clients: number }> {
  const { stage, talk } = parts
  const genuine = credentialsIn(talk.clientFolder)
  const { leaf } = readPapers(talk.clientFolder)
  await expectAnswer(parts, genuine, 'the same request with the certificate of orders is answered')
  const [uri] = leaf.uris as [string]
  const trials: Trial[] = [
    { who: 'without a certificate', credentials: { ca: genuine.ca }, serverSays: /PEER_DID_NOT_RETURN_A_CERTIFICATE/ },
    {
      who: `${uri} of a made-up CA`,
      credentials: { ca: genuine.ca, ...(await forgeIdentity(uri)) },
      serverSays: /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_SIGNATURE_FAILURE/,
    },
  ]
  for (const trial of trials) await tryIt(parts, trial)

  const folder = await makeIntruder(parts)
  const credentials = credentialsIn(folder)
  await tryIt(parts, {
    who: `genuine, but ${readPapers(folder).leaf.uris[0]}`,
    credentials,
    serverSays: /intruder is not among the allowed clients/,
    status: 403,
  })
  await expectAnswer(parts, credentialsIn(talk.clientFolder), 'and orders is still answered')
  await wrongServer(parts, folder)
  stage.signal.throwIfAborted()
  return { refused: trials.length + 2, clients: trials.length + 1 }
}

async function tryIt({ stage, talk }: RefusalParts, { who, credentials, serverSays, status }: Trial): Promise<void> {
  const { screen } = stage
  screen.say(style('bold', `a client ${who}`))
  const heardBefore = talk.server.lines.length
  const result = await attempt(talk, credentials)
  if (result.kind === 'answered' && result.status !== status)
    throw new DemoFailure(`a client ${who} was answered: ${result.status} ${result.text}`)
  if (result.kind === 'refused' && status !== undefined) throw new DemoFailure(`a client ${who} should see ${status}, but ${seen(result)}`)
  screen.quote(INTRUDER, seen(result))
  // Not only no answer, but for this reason.
  const said = new RegExp(`^refused: .*(${serverSays.source})`)
  await talk.server.line(said, heardBefore)
  screen.good('refused')
}

function seen(result: Result): string {
  if (result.kind === 'answered') return `the server answered ${result.status}: ${(JSON.parse(result.text) as { error?: string }).error}`
  return `no connection: ${result.code} (${result.message
    .replace(/^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:/, '')
    .split(':')[0]
    ?.trim()})`
}

async function expectAnswer({ stage, talk }: RefusalParts, credentials: Credentials, text: string): Promise<void> {
  const result = await attempt(talk, credentials)
  if (result.kind !== 'answered' || result.status !== 200) throw new DemoFailure(`${text}: it was not: ${seen(result)}`)
  stage.screen.good(text)
}

/** A third identity, issued by the same authority: the account is named, so that it needs no pods. Returns the folder with its files. */
async function makeIntruder({ stage, cluster, kubelet, identities }: RefusalParts): Promise<string> {
  const metadata = { name: INTRUDER, namespace: SHOP }
  await createUnlessThere(cluster.client, { apiVersion: 'v1', kind: 'ServiceAccount', metadata })
  const spec = { podSelector: { matchLabels: { app: INTRUDER } }, serviceAccountName: INTRUDER }
  await createOrChange(cluster.client, { apiVersion: API_VERSION, kind: mutualIdentities.kind, metadata, spec })
  await untilReady(stage, identities, INTRUDER)
  return await kubelet.mount(`${INTRUDER}-mtls`)
}

/** The example's own client meets a server that has a genuine certificate of another identity. */
async function wrongServer({ stage, example, talk }: RefusalParts, folder: string): Promise<void> {
  stage.screen.say(style('bold', 'and the other way round: orders calls a server that is genuine, but not payments'))
  const workload = example.workload(SERVER)
  const { program, port } = await startServer(stage, INTRUDER, workload, folder)
  const client = await startClient(stage, CLIENT, example.workload(CLIENT), {
    folder: talk.clientFolder,
    port,
    serverName: talk.serverName,
    calls: 1,
  })
  const code = await stage.wait(client.ended, PATIENCE_MS, 'the client ends')
  await program.stop()
  if (code !== 1 || !client.lines.some((line) => /^call 1 FAILED: the server is .*intruder, expected /.test(line)))
    throw new DemoFailure(`orders talked to a server that is not payments (exit code ${code})`)
  stage.screen.good('refused by the client')
}
