// `graph`: who trusts whom - trust domains, authorities, identities, what their Secrets hold, and switches on the way; as text, for Graphviz, or drawn.

import { observeIdentity } from '../../controllers/identity/observe.ts'
import { withCluster } from '../asking.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { fillStores } from '../fill-stores.ts'
import { unreadable } from '../find.ts'
import { readFormat } from '../flags.ts'
import { readHeldAnchors } from '../graph/anchors.ts'
import { dotText } from '../graph/dot.ts'
import { type Graph, graphOf } from '../graph/model.ts'
import { svgText } from '../graph/svg.ts'
import { treeText } from '../graph/tree.ts'
import { requireNamespace } from '../namespace-there.ts'
import { lookWhereAsked } from '../operator-seen.ts'
import { dataText } from '../output/data.ts'
import { usageError } from '../usage-error.ts'
import type { Question, Verb } from '../verb.ts'

const FORMATS = ['text', 'dot', 'svg', 'json', 'yaml'] as const

export const graph: Verb = {
  name: 'graph',
  summary: 'Who trusts whom: trust domains, authorities, identities, what their Secrets hold',
  usage: '',
  details: [
    'A tree of text; -o dot is for Graphviz, -o svg is a picture. An anchor is called by its authority and generation (default/1); one that no',
    'authority reports by the beginning of its fingerprint. A switch to another authority on its way is shown with whom it waits for.',
  ],
  examples: [
    'kubectl mutual graph -n shop',
    'kubectl mutual graph -A -o svg > trust.svg',
    'kubectl mutual graph -o dot | dot -Tpng > trust.png',
  ],
  flags: { 'all-namespaces': { short: 'A', help: 'of all namespaces' } },
  formats: FORMATS,
  run(call) {
    const { positionals, switches, values } = call.given
    if (positionals.length > 0) throw usageError('graph takes no names')
    if (switches.has('all-namespaces') && values['namespace'] !== undefined) {
      throw usageError('--all-namespaces is all and --namespace is one: leave one of them out')
    }
    return withCluster(call, answer)
  },
}

async function answer(question: Question): Promise<ExitCode> {
  const { given, session, paint } = question
  await lookWhereAsked(question)
  const drawn = await look(question, given.switches.has('all-namespaces') ? undefined : question.namespace)
  const format = readFormat(given.values['output'], FORMATS)
  if (format === 'text') session.write(treeText(drawn, paint))
  else if (format === 'dot') session.write(dotText(drawn))
  else session.write(format === 'svg' ? svgText(drawn) : dataText(format, drawn))
  return EXIT.good
}

async function look({ cluster, operatorNamespace, clusterDomain }: Question, namespace: string | undefined): Promise<Graph> {
  const { client } = cluster
  const stores = await fillStores(client, { namespace, operatorNamespace })
  if (!stores.identities.readable) throw unreadable('MutualIdentities', namespace ?? '')
  if (namespace !== undefined && stores.identities.size === 0) await requireNamespace(client, namespace)
  const surroundings = { operatorNamespace, clusterDomain, restartWorkloads: true }
  const identities = [...stores.identities.all()].sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1))
  return graphOf({
    authorities: [...stores.authorities.all(), ...stores.namespacedAuthorities.all()],
    identities: identities.map((identity) => observeIdentity(identity, stores, surroundings)),
    held: await readHeldAnchors(client, namespace),
  })
}
