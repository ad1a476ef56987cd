// `renew`: asks for a new certificate now, by the annotation that the controller answers once per value. The only verb that writes anything.

import { mutualIdentities } from '../../api/kinds.ts'
import type { MutualIdentity } from '../../api/mutual-identity.ts'
import { annotations } from '../../api/names.ts'
import { withCluster } from '../asking.ts'
import { EXIT, type ExitCode, worst } from '../exit-code.ts'
import { checkName } from '../explain/targets.ts'
import { fillStores } from '../fill-stores.ts'
import { findIdentities } from '../find.ts'
import { readDurationFlag } from '../flags.ts'
import { lookAtSettings } from '../operator-seen.ts'
import { followRenewal } from '../renew/follow.ts'
import { usageError } from '../usage-error.ts'
import type { Question, Verb } from '../verb.ts'
import { unwatched } from '../watched.ts'

export const renew: Verb = {
  name: 'renew',
  summary: 'Ask for a new certificate now',
  usage: 'NAME... | --all',
  details: [
    `Sets the annotation ${annotations.renewRequestedAt} (needs the right to patch mutualidentities). With --wait it follows until the new`,
    'certificate is there or was refused. Exit code 0: asked for, or with --wait done; 3: not done in time; 4: refused, or the operator does not',
    'watch the namespace.',
  ],
  examples: ['kubectl mutual renew payments -n shop --wait', 'kubectl mutual renew --all -n shop'],
  flags: {
    all: { help: 'every identity of the namespace' },
    wait: { help: 'follow until it is done or refused' },
    timeout: { value: 'DURATION', help: 'how long --wait follows each [2m]' },
  },
  formats: [],
  words: 'identities',
  run(call) {
    const { positionals, switches, values } = call.given
    const all = switches.has('all')
    if (all && positionals.length > 0) throw usageError('--all is every one: leave the names out, or --all')
    if (!all && positionals.length === 0) throw usageError('renew takes the names of identities, or --all')
    if (values['timeout'] !== undefined && !switches.has('wait')) throw usageError('--timeout says how long to follow: add --wait')
    for (const name of positionals) checkName(name)
    const timeoutMs = readDurationFlag(call.given, 'timeout', '2m')
    return withCluster(call, (question) => answer(question, all ? undefined : positionals, timeoutMs))
  },
}

async function answer(question: Question, names: readonly string[] | undefined, timeoutMs: number): Promise<ExitCode> {
  const { cluster, namespace, operatorNamespace, session, given } = question
  const stores = await fillStores(cluster.client, { namespace, operatorNamespace, only: ['identities'] })
  // All names are looked up before anything is written: a mistyped one must not leave half of them asked for.
  const found = await Promise.all((names ?? [undefined]).map((name) => findIdentities(cluster.client, stores, namespace, name)))
  const identities = found.flat()
  if (identities.length === 0) session.complain(`there are no identities in namespace ${namespace}\n`)
  for (const identity of identities) await request(question, identity)
  const deaf = identities.length > 0 ? unwatched(namespace, await lookAtSettings(cluster.client, operatorNamespace)) : undefined
  if (deaf) {
    session.complain(`nobody answers: ${deaf.message}\n`)
    return EXIT.refused
  }
  if (!given.switches.has('wait')) return EXIT.good
  return worst(await Promise.all(identities.map((identity) => followRenewal(question, identity, timeoutMs))))
}

async function request({ cluster, session }: Question, { namespace, name, uid }: MutualIdentity): Promise<void> {
  // With milliseconds: two requests within a second are two.
  const at = new Date(session.clock.now()).toISOString()
  // With its uid: not the one that took its place since.
  await cluster.client.mergePatch(
    mutualIdentities,
    { namespace, name },
    { metadata: { uid, annotations: { [annotations.renewRequestedAt]: at } } },
  )
  session.write(`${namespace}/${name}: renewal asked for at ${at}\n`)
}
