// What the certificates say, read from the mounted files: who they are for, until when, and a picture of who trusts whom. Used by show.ts.
// Reads no private keys.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatInstant } from '../../src/base/clock.ts'
import { parseBundle } from '../../src/pki/bundle.ts'
import { type Certificate, readChain } from '../../src/pki/certificate.ts'
import { table } from './screen.ts'

/** The public part of a mounted Secret. */
export interface Papers {
  readonly leaf: Certificate
  readonly anchors: readonly Certificate[]
}

export function readPapers(folder: string): Papers {
  const [leaf] = readChain(readFileSync(join(folder, 'tls.crt'), 'latin1'))
  if (leaf === undefined) throw new Error(`${folder}/tls.crt is empty`)
  return { leaf, anchors: parseBundle(readFileSync(join(folder, 'ca.crt'), 'latin1')).anchors }
}

/** Two leaves of one root. */
export function whoTrustsWhom(client: Papers, server: Papers): string {
  const [root] = server.anchors
  const [left, right] = [client, server].map(({ leaf }) => `spiffe://…/${leaf.uris[0]?.split('/').slice(3).join('/')}`) as [string, string]
  const width = Math.max(left.length, right.length) + 4
  const box = (text: string): string => `│ ${text.padEnd(width - 4)} │`
  const edge = (corners: string, mark = '─'): string => {
    const line = '─'.repeat(width - 2)
    const middle = Math.floor(line.length / 2)
    return `${corners[0]}${line.slice(0, middle)}${mark}${line.slice(middle + 1)}${corners[1]}`
  }
  const gap = '   mutual TLS   '
  const half = Math.floor((width - 2) / 2) + 1
  const span = width + gap.length - 1
  const lead = ' '.repeat(half)
  const middle = Math.floor(span / 2)
  return [
    `${' '.repeat(half)}root of ${root?.uris[0]}: ${root?.subject}`,
    `${lead}its key stays in the operator's namespace; both trust it, and it signs`,
    `${lead}┌${'─'.repeat(middle)}┴${'─'.repeat(span - middle - 1)}┐`,
    `${edge('┌┐', '▼')}${' '.repeat(gap.length)}${edge('┌┐', '▼')}`,
    `${box('orders, the client')}${gap}${box('payments, the server')}`,
    `${box(left)}◀──────────────▶${box(right)}`,
    `${edge('└┘')}${' '.repeat(gap.length)}${edge('└┘')}`,
    `believes only the server ${server.leaf.uris[0]}`.padEnd(width + gap.length - 14),
    `answers only the client  ${client.leaf.uris[0]}`,
  ].join('\n')
}

/** One column for each certificate. */
export function certificateTable(client: Papers, server: Papers): string {
  const [root] = server.anchors as [Certificate]
  const columns: readonly (readonly [string, Certificate])[] = [
    ['orders', client.leaf],
    ['payments', server.leaf],
    ['root', root],
  ]
  const row = (name: string, text: (certificate: Certificate) => string): string[] => [
    name,
    ...columns.map(([, certificate]) => text(certificate)),
  ]
  const dnsRows = Array.from({ length: Math.max(1, ...columns.map(([, { dnsNames }]) => dnsNames.length)) }, (_, index) =>
    row(index === 0 ? 'DNS names' : '', ({ dnsNames }) => dnsNames[index] ?? (index === 0 ? 'none' : '')),
  )
  return table([
    ['', ...columns.map(([name]) => name)],
    row('subject', ({ subject }) => subject || '(empty: the names below count)'),
    row('SPIFFE ID', ({ uris }) => uris.join(', ')),
    ...dnsRows,
    row('key', ({ keyType }) => keyType ?? 'other'),
    row('expires', ({ notAfter }) => formatInstant(notAfter)),
    row('serial', ({ serialNumber }) => serialNumber),
  ])
}
