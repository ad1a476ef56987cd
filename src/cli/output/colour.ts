// Colours: what is well, what waits, what needs a person. Only on a terminal, and not where somebody said no (NO_COLOR, --no-color).
// A colour never carries what the text beside it does not say.

import type { Environment } from '../../base/environment.ts'

export type Style = 'good' | 'waiting' | 'bad' | 'dim' | 'bold'

/** Makes text that is printable already coloured, or leaves it. */
export type Paint = (style: Style | undefined, text: string) => string

/** SGR codes, and what takes them back. */
const CODES: Readonly<Record<Style, readonly [number, number]>> = {
  good: [32, 39],
  waiting: [33, 39],
  bad: [31, 39],
  dim: [2, 22],
  bold: [1, 22],
}

export const plain: Paint = (_style, text) => text

const coloured: Paint = (style, text) => {
  if (style === undefined || text === '') return text
  const [on, off] = CODES[style]
  return `\x1b[${on}m${text}\x1b[${off}m`
}

/** no-color.org: any value that is not empty says no; so does a terminal that knows no colours. */
export function painter({ terminal, noColor, environment }: { terminal: boolean; noColor: boolean; environment: Environment }): Paint {
  const refused = noColor || Boolean(environment['NO_COLOR']) || environment['TERM'] === 'dumb'
  return terminal && !refused ? coloured : plain
}
