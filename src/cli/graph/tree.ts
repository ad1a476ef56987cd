// The graph as a tree of text: trust domain, authority, the identities it signed for, and what each of them accepts. Pure.

import type { Paint, Style } from '../output/colour.ts'
import { printable } from '../output/printable.ts'
import { STATE_STYLES } from '../status/state.ts'
import type { Graph, GraphAuthority, GraphIdentity } from './model.ts'
import { authorityLabel, byTrustDomain, secretText, switchText, WHY } from './words.ts'

interface Node {
  readonly text: string
  readonly style?: Style | undefined
  readonly children: readonly Node[]
}

export function treeText(graph: Graph, paint: Paint): string {
  const roots = byTrustDomain(graph.authorities).map(
    ([domain, authorities]): Node => ({
      text: `trust domain ${domain}`,
      style: 'bold',
      children: authorities.map((authority) => authorityNode(authority, graph)),
    }),
  )
  if (roots.length === 0) return 'There are no authorities and no identities.\n'
  return roots.map((root) => nodeLines(root, '', '', paint)).join('\n')
}

function authorityNode(authority: GraphAuthority, { identities }: Graph): Node {
  const { key, text, state } = authority
  return {
    text: `${text} (${authorityLabel(authority)})`,
    style: state === undefined ? 'waiting' : STATE_STYLES[state],
    children: identities.filter(({ signedBy }) => signedBy === key).map(identityNode),
  }
}

function identityNode(identity: GraphIdentity): Node {
  const { key, spiffeID, accepts, state } = identity
  const switching = switchText(identity)
  const leaf = (text: string, style?: Style): Node => ({ text, style, children: [] })
  return {
    text: `${key}  ${spiffeID ?? 'no certificate yet'}`,
    style: STATE_STYLES[state],
    children: [
      leaf(secretText(identity)),
      ...accepts.filter(({ why }) => why !== 'own').map(({ authority, why }) => leaf(`${WHY[why]} ${authority}`)),
      ...(switching === undefined ? [] : [leaf(switching, 'waiting')]),
    ],
  }
}

function nodeLines({ text, style, children }: Node, first: string, rest: string, paint: Paint): string {
  const below = children.map((child, index) => {
    const isLast = index === children.length - 1
    return nodeLines(child, `${rest}${isLast ? '└─ ' : '├─ '}`, `${rest}${isLast ? '   ' : '│  '}`, paint)
  })
  return `${first}${paint(style, printable(text))}\n${below.join('')}`
}
