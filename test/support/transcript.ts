// Documents that show commands and what they print: the commands of their console blocks in order, and whether an output is the one that is shown.
// Used by tests that carry such a document out. Knows no single command.

export interface Exchange {
  /** As a shell takes it, lines of a here-document included. */
  readonly command: string
  /** What is shown; a line of dots stands for any lines, … for the rest of a part of one. */
  readonly shown: readonly string[]
}

/** The commands of all ```console blocks. */
export function exchangesOf(document: string): readonly Exchange[] {
  return [...document.matchAll(/^```console\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) => {
    const exchanges: { command: string; shown: string[] }[] = []
    for (const line of block.trimEnd().split('\n')) {
      const last = exchanges.at(-1)
      if (line.startsWith('$ ')) exchanges.push({ command: line.slice(2), shown: [] })
      else if (last && line.startsWith('> ') && last.shown.length === 0) last.command += `\n${line.slice(2)}`
      else last?.shown.push(line)
    }
    return exchanges
  })
}

/** What is different each time: instants, spans, long hexadecimal numbers; and how many blanks align a table. */
const CHANGING: readonly (readonly [from: RegExp, to: string])[] = [
  [/\d{4}-\d\d-\d\d(?:T| )\d\d:\d\d:\d\d(?:\\\.\d+)?Z?/g, String.raw`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?`],
  [/(?:[0-9A-F]{2}:){15,}[0-9A-F]{2}/g, '[0-9A-F:]+'],
  [/\b[0-9a-f]{8,}\b/g, '[0-9a-f]+'],
  [/\b(?:\d+[smhd])+\b/g, String.raw`(?:\d+[smhd])+`],
  [/ +/g, ' +'],
  [/…/g, '.*'],
]

/** Whether the output is what is shown. */
export function isShown(shown: readonly string[], output: string): boolean {
  const parts = shown.map((line) => (line === '...' ? String.raw`(?:[^\n]*\n)*?` : `${patternOf(line)} *\n`))
  return new RegExp(`^${parts.join('')}$`).test(output === '' || output.endsWith('\n') ? output : `${output}\n`)
}

function patternOf(line: string): string {
  const literal = line.trimEnd().replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return CHANGING.reduce((pattern, [from, to]) => pattern.replace(from, () => to), literal)
}
