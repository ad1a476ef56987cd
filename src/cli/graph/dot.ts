// The graph in the language of Graphviz (`kubectl mutual graph -o dot | dot -Tpng`). Pure.

import { printable } from '../output/printable.ts'
import type { State } from '../status/state.ts'
import type { Graph, GraphAuthority, GraphIdentity, Why } from './model.ts'
import { authorityLabel, byTrustDomain, secretText, switchText, WHY } from './words.ts'

const COLOURS: Readonly<Record<State, string>> = { ready: '#2e7d32', waiting: '#b26a00', refused: '#c62828' }
const STYLES: Readonly<Record<Why, string>> = {
  own: 'solid',
  additional: 'dashed',
  pooled: 'dashed',
  former: 'dotted',
  switching: 'dashed',
}

export function dotText({ authorities, identities }: Graph): string {
  const clusters = byTrustDomain(authorities).flatMap(([domain, members], index) => [
    `  subgraph cluster_${index} {`,
    `    label=${quoted(`trust domain ${domain}`)};`,
    ...members.map((authority) => `    ${authorityNode(authority)}`),
    '  }',
  ])
  return [
    'digraph mutual {',
    '  rankdir=RL;',
    '  node [fontname="sans-serif", fontsize=11];',
    '  edge [fontname="sans-serif", fontsize=9];',
    ...clusters,
    ...identities.map((identity) => `  ${identityNode(identity)}`),
    ...identities.flatMap((identity) => edges(identity).map((edge) => `  ${edge}`)),
    '}',
    '',
  ].join('\n')
}

function authorityNode(authority: GraphAuthority): string {
  const colour = authority.state === undefined ? '#757575' : COLOURS[authority.state]
  return `${idOf('authority', authority.key)} [shape=box, color="${colour}", label=${quoted(authority.text, authorityLabel(authority))}];`
}

function identityNode(identity: GraphIdentity): string {
  const lines = [identity.key, identity.spiffeID ?? 'no certificate yet', secretText(identity)]
  return `${idOf('identity', identity.key)} [color="${COLOURS[identity.state]}", label=${quoted(...lines)}];`
}

function edges(identity: GraphIdentity): string[] {
  const from = idOf('identity', identity.key)
  const switching = switchText(identity)
  return [
    ...identity.accepts.map(({ authority, why }) => {
      const label = why === 'own' ? 'signed by' : WHY[why]
      return `${from} -> ${idOf('authority', authority)} [style=${STYLES[why]}, label=${quoted(label)}];`
    }),
    ...(identity.switching && switching
      ? [`${from} -> ${idOf('authority', identity.switching.to)} [color="${COLOURS.waiting}", penwidth=2, label=${quoted(switching)}];`]
      : []),
  ]
}

const idOf = (kind: string, key: string): string => quoted(`${kind} ${key}`)

/** Lines of a label; the language escapes quotes and backslashes, and `\n` ends a line. */
function quoted(...lines: readonly string[]): string {
  return `"${lines.map((line) => printable(line).replace(/[\\"]/g, '\\$&')).join('\\n')}"`
}
