// The graph as a picture of its own: identities on the left, authorities in their trust domains on the right, a line for each acceptance.
// Plain SVG without scripts, fonts or links, so that it can be put anywhere. Pure.

import { printable } from '../output/printable.ts'
import type { State } from '../status/state.ts'
import type { Graph, GraphAuthority, GraphIdentity, Why } from './model.ts'
import { authorityLabel, byTrustDomain, secretText, switchText, WHY } from './words.ts'

const COLOURS: Readonly<Record<State, string>> = { ready: '#2e7d32', waiting: '#b26a00', refused: '#c62828' }
const UNKNOWN_COLOUR = '#757575'
const DASHES: Readonly<Record<Why, string>> = { own: '', additional: '6 4', pooled: '6 4', former: '2 4', switching: '6 4' }

/** In user units, about pixels. A character of the 12 px font is taken for 7 wide. */
const MARGIN = 24
const CHARACTER = 7
const LINE = 17
const PADDING = 10
const GAP = 18
const BETWEEN = 240
const TITLE = 24

interface Box {
  readonly key: string
  readonly lines: readonly string[]
  readonly colour: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export function svgText(graph: Graph): string {
  const identities = identityBoxes(graph.identities)
  const right = MARGIN + widest(identities) + BETWEEN
  const { boxes: authorities, frames, bottom } = authorityBoxes(graph.authorities, right)
  const width = right + widest(authorities) + 2 * PADDING + MARGIN
  const height = Math.max(bottom, ...identities.map(({ y, height: tall }) => y + tall)) + MARGIN
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    '<title>Who trusts whom</title>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...frames,
    ...graph.identities.flatMap((identity) => lines(identity, identities, authorities)),
    ...[...identities, ...authorities].map(boxText),
    '</svg>',
    '',
  ].join('\n')
}

const widest = (boxes: readonly Box[]): number => Math.max(0, ...boxes.map(({ width }) => width))
const sizeOf = (lines: readonly string[]) => ({
  width: Math.max(...lines.map((line) => [...line].length)) * CHARACTER + 2 * PADDING,
  height: lines.length * LINE + 2 * PADDING - 4,
})

function identityBoxes(identities: readonly GraphIdentity[]): readonly Box[] {
  let y = MARGIN
  return identities.map((identity) => {
    const switching = switchText(identity)
    const text = [identity.key, identity.spiffeID ?? 'no certificate yet', secretText(identity), ...(switching ? [switching] : [])]
    const box = { key: identity.key, lines: text, colour: COLOURS[identity.state], x: MARGIN, y, ...sizeOf(text) }
    y += box.height + GAP
    return box
  })
}

/** A frame for each trust domain, around its authorities. */
function authorityBoxes(authorities: readonly GraphAuthority[], x: number): { boxes: Box[]; frames: string[]; bottom: number } {
  const boxes: Box[] = []
  const frames: string[] = []
  let y = MARGIN
  for (const [domain, members] of byTrustDomain(authorities)) {
    const top = y
    y += TITLE + PADDING
    const inside = members.map((authority) => {
      const text = [authority.text, authorityLabel(authority)]
      const colour = authority.state === undefined ? UNKNOWN_COLOUR : COLOURS[authority.state]
      const box = { key: authority.key, lines: text, colour, x: x + PADDING, y, ...sizeOf(text) }
      y += box.height + GAP
      return box
    })
    boxes.push(...inside)
    const title = `trust domain ${domain}`
    const width = Math.max(widest(inside), [...title].length * CHARACTER) + 2 * PADDING
    frames.push(
      `<rect x="${x}" y="${top}" width="${width}" height="${y - top - GAP + PADDING}" rx="8" fill="#f5f5f5" stroke="#bdbdbd"/>`,
      `<text x="${x + PADDING}" y="${top + 20}" font-weight="bold">${escaped(title)}</text>`,
    )
    y += PADDING
  }
  return { boxes, frames, bottom: y }
}

function lines(identity: GraphIdentity, identities: readonly Box[], authorities: readonly Box[]): string[] {
  const from = identities.find(({ key }) => key === identity.key)
  if (!from) return []
  return identity.accepts.flatMap(({ authority, why }) => {
    const to = authorities.find(({ key }) => key === authority)
    if (!to) return []
    const [x1, y1, x2, y2] = [from.x + from.width, from.y + from.height / 2, to.x, to.y + to.height / 2]
    const middle = (x1 + x2) / 2
    const switching = identity.switching?.to === authority
    const dash = DASHES[why] === '' ? '' : ` stroke-dasharray="${DASHES[why]}"`
    const label = why === 'own' ? 'signed by' : WHY[why]
    return [
      `<path d="M ${x1} ${y1} C ${middle} ${y1}, ${middle} ${y2}, ${x2} ${y2}" fill="none" stroke="${switching ? COLOURS.waiting : '#616161'}" stroke-width="${switching ? 2 : 1}"${dash}><title>${escaped(`${identity.key} ${label} ${authority}`)}</title></path>`,
      `<circle cx="${x2}" cy="${y2}" r="3" fill="#616161"/>`,
    ]
  })
}

function boxText({ lines: text, colour, x, y, width, height }: Box): string {
  const rows = text.map((line, index) => {
    const weight = index === 0 ? ' font-weight="bold"' : ' fill="#424242"'
    return `<text x="${x + PADDING}" y="${y + PADDING + LINE * index + 10}"${weight}>${escaped(line)}</text>`
  })
  return [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="#ffffff" stroke="${colour}" stroke-width="2"/>`,
    ...rows,
  ].join('\n')
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escaped = (text: string): string => printable(text).replace(/[&<>"']/g, (character) => ENTITIES[character] as string)
