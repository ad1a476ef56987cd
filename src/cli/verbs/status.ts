// `status`: how identities and authorities stand, as the operator reported it. Needs only the right to read them.

import type { Stores } from '../../stores.ts'
import { withCluster } from '../asking.ts'
import { EXIT, type ExitCode, worst } from '../exit-code.ts'
import { fillStores } from '../fill-stores.ts'
import { unreadable } from '../find.ts'
import { readFormat } from '../flags.ts'
import { requireNamespace } from '../namespace-there.ts'
import { lookAtOperator, lookAtSettings } from '../operator-seen.ts'
import { dataText } from '../output/data.ts'
import { follow } from '../status/follow.ts'
import { NOT_REPORTED } from '../status/identity-row.ts'
import { exitOfState } from '../status/state.ts'
import { type Standing, standingOf, standingText } from '../status/tables.ts'
import { usageError } from '../usage-error.ts'
import type { Question, Verb } from '../verb.ts'

const FORMATS = ['text', 'json', 'yaml'] as const

export const status: Verb = {
  name: 'status',
  summary: 'How identities and authorities stand, in two tables',
  usage: '',
  details: [
    'As the operator reported it, with the time that is left now. Below the tables stands why something is not ready. Exit code 0: all are ready;',
    '3: one waits, or authorities may not be read; 4: one is refused, or has expired. With --watch a line is added for each change, until Ctrl-C.',
  ],
  examples: ['kubectl mutual status -n shop', 'kubectl mutual status -A', 'kubectl mutual status -w'],
  flags: {
    'all-namespaces': { short: 'A', help: 'of all namespaces' },
    watch: { short: 'w', help: 'go on with a line for each change' },
  },
  formats: FORMATS,
  run(call) {
    const { positionals, switches, values } = call.given
    if (positionals.length > 0) throw usageError(`status takes no names: for one identity say kubectl mutual explain ${positionals[0]}`)
    if (switches.has('all-namespaces') && values['namespace'] !== undefined) {
      throw usageError('--all-namespaces is all and --namespace is one: leave one of them out')
    }
    if (switches.has('watch') && readFormat(values['output'], FORMATS) !== 'text')
      throw usageError('--watch prints text only: leave --output out')
    return withCluster(call, answer)
  },
}

const COLLECTIONS = ['identities', 'authorities', 'namespacedAuthorities'] as const

async function answer(question: Question): Promise<ExitCode> {
  const { given, session, paint, operatorNamespace } = question
  const withNamespace = given.switches.has('all-namespaces')
  const namespace = withNamespace ? undefined : question.namespace
  const stores = await fillStores(question.cluster.client, { namespace, operatorNamespace, only: COLLECTIONS })
  if (!stores.identities.readable) throw unreadable('MutualIdentities', namespace ?? '')
  if (namespace !== undefined && stores.identities.size + stores.namespacedAuthorities.size === 0) {
    await requireNamespace(question.cluster.client, namespace)
  }
  const settings = await lookAtSettings(question.cluster.client, operatorNamespace)
  const now = session.clock.now()
  const standing = standingOf(seenIn(stores), now, settings)
  const format = readFormat(given.values['output'], FORMATS)
  session.write(format === 'text' ? standingText(standing, { now, withNamespace, paint }) : dataText(format, standing))
  if (!given.switches.has('watch')) {
    // What nobody reported is nobody's fault but of whoever looks in the wrong place: without the operator the table has no reason to tell.
    const isAsked = given.values['operator-namespace'] !== undefined || isUnreported(standing)
    if (isAsked) await lookAtOperator(question.cluster.client, operatorNamespace, () => session.clock.now())
    return exitCodeOf(standing)
  }
  await follow(question, stores, { namespace, settings, before: standing })
  return EXIT.good
}

const isUnreported = ({ identities, authorities }: Standing): boolean =>
  [...identities, ...authorities].some(({ reason }) => reason === NOT_REPORTED)

function seenIn({ identities, authorities, namespacedAuthorities }: Stores) {
  return {
    identities: identities.all(),
    authorities: [...authorities.all(), ...namespacedAuthorities.all()],
    unknown: [
      ...(authorities.readable ? [] : ['ClusterMutualAuthorities']),
      ...(namespacedAuthorities.readable ? [] : ['MutualAuthorities']),
    ],
  }
}

/** An authority that may not be read may be the one that has expired. */
const exitCodeOf = ({ identities, authorities, unknown }: Standing): ExitCode =>
  worst([...[...identities, ...authorities].map(exitOfState), unknown.length === 0 ? EXIT.good : EXIT.waiting])
