// --watch: keeps the stores that were listed equal to the cluster, and writes a line for each change, until the person ends it.

import { createLog } from '../../base/log.ts'
import { textLines } from '../../base/log-text.ts'
import type { Store, Stored } from '../../k8s/store.ts'
import { Watcher } from '../../k8s/watcher.ts'
import { type Stores, scopes } from '../../stores.ts'
import { printableLines } from '../output/printable.ts'
import type { Question } from '../verb.ts'
import type { Watching } from '../watched.ts'
import { authoritySummary } from './authority-row.ts'
import { identitySummary } from './identity-row.ts'
import { changeLine, type Standing } from './tables.ts'

const WATCHED = ['identities', 'authorities', 'namespacedAuthorities'] as const

/** What is told of the objects. `namespace`: undefined for all. */
interface Followed {
  readonly namespace: string | undefined
  readonly settings: Watching
  readonly before: Standing
}

/** Resolves when the session's signal aborts. */
export async function follow(question: Question, stores: Stores, { namespace, settings, before }: Followed): Promise<void> {
  const { session, paint, cluster } = question
  const { clock, random, signal } = session
  const options = () => ({ now: clock.now(), withNamespace: namespace === undefined, paint })
  const say = (summary: Parameters<typeof changeLine>[0], gone: boolean): void => {
    const told = gone ? { ...summary, state: 'waiting' as const, reason: 'Deleted' } : summary
    session.write(changeLine(told, before, options()))
  }
  const ends = [
    stores.identities.subscribe(({ before: was, after }) => {
      const one = after ?? was
      if (one) say(identitySummary(one, clock.now(), settings), after === undefined)
    }),
    ...[stores.authorities, stores.namespacedAuthorities].map((authorities) =>
      authorities.subscribe(({ before: was, after }) => {
        const one = after ?? was
        if (one) say(authoritySummary(one, clock.now(), settings), after === undefined)
      }),
    ),
  ]
  // A connection that breaks and comes back is worth a line on the error output, no more.
  const log = createLog('warn', (line) => session.complain(printableLines(textLines(line))))
  const watchers = WATCHED.filter((name) => stores[name].readable).map((name) => {
    const { resource } = scopes[name]
    const store = stores[name] as unknown as Store<Stored>
    const place = resource.namespaced && namespace !== undefined ? { namespace } : {}
    return new Watcher({ client: cluster.client, clock, random, log, store, resource, ...place })
  })
  // Who ends it while a watcher still lists ends that too.
  for (const watcher of watchers) watcher.start().catch(() => {})
  await new Promise<void>((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  for (const end of ends) end()
  await Promise.all(watchers.map((watcher) => watcher.stop()))
}
