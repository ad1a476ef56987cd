// What the operator tells people: the page of `explain`, and the events of an identity. Used by show.ts.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { events } from '../../src/k8s/resource.ts'
import type { Cluster } from '../install/cluster.ts'
import { PROJECT_FOLDER } from '../install/manifests.ts'
import { DemoFailure } from './failure.ts'
import { PATIENCE_MS, SHOP } from './names.ts'
import { style, table } from './screen.ts'
import type { Stage } from './stage.ts'

/** Runs the command as a person does, and shows its page. */
export async function showExplanation(stage: Stage, kubeconfig: string, name: string): Promise<void> {
  const { screen } = stage
  screen.say(style('dim', `$ npm run explain -- ${name} -n ${SHOP} --kubeconfig FILE`))
  const script = join(PROJECT_FOLDER, 'src', 'cli', 'main.ts')
  stage.signal.throwIfAborted()
  const child = spawn(process.execPath, [script, 'explain', name, '-n', SHOP, '--kubeconfig', kubeconfig], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const closed = once(child, 'close')
  await stage.own('explain', () => child.kill('SIGKILL'))
  const [page, complaint, [code, signal]] = await stage.wait(
    Promise.all([text(child.stdout), text(child.stderr), closed]),
    PATIENCE_MS,
    'explain',
  )
  screen.block(page)
  if (code !== 0)
    throw new DemoFailure(`explain ended with ${signal ?? `exit code ${code}`} instead of "ready, nothing to do": ${complaint.trim()}`)
}

interface Event {
  readonly eventTime?: string
  readonly type?: string
  readonly reason?: string
  readonly note?: string
  readonly regarding?: { readonly kind?: string; readonly name?: string }
}

/** The events about an identity, oldest first. Returns their reasons. */
export async function showEvents(stage: Stage, cluster: Cluster, name: string): Promise<readonly string[]> {
  const { screen } = stage
  screen.say(style('dim', `$ kubectl events -n ${SHOP} --for mid/${name}`))
  const found: Event[] = []
  for await (const { items } of cluster.client.listPages(events, { namespace: SHOP })) {
    found.push(...(items as Event[]).filter(({ regarding }) => regarding?.kind === 'MutualIdentity' && regarding.name === name))
  }
  found.sort((a, b) => (a.eventTime ?? '').localeCompare(b.eventTime ?? ''))
  const rows = found.map(({ eventTime = '', type = '', reason = '', note = '' }) => [eventTime.slice(11, 19), type, reason, note])
  screen.block(table([['TIME', 'TYPE', 'REASON', 'NOTE'], ...rows]))
  return found.map(({ reason = '' }) => reason)
}
