// `renew --wait`: looks at each identity until its renewal is done or refused, the time is up, or the person ends it.

import { mutualIdentities } from '../../api/kinds.ts'
import { type MutualIdentity, projectMutualIdentity } from '../../api/mutual-identity.ts'
import { sleep } from '../../base/clock.ts'
import { formatDuration } from '../../base/duration.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { printable } from '../output/printable.ts'
import type { Question } from '../verb.ts'
import { progressOf } from './progress.ts'

/** A renewal takes a second or two; a get of one object costs the API server next to nothing. */
const LOOK_EVERY_MS = 1_000

/** `before`: as it was when the renewal was asked for. */
export async function followRenewal(question: Question, before: MutualIdentity, timeoutMs: number): Promise<ExitCode> {
  const { session, cluster, paint } = question
  const { clock, signal } = session
  const { namespace, name } = before
  const until = clock.monotonic() + timeoutMs
  let told = ''
  for (;;) {
    const progress = progressOf(before, projectMutualIdentity(await cluster.client.get(mutualIdentities, { namespace, name })))
    const line = `${namespace}/${name}: ${printable(progress.text)}`
    const style = { done: 'good', refused: 'bad', waiting: 'waiting' } as const
    if (line !== told) session.write(`${paint(style[progress.state], line)}\n`)
    told = line
    if (progress.state === 'done') return EXIT.good
    if (progress.state === 'refused') return EXIT.refused
    if (signal.aborted || clock.monotonic() >= until) {
      session.complain(
        `${namespace}/${name}: not renewed after ${formatDuration(timeoutMs)}; the request stands (kubectl mutual explain ${name} -n ${namespace})\n`,
      )
      return EXIT.waiting
    }
    await sleep(clock, LOOK_EVERY_MS, signal)
  }
}
