// What the person sees: numbered steps, results, quoted lines of other programs, tables. Used by every step of the demo.
// Colours only on a terminal and without NO_COLOR (node:util takes care of both). Must not decide anything.

import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

export const style = (format: Style, text: string): string => styleText(format, text, { stream: process.stdout })

const INDENT = '      '
const NAME_COLUMNS = 10

/** What is printed is never longer than the step wants; nothing is printed once the reader went away. */
export interface Screen {
  /** Begins a numbered step. */
  step(title: string): void
  /** A sentence of the demo itself. */
  say(text?: string): void
  /** A result that is as it should be. */
  good(text: string): void
  /** A line of another program. */
  quote(who: string, line: string): void
  /** Text of several lines, indented. */
  block(text: string): void
}

export function createScreen(steps: number): Screen {
  let step = 0
  const write = (line: string): void => void process.stdout.write(`${line}\n`)
  return {
    step(title) {
      step++
      write(`\n${style('bold', `${`${step}/${steps}`.padEnd(INDENT.length)}${title}`)}`)
    },
    say: (text = '') => write(text === '' ? '' : INDENT + text),
    good: (text) => write(`${INDENT}${style('green', '✓')} ${text}`),
    quote: (who, line) => write(`${INDENT}${style('cyan', `${who.padEnd(NAME_COLUMNS)} │`)} ${line}`),
    block: (text) => write(text.trimEnd().replaceAll(/^(?=.)/gm, INDENT)),
  }
}

/** Columns as wide as their widest cell; the first row is the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n')
}

/** `3.2 s` since `from` (performance.now()). */
export const secondsSince = (from: number): string => `${((performance.now() - from) / 1000).toFixed(1)} s`
